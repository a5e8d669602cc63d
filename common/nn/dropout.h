/* dropout.h - inverted dropout (Srivastava 2014) at the numbered places of the model.
 *
 * Whether an element is dropped is a pure function of
 *
 *      (seed, step, sample, site, index of the element within its sequence)
 *
 * so masks are never stored: backward asks again, and the same sample gets the same mask
 * in whatever slice it is computed.  Numbers: philox.h, the formula: tensor/rows.h.
 *
 * A site is a place in the model: 0 the embedding, then H + 2 for each block.  Other
 * kinds of place, and those of the encoder, have numbers of their own in higher bits.  If
 * you add a place, give it a new kind: numbers of old places are part of the result.
 */
#ifndef NN_DROPOUT_H
#define NN_DROPOUT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/philox.h"
#include "nn/sequences.h"
#include "tensor/real.h"
#include "tensor/rows.h"

struct dropout {
    bool on; /* false: evaluation, generation */
    struct philox_key key;
    uint32_t step;
    const uint64_t *samples; /* [B]; borrowed */
};

enum dropout_kind {
    DROPOUT_STREAM, /* the embedding, what self-attention and mlp add, their heads */
    DROPOUT_CROSS,  /* what cross-attention adds, its heads */
    DROPOUT_HIDDEN, /* the hidden rows of mlp */
    DROPOUT_WORD    /* whole rows of the embedding */
};

/* Places of a block, of kind stream and cross. */
enum dropout_place {
    DROPOUT_ATTENTION, /* what attention adds to the residual stream */
    DROPOUT_MLP,       /* what the feed-forward part adds */
    DROPOUT_HEAD       /* + h: attention weights of query head h */
};

enum { DROPOUT_NUMBER_BITS = 24, DROPOUT_KIND_BITS = 4 };

static inline uint32_t dropout_site(bool encoder, enum dropout_kind kind, size_t number)
{
    assert(number < (size_t)1 << DROPOUT_NUMBER_BITS);
    return ((uint32_t)encoder << DROPOUT_KIND_BITS | (uint32_t)kind)
               << DROPOUT_NUMBER_BITS |
           (uint32_t)number;
}

/* Number of a place in block @l; 0 is the embedding. */
static inline size_t dropout_number(size_t l, size_t H, size_t place)
{
    return 1 + l * (H + 2) + place;
}

/* The counters of sequence @b at @site. */
static inline struct rows_dropout_site dropout_at(const struct dropout *d, uint32_t site,
                                                  size_t b)
{
    return (struct rows_dropout_site){
        .key = d->key, .site = site, .sample = (uint32_t)d->samples[b], .step = d->step};
}

/* y [N,C]  <-  x [N,C], the elements of each sequence counted from 0; y may be x. */
static inline void dropout_apply(real *y, const real *x, const struct dropout *d,
                                 double p, uint32_t site, const struct sequences *of,
                                 size_t C)
{
    size_t first = 0;
    for (size_t b = 0; b < of->B; b++) {
        const size_t n = of->length[b] * C;
        rows_dropout(y + first, x + first, n, (real)p, dropout_at(d, site, b));
        first += n;
    }
}

#endif
