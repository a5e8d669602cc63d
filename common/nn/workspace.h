/* workspace.h - where the activations of one compute thread lie.
 *
 * One slab, sized once for the largest slice; each call of the transformer lays its
 * activations out anew from the start of it.  The same code measures and lays out
 * (tensor/arena.h), so the two cannot disagree.
 *
 * Without a backward pass the blocks of a stack share one set of caches.  With one they
 * have one each; or, where blocks are computed again (transformer.h), they share one,
 * too, and each has its input kept.
 */
#ifndef NN_WORKSPACE_H
#define NN_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/block.h"
#include "nn/loss.h"
#include "nn/transformer.h"
#include "tensor/arena.h"

/* A stack of blocks and what goes through it. */
struct stack {
    uint32_t *tokens;           /* [N] */
    real *x;                    /* [N,C]: the embedding */
    real *dx;                   /* [N,C]: gradient of the residual stream */
    real *inputs;               /* [blocks - 1, N, C]: of all blocks but the first, whose
                                   input is x; NULL: they are in the caches */
    struct block_cache *blocks; /* one each, or one for all; itself owned */
};

struct workspace {               /* private to nn */
    const struct transformer *t; /* borrowed */
    size_t rows;
    bool backward;
    struct arena arena;
    struct gemm gemm;     /* not in the arena: it stays */
    real *waves, *angles; /* positions.h; not in the arena: they stay */

    /* laid out by workspace_place() */
    struct stack decoder, encoder; /* without an encoder the second is empty */
    uint32_t *targets;             /* [N] */
    struct block_scratch scratch;
    struct head_cache head;
    /* behind the encoder's blocks, when there is a norm */
    real *memory; /* [M,C] */
    struct norm_cache memory_norm;
};

/* Lay out for @of, and @source when there is an encoder; asserts that they fit. */
void workspace_place(struct workspace *w, const struct sequences *of,
                     const struct sequences *source);

/* The caches of block @l of a stack: SECTION_ENCODER, SECTION_DECODER. */
struct block_cache *workspace_block(const struct workspace *w, enum section stack,
                                    size_t l);

/* Do the blocks of a pass forward and backward share their cache? */
bool workspace_recomputes(const struct workspace *w);

/* Where then the input [N,C] of block @l is kept, of a pass over @N rows. */
real *workspace_input(const struct workspace *w, enum section stack, size_t l, size_t N);

#endif
