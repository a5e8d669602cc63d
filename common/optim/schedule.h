/* schedule.h - the learning rate of a step: linear warm-up, then one of six courses;
 * or the learning-rate range test.
 *
 * With s the number of updates already made (0 for the first), w the warm-up and n the
 * step at which decay ends:
 *
 *      warm-up        rate * (s + 1) / w                                for s < w, then
 *      constant       rate
 *      linear         rate -> rate_min on a line from w to n
 *      cosine         rate_min + (rate - rate_min) * (1 + cos(pi r)) / 2,
 *                     r = (s - w) / (n - w)                     (Loshchilov, Hutter 2017)
 *      inverse_sqrt   rate * sqrt(w / (s + 1))                            (Vaswani 2017)
 *      wsd            rate, and over the last wsd_decay share of n steps
 *                     rate_min + (rate - rate_min) * (1 - sqrt(r)), r the share of the
 *                     decay that is over (Hu 2024, MiniCPM); with wsd_shape linear 1 - r
 *      polynomial     rate_min + (rate - rate_min) * (1 - r)^power, r as for cosine
 *      range_test     rate_min * (rate / rate_min)^(s / (n - 1)): rises by equal factors,
 *                     without warm-up, until a model diverges         (Smith 2017)
 *
 * From step n on, linear, cosine, wsd and polynomial stay at rate_min, range_test at
 * rate; constant and inverse_sqrt know neither.  No decay begins before the warm-up is
 * over.
 *
 * Vaswani's d^-0.5 * min(t^-0.5, t * w^-1.5) with t = s + 1 is inverse_sqrt with
 * rate = (d * w)^-0.5.  How the conventions of other trainers map to these arguments is
 * stated and tested in tests/unit/optim/test_schedule.c.
 *
 * Pure functions.
 */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include <stdint.h>

/* in the order of conf/choices.def */
enum schedule_kind {
    SCHEDULE_IS_CONSTANT,
    SCHEDULE_IS_LINEAR,
    SCHEDULE_IS_COSINE,
    SCHEDULE_IS_INVERSE_SQRT,
    SCHEDULE_IS_WSD,
    SCHEDULE_IS_POLYNOMIAL,
    SCHEDULE_IS_RANGE_TEST
};

enum schedule_wsd_shape { SCHEDULE_WSD_IS_SQRT, SCHEDULE_WSD_IS_LINEAR };

struct schedule {
    enum schedule_kind kind;
    double rate, rate_min;
    uint64_t warmup, decay_steps; /* steps: w, n */
    double wsd_decay;             /* 0..1 */
    enum schedule_wsd_shape wsd_shape;
    double power; /* of polynomial; above 0 */
};

double schedule_rate(const struct schedule *s, uint64_t step);

#endif
