#include "coordinator/early.h"

#include <assert.h>
#include <stdio.h>

bool early_due(const struct coordinator *c)
{
    return validation_over(c->validation.mark, VALIDATION_METRICS, c->conf.patience,
                           c->conf.stop_on_all);
}

/* Of several metrics, the first whose patience is over speaks for all. */
const char *early_why(const struct coordinator *c, char text[COORDINATOR_WHY])
{
    assert(early_due(c));
    int m = 0;
    while (!validation_over(&c->validation.mark[m], 1, c->conf.patience, false))
        m++;
    const struct validation_mark *k = &c->validation.mark[m];
    snprintf(text, COORDINATOR_WHY,
             "no better %s in %lu evaluations; the best, %.4f, is that of step %llu",
             validation_rows[m].title, (unsigned long)k->stale, k->best,
             (unsigned long long)k->best_step);
    return text;
}
