/* measure.h - what a slice is examined for on its way through the model, when asked
 * (metrics/statistics.def has the numbers).
 *
 * Layers look at what they have just computed and change nothing.  Sums are in double and
 * in a fixed order: the numbers, too, are a pure function of (theta, slice).
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_MEASURE_H
#define NN_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/statistics.h"
#include "tensor/real.h"

struct slice_statistics {
    struct block_statistics
        *block;       /* [E + L]: the encoder's, then the decoder's; borrowed */
    uint64_t correct; /* targets whose logit is the largest, the first of equals */
};

/* The root of the mean square of x [n], n > 0. */
double measure_rms(const real *x, size_t n);

/* zero, dead  <-  hidden [N,F] */
void measure_hidden(struct block_statistics *s, const real *hidden, size_t N, size_t F);

/* Entropies of rows of attention weights, each divided by the largest there could be. */
struct entropy {
    double sum;
    size_t rows;
};

/* e += the rows of a [T,S], rows @ld apart, which are those from @first on (rows.h): the
 * log of how many keys each looks at is the largest.  A row with one key says nothing and
 * is left out.  Bands of rows, one after the other, add up to the bits of the whole. */
void measure_weights(struct entropy *e, const real *a, size_t ld, size_t first, size_t T,
                     size_t S, bool causal);
/* Their mean; NAN: there was no row. */
double measure_entropy(const struct entropy *e);

/* In how many rows of logits [n,V] the target's is the largest, the first of equals. */
uint64_t measure_correct(const real *logits, const uint32_t *targets, size_t n, size_t V);

#endif
