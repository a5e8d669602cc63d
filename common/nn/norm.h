/* norm.h - normalization of each row.
 *
 *      layer   y = (x - mean(x)) * rstd(x) * gain + bias     (Ba, Kiros, Hinton 2016,
 *                                                             arXiv:1607.06450)
 *      rms     y = x * rstd(x) * gain                        (Zhang, Sennrich 2019,
 *                                                             arXiv:1910.07467)
 *
 * forward() leaves in the cache the numbers per row that backward() needs; backward()
 * overwrites the gradients of its weights.
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_NORM_H
#define NN_NORM_H

#include <stddef.h>

#include "conf/conf.h"
#include "tensor/real.h"

struct norm {   /* the weights; as `dw`, their gradients */
    real *gain; /* [C] */
    real *bias; /* [C], or NULL */
};

struct norm_cache {
    real *mean, *rstd; /* [N]; rms leaves mean alone */
};

/* y [N,C]  <-  x [N,C] */
void norm_forward(real *y, struct norm_cache cache, const real *x, struct norm w,
                  const struct conf_model *conf, size_t N, size_t C);

/* dx [N,C], dw  <-  dy [N,C]; dx may not be dy */
void norm_backward(real *dx, struct norm dw, const real *dy, struct norm_cache cache,
                   const real *x, struct norm w, const struct conf_model *conf, size_t N,
                   size_t C);

#endif
