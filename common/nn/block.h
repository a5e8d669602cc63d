/* block.h - one block of the Transformer: attention, in a decoder that looks at an encoder
 * cross-attention, and the feed-forward part, each made residual in the same way.
 *
 *      pre    out = x + dropout(f(norm(x)))        (GPT-2, Radford 2019)
 *      post   out = norm(x + dropout(f(x)))        (Vaswani 2017)
 *      deep   out = norm(a x + dropout(f(x)))      (DeepNorm, Wang 2022)
 *      none   out = x + dropout(f(x))              (T-Fixup, Huang 2020)
 *
 * a is (2L)^(1/4) without an encoder; with one of E blocks 0.81 (E^4 L)^(1/16) in the
 * encoder and (3L)^(1/4) in the decoder (Wang 2022, table 1).
 *
 * Such a piece is called a part here.  The layer's caches keep what backward needs;
 * without a backward pass all layers of a stack share one block_cache: nothing a layer
 * reads is written before it was read.
 *
 * No state but the caches, no allocation, any thread.
 */
#ifndef NN_BLOCK_H
#define NN_BLOCK_H

#include <stddef.h>

#include "nn/attention.h"
#include "nn/cross.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/pass.h"
#include "tensor/real.h"

enum { PART_ATTENTION, PART_CROSS, PART_MLP, PARTS };

struct block { /* the weights; as `dw`, their gradients */
    struct norm norm[PARTS];
    struct attention attention;
    struct cross cross; /* its weights are NULL in a block without that part */
    struct mlp mlp;
};

struct part_cache {
    const real *x; /* [N,C]: input, borrowed; set by forward */
    real *normed;  /* [N,C]: norm(x) or norm(sum) */
    real *sum;     /* [N,C]: a x + dropout(f(..)) */
    struct norm_cache norm;
};

struct block_cache {
    struct part_cache part[PARTS];
    struct attention_cache attention;
    struct cross_cache cross;
    struct mlp_cache mlp;
};

struct block_scratch { /* shared by all layers; only weights of attention in forward */
    real *a, *b;       /* [N,C] each */
    struct attention_scratch attention;
    struct cross_scratch cross;
    struct mlp_scratch mlp;
};

/* Returns the output [N,C], which lies in the cache. */
const real *block_forward(struct block_cache *cache, const real *x, const struct block *w,
                          const struct block_scratch *scratch, const struct pass *pass,
                          size_t l);

/* What block_forward() returned. */
const real *block_output(const struct block_cache *cache, const struct pass *pass);

/* dx [N,C], in place: gradient of the output becomes gradient of the input; dw  <- */
void block_backward(real *dx, const struct block *dw, const struct block_cache *cache,
                    const struct block *w, const struct block_scratch *scratch,
                    const struct pass *pass, size_t l);

#endif
