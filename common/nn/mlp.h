/* mlp.h - the feed-forward part of a block: the same for every row.
 *
 *      y = down(dropout(f(up(x))))                   f: gelu, gelu_tanh, relu
 *      y = down(dropout(swish(gate(x)) * up(x)))     swiglu (Shazeer 2020); gate and up are one
 *                                             product, the gate's rows first
 *
 * forward() leaves in the cache what backward() needs; backward() overwrites the
 * gradients of its weights.
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_MLP_H
#define NN_MLP_H

#include <stddef.h>

#include "nn/linear.h"
#include "nn/pass.h"
#include "tensor/real.h"

struct mlp { /* the weights; as `dw`, their gradients */
    struct linear up, down;
};

struct mlp_cache {
    real *up;     /* [N, mlp_up(pass)] */
    real *hidden; /* [N,F] */
};

struct mlp_scratch {
    real *dup;     /* [N, mlp_up(pass)] */
    real *dhidden; /* [N,F]; may be dup unless swiglu */
};

/* Columns of the first product: F, or 2F for swiglu. */
size_t mlp_up(const struct conf_model *conf, const struct shape *s);

/* y [N,C]  <-  x [N,C]; @l: number of the block, for dropout */
void mlp_forward(real *y, struct mlp_cache cache, const real *x, struct mlp w,
                 const struct pass *pass, size_t l);

/* dx [N,C], dw  <-  dy [N,C] */
void mlp_backward(real *dx, struct mlp dw, const real *dy, struct mlp_cache cache,
                  const real *x, struct mlp w, struct mlp_scratch scratch,
                  const struct pass *pass, size_t l);

#endif
