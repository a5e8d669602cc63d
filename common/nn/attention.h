/* attention.h - multi-head self-attention (Vaswani 2017), with key/value heads shared by
 * groups of query heads (Ainslie 2023); causal, but in an encoder.
 *
 *      q | k | v = qkv(x)          one product; H, G, G heads of D columns
 *      q, k      = rotate(q, k)    rotary positions only (Su 2021)
 *      y         = output(heads)   heads.h
 *
 * forward() leaves in the cache what backward() needs; backward() overwrites the
 * gradients of its weights.  With pass->past rows look back at what was kept: generation.
 *
 * No state but the caches, no allocation, any thread.
 */
#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include <stddef.h>

#include "nn/linear.h"
#include "nn/pass.h"
#include "tensor/real.h"

struct attention { /* the weights; as `dw`, their gradients */
    struct linear qkv, output;
};

struct attention_cache {
    real *qkv;   /* [N, (H + 2G) D], after rotation */
    real *mixed; /* [N,C]: what the heads make of it, before output() */
};

struct attention_scratch { /* shared by all layers */
    real *weights;  /* attend_weights(longest, longest); in generation more (decode.c) */
    real *dweights; /* as many */
    real *dqkv;     /* [N, (H + 2G) D] */
    real *dmixed;   /* [N,C] */
};

/* y [N,C]  <-  x [N,C]; @l: number of the block, for dropout */
void attention_forward(real *y, struct attention_cache cache, const real *x,
                       struct attention w, struct attention_scratch scratch,
                       const struct pass *pass, size_t l);

/* dx [N,C], dw  <-  dy [N,C] */
void attention_backward(real *dx, struct attention dw, const real *dy,
                        struct attention_cache cache, const real *x, struct attention w,
                        struct attention_scratch scratch, const struct pass *pass,
                        size_t l);

#endif
