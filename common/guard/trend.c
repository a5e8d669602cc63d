#include "guard/trend.h"

#include <math.h>

static double share(uint64_t n, uint32_t steps)
{
    return 1 / (double)(n < steps ? n : steps);
}

void trend_add(struct trend *t, uint32_t fast, uint32_t slow, double loss)
{
    t->n++;
    t->fast += (loss - t->fast) * share(t->n, fast);
    const double distance =
        loss - t->slow; /* from the average without it, then with it */
    t->slow += distance * share(t->n, slow);
    t->variance += (distance * (loss - t->slow) - t->variance) * share(t->n, slow);
}

bool trend_diverges(const struct trend *t, uint32_t fast, double deviations)
{
    return deviations > 0 && t->n > 2 * (uint64_t)fast &&
           t->fast > t->slow + deviations * sqrt(t->variance);
}
