/* embed.h - tokens become rows of the residual stream.
 *
 *      x[b,t] = word_dropout(token[tokens[b,t]] * scale) + place[t]
 *
 * place: the learned table, or the waves of sinusoidal positions, or nothing (rotary
 * positions are the business of attention).  scale is sqrt(C) for sinusoidal positions
 * (Vaswani 2017, section 3.4: waves have amplitude 1, embeddings N(0, init_std)), else 1.
 * Word dropout takes away all of a token (Gal 2016); dropout of the sum follows.
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_EMBED_H
#define NN_EMBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/pass.h"
#include "tensor/real.h"

struct embed {      /* the weights; as `dw`, their gradients */
    real *token;    /* [V,C] */
    real *position; /* [s.T,C], or NULL */
};

/* x [N,C]  <-  tokens [N] */
void embed_forward(real *x, const uint32_t *tokens, struct embed w,
                   const struct pass *pass);

/* dw  <-  dx [N,C], which is overwritten.  With @add, dw.token holds what the output
 * projection put there and is added to. */
void embed_backward(struct embed dw, real *dx, const uint32_t *tokens, bool add,
                    const struct pass *pass);

#endif
