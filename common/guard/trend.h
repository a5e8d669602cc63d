/* trend.h - does the loss diverge?
 *
 *      fast += (x - fast) / min(t, F)       the t-th loss is x; F, S: about so many steps
 *      slow += (x - slow) / min(t, S)
 *      variance of the slow average, likewise, of the squared distance from it
 *
 *      diverges:  fast > slow + N sigma, and t > 2 F
 *
 * The rule of Marian's --throw-on-divergence, with S = 1000, F = 10, N = 5.
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

void trend_add(struct trend *t, uint32_t fast, uint32_t slow, double loss);
/* @fast: as in trend_add(); @deviations 0: never. */
bool trend_diverges(const struct trend *t, uint32_t fast, double deviations);

#endif
