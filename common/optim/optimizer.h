/* optimizer.h - one update of a range of the flat vector; knows no layers.
 *
 * With g = scale * gradient, t = 1 for the first update:
 *
 *      sgd     u <- momentum * u + g + decay * theta
 *              theta <- theta - rate * u
 *
 *      adam    g <- g + decay * theta
 *              m <- beta1 * m + (1 - beta1) * g
 *              v <- beta2 * v + (1 - beta2) * g^2
 *              theta <- theta - rate * (m / (1 - beta1^t))
 *                                    / (sqrt(v / (1 - beta2^t)) + eps)    (Kingma, Ba
 * 2015)
 *
 *      adamw   as adam, but the decay is not in g:
 *              theta <- theta - rate * decay * theta - ...      (Loshchilov, Hutter 2019)
 *
 * An element's new value depends on that element alone, bit for bit, so the vector may be
 * cut into ranges anywhere.  Moments start as zeros.
 *
 * Pure functions of their arguments, any thread; ranges are independent of each other.
 */
#ifndef OPTIM_OPTIMIZER_H
#define OPTIM_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* in the order of conf/choices.def */
enum optimizer_kind { OPTIMIZER_IS_SGD, OPTIMIZER_IS_ADAM, OPTIMIZER_IS_ADAMW };

enum { OPTIMIZER_MOMENTS_MAX = 2 };

struct optimizer {
    enum optimizer_kind kind;
    double beta1, beta2, eps, momentum, decay;
};

/* How many vectors of moments it keeps: 1 or 2. */
int optimizer_moments(enum optimizer_kind kind);
/* Their names in checkpoints. */
const char *optimizer_moment_name(enum optimizer_kind kind, int moment);

/* Update @t = 1, 2, ... of @n elements.  @decay: weight decay applies to them. */
void optimizer_step(const struct optimizer *o, uint64_t t, double rate, double scale,
                    bool decay, float *theta, float *const moment[OPTIMIZER_MOMENTS_MAX],
                    const float *gradient, size_t n);

#endif
