#include "coordinator/typical.h"

void typical_add(struct typical *t, double value)
{
    t->last[t->n % TYPICAL_OVER] = value;
    if (++t->n == 2 * TYPICAL_OVER) /* as full, and no overflow */
        t->n = TYPICAL_OVER;
}

double typical_value(const struct typical *t)
{
    const unsigned n = t->n < TYPICAL_OVER ? t->n : TYPICAL_OVER;
    if (n < TYPICAL_FROM)
        return 0;
    double sorted[TYPICAL_OVER];
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > t->last[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = t->last[i];
    }
    return sorted[n / 2];
}
