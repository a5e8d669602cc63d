/* cross.h - multi-head cross-attention (Vaswani 2017, section 3.2.3): a decoder's rows
 * look at all that the encoder made of their source.
 *
 *      q     = query(x)         [N, H D]
 *      k | v = kv(memory)       [M, 2 G D]     M: rows of the sources; in generation kept
 *      y     = output(heads)    heads.h, without a mask
 *
 * forward() leaves in the cache what backward() needs; backward() overwrites the
 * gradients of its weights.
 *
 * No state but the caches, no allocation, any thread.
 */
#ifndef NN_CROSS_H
#define NN_CROSS_H

#include <stddef.h>

#include "nn/linear.h"
#include "nn/pass.h"
#include "tensor/real.h"

struct cross { /* the weights; as `dw`, their gradients; without query.weight: none */
    struct linear query, kv, output;
};

struct cross_cache {
    real *q;     /* [N, H D] */
    real *kv;    /* [M, 2 G D] */
    real *mixed; /* [N,C]: what the heads make of it, before output() */
};

struct cross_scratch { /* shared by all layers */
    real *weights;     /* attend_weights(longest, longest source) */
    real *dweights;    /* as many */
    real *dq;          /* [N, H D] */
    real *dkv;         /* [M, 2 G D] */
    real *dmixed;      /* [N,C] */
    real *share;       /* [M,C]: of one layer in dmemory */
    real *dmemory;     /* [M,C]: gradient of the memory, of all layers so far */
};

/* kv [M, 2 G D]  <-  pass->memory */
void cross_source(real *kv, struct cross w, const struct pass *pass);

/* y [N,C]  <-  x [N,C] and pass->memory, or in generation what cross_source() made of it;
 * @l: number of the block, for dropout and for what was kept */
void cross_forward(real *y, struct cross_cache cache, const real *x, struct cross w,
                   struct cross_scratch scratch, const struct pass *pass, size_t l);

/* dx [N,C], dw  <-  dy [N,C];  scratch.dmemory += */
void cross_backward(real *dx, struct cross dw, const real *dy, struct cross_cache cache,
                    const real *x, struct cross w, struct cross_scratch scratch,
                    const struct pass *pass, size_t l);

#endif
