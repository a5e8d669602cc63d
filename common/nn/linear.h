/* linear.h - an affine map of each row.
 *
 *      y = x * weight^T + bias         weight [out, in] as in checkpoints
 *
 * backward() overwrites the gradients of its weights: no need to clear them.
 *
 * Pure functions but for the room of @g: no allocation, any thread.
 */
#ifndef NN_LINEAR_H
#define NN_LINEAR_H

#include <stddef.h>

#include "tensor/gemm.h"

struct linear {   /* the weights; as `dw`, their gradients */
    real *weight; /* [out, in] */
    real *bias;   /* [out], or NULL */
};

/* y [N,out]  <-  x [N,in] */
void linear_forward(real *y, const real *x, struct linear w, size_t N, size_t in,
                    size_t out, const struct gemm *g);

/* dx [N,in], dw  <-  dy [N,out] */
void linear_backward(real *dx, struct linear dw, const real *dy, const real *x,
                     struct linear w, size_t N, size_t in, size_t out,
                     const struct gemm *g);

#endif
