/* trend.h - does the loss diverge?
 *
 *      fast += (min(x, slow + 2 N sigma) - fast) / min(t, F)    the t-th loss is x; F, S:
 *      slow += (min(x, slow + 3 sigma) - slow) / min(t, S)      about so many steps
 *      sigma^2: of the slow average, likewise, of the squared distance from it
 *
 *      diverges:  fast > slow + N sigma, and t > 2 F
 *
 * The rule of Marian's --throw-on-divergence, with S = 1000, F = 10, N = 5, but for the
 * bounds, which hold from t > 2 F on.  Without that of the slow average, losses that
 * explode raise sigma with themselves, and before S steps the rule could not hold: K of
 * them among t add K/t of their square to the variance.  Without that of the fast one, a
 * single huge loss that leaves nothing behind would do; with it, 7 of N = 5 must follow.
 *
 * Pure functions.
 */
#ifndef GUARD_TREND_H
#define GUARD_TREND_H

#include <stdbool.h>
#include <stdint.h>

struct trend {
    uint64_t n; /* losses so far */
    double fast, slow, variance;
};

/* @deviations: N; 0: without bounds. */
void trend_add(struct trend *t, uint32_t fast, uint32_t slow, double deviations,
               double loss);
/* @fast, @deviations: as in trend_add(); @deviations 0: never. */
bool trend_diverges(const struct trend *t, uint32_t fast, double deviations);

#endif
