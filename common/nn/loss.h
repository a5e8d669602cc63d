/* loss.h - the head: from the residual stream to the loss.
 *
 *      logits = norm(x) * output^T         no norm for post-norm blocks: theirs is last
 *      loss   = sum over rows of  log sum exp(logits) - w . logits
 *
 * w is 1 at the target; with label smoothing s (Szegedy 2016) 1 - s there and s / V more
 * everywhere, as in PyTorch's cross_entropy().
 *
 * The logits of a large vocabulary would be the largest tensor of all (50,257 numbers a
 * row in GPT-2), so they exist for a block of rows at a time: product, loss, both
 * gradients, next block.  Blocks have head_rows() rows, a function of the vocabulary
 * alone.
 *
 * Pure functions: no state but the cache, no allocation, any thread.
 */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "nn/norm.h"
#include "nn/pass.h"
#include "tensor/real.h"

struct head { /* the weights; as `dw`, their gradients */
    struct norm norm;
    real *output; /* [V,C]; the token embedding when tied */
};

struct head_cache {
    real *normed; /* [N,C] */
    struct norm_cache norm;
    real *logits;  /* [head_rows(V), V] */
    real *dnormed; /* [N,C]; backward only */
};

size_t head_rows(size_t V);

/* Returns the loss of x [N,C] for targets [N], in nats. */
double head_loss(struct head_cache cache, const real *x, const uint32_t *targets,
                 struct head w, const struct pass *pass);

/* The same; dx [N,C], dw  <-  gradient of the loss. */
double head_backward(real *dx, struct head dw, struct head_cache cache, const real *x,
                     const uint32_t *targets, struct head w, const struct pass *pass);

/* logits [N,V] */
void head_logits(real *logits, struct head_cache cache, const real *x, struct head w,
                 const struct pass *pass);

#endif
