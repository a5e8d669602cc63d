/* stack.h - forward through a stack of blocks, the encoder's or the decoder's; training,
 * evaluation and generation go this way.
 *
 * No state but the workspace, laid out for the pass; no allocation, any thread.
 */
#ifndef NN_STACK_H
#define NN_STACK_H

#include <stdint.h>

#include "nn/pass.h"
#include "nn/workspace.h"
#include "tensor/real.h"

/* Returns what the blocks of the pass's stack make of its embedding x [N,C]. */
const real *stack_forward(const struct workspace *w, const real *theta, const real *x,
                          const struct pass *pass);

/* Makes the cache of block @l of the pass's stack what it was when stack_forward() came
 * by.  Of the last block it is still there; nothing else may compute blocks after that.
 */
void stack_again(const struct workspace *w, const real *theta, const struct pass *pass,
                 size_t l);

/* Returns the memory [M,C] <- source [M]: embedding, blocks and norm of the encoder. */
const real *stack_encode(struct workspace *w, const real *theta, const uint32_t *source,
                         const struct pass *pass);

#endif
