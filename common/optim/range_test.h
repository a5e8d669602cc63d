/* range_test.h - the learning-rate range test (Smith 2017, arXiv:1506.01186): what the
 * losses of a run whose rate rises from tiny to huge say of the rate to train with.
 *
 *      range_test_init(&t, 200);
 *      while (range_test_add(&t, rate, loss)) ...          one step after the other
 *      range_test_propose(&t, &p);
 *
 * The losses are smoothed by an exponential average without bias,
 *
 *      m <- b m + (1 - b) loss,  w <- b w + (1 - b),  smoothed = m / w,  b = 1 - 20 /
 * steps,
 *
 * over a twentieth of the steps, so that a test of twice the length smooths over the same
 * piece of the axis.  It has shown enough when a loss is not finite, or a smoothed one is
 * four times the smallest so far.
 *
 * The rule: the rate at which the smoothed loss has come 70 % of its way down, from that
 * of the first twentieth to the smallest.  Measured on tiny Shakespeare, tests of 200
 * steps from 1e-6 to 1 (two seeds) against runs of 400 steps with warm-up and cosine at
 * nine rates and more: held-out loss above that of the best rate, in nats, the worse of
 * the two seeds
 *
 *                                        70 %    steepest descent    minimum / 10
 *      4 layers of 128, pre, adamw       0.10         0.11               0.10
 *      4 layers of 64, post, adamw       0.04         0.22               0.05
 *      2 layers of 64, pre, adamw        0.04         0.11               0.35
 *      2 layers of 64, pre, sgd          0.18         0.34               0.08
 *      1 layer of 32, pre, adamw         0.04         0.11               0.18
 *
 * Steepest descent is slow but never wrong; the minimum lies, with clipping and Adam,
 * anywhere on a plateau that is two decades long.  In tests of 100 steps 70 % was too
 * high for post: a model that had no time to learn at good rates still falls at bad ones.
 *
 * Pure but for the memory of the points.
 */
#ifndef OPTIM_RANGE_TEST_H
#define OPTIM_RANGE_TEST_H

#include <stdbool.h>
#include <stddef.h>

struct range_point {
    double rate, loss, smoothed; /* smoothed: not finite where the loss is not */
};

struct range_test {
    /* read-only */
    struct range_point *point; /* [n], owned */
    size_t n;
    bool diverged;
    /* private */
    size_t room;
    double keep, mean, weight, smallest;
};

/* @steps: that will be made, if all goes well. */
void range_test_init(struct range_test *t, size_t steps);
void range_test_fini(struct range_test *t);

/* The next step.  False: that was enough; more must not be added. */
bool range_test_add(struct range_test *t, double rate, double loss);

enum range_verdict {
    RANGE_FOUND,
    RANGE_OPEN, /* found, but the loss still fell at the last rate: more may be better */
    RANGE_FLAT, /* no rate lowers the loss by more than it scatters anyway */
    RANGE_SHORT /* fewer than ten points */
};

/* Numbers of points; of RANGE_FLAT and RANGE_SHORT they mean nothing. */
struct range_proposal {
    enum range_verdict verdict;
    double rate; /* of the point at, with two digits */
    size_t at, steepest, smallest;
};

void range_test_propose(const struct range_test *t, struct range_proposal *p);
bool range_test_proposes(const struct range_proposal *p); /* found, or open */

#endif
