#include "guard/trend.h"

#include <math.h>

enum { SLOW_BOUND = 3 };

/* Are there losses enough to tell what is usual? */
static bool is_settled(const struct trend *t, uint32_t fast)
{
    return t->n > 2 * (uint64_t)fast;
}

static double share(uint64_t n, uint32_t steps)
{
    return 1 / (double)(n < steps ? n : steps);
}

/* @loss, at most @deviations above the slow average of those before it. */
static double bounded(const struct trend *t, double deviations, double loss)
{
    return t->variance > 0 ? fmin(loss, t->slow + deviations * sqrt(t->variance)) : loss;
}

void trend_add(struct trend *t, uint32_t fast, uint32_t slow, double deviations,
               double loss)
{
    const bool bounds = deviations > 0 && is_settled(t, fast);
    const double for_fast = bounds ? bounded(t, 2 * deviations, loss) : loss,
                 for_slow = bounds ? bounded(t, SLOW_BOUND, loss) : loss;
    t->n++;
    t->fast += (for_fast - t->fast) * share(t->n, fast);
    const double distance =
        for_slow - t->slow; /* from the average without it, then with it */
    t->slow += distance * share(t->n, slow);
    t->variance += (distance * (for_slow - t->slow) - t->variance) * share(t->n, slow);
}

bool trend_diverges(const struct trend *t, uint32_t fast, double deviations)
{
    return deviations > 0 && is_settled(t, fast) &&
           t->fast > t->slow + deviations * sqrt(t->variance);
}
