/* batches.h - which pairs slice v of step s has: about as many tokens in each slice, each
 * pair once in an epoch.
 *
 * The cost of a pair is max(source + 1, target + 1) tokens: both sides get an end of
 * sentence (fairseq counts its max-tokens so).  With batch_tokens asked for, an epoch has
 *
 *      K = ceil(total cost / batch_tokens)
 *
 * steps, and K V slices, whatever its number.  In epoch e the pairs stand in the order of
 * order.h's permutation of (seed, e); x being the sum of the costs before a pair, slice j
 * of the epoch has the pairs with
 *
 *      j total / (K V)  <=  x  <  (j + 1) total / (K V)          in whole numbers,
 * exactly
 *
 * so that its cost is below total / (K V) + the longest, and it has a pair at least when
 * no pair is longer than total / (K V), which is asked for.  Step s has the slices r V to
 * r V + V - 1 of epoch s / K, with r = s mod K.
 *
 * With a pool of P pairs, each P successive pairs of the order are sorted by cost, and
 * then by their place in the order; the slices of a step are then of similar lengths.  So
 * that short and long ones do not take turns in a fixed way, r is what a permutation of
 * the K steps, keyed by (seed, e), makes of s mod K.
 *
 * Part of the determinism contract: for given pairs, seed, batch_tokens, V and P it never
 * changes.
 *
 * An epoch's table, 8 bytes per pair and slice, is made when the epoch is first asked
 * for, in the time of sorting the pools, and kept until another is.  One thread at a
 * time.
 */
#ifndef DATA_BATCHES_H
#define DATA_BATCHES_H

#include "data/order.h"
#include "data/parallel.h"

struct batches {
    /* read-only */
    const struct parallel *pairs; /* borrowed */
    uint64_t steps_per_epoch;     /* K */
    uint64_t cost;                /* of all pairs, tokens */
    uint32_t slices;              /* V, of a step */
    /* private */
    uint64_t seed, pool, epoch, count, longest;
    uint64_t *order; /* [count]: pair at each place of the epoch */
    uint64_t *start; /* [K V + 1]: place of the first pair of each slice */
    struct order steps;
};

/* @pool: 0 for none.  ERR_DATA, logged: there is no pair, or one is longer than what a
 * slice gets. */
int batches_init(struct batches *b, const struct parallel *pairs, uint64_t seed,
                 uint64_t batch_tokens, uint32_t slices, uint64_t pool);
void batches_fini(struct batches *b);

/* No slice costs more. */
uint64_t batches_largest(const struct batches *b);

/* Slice @v of @step has the samples *first to *first + *n - 1; *n is at least 1.  Samples
 * are numbered through the run: sample g is at place g mod count of epoch g / count. */
void batches_slice(struct batches *b, uint64_t step, uint32_t v, uint64_t *first,
                   uint64_t *n);
uint64_t batches_pair(struct batches *b, uint64_t sample); /* its number in the file */

/* Evaluation: the pairs in the order of the file; a slice is closed before the pair with
 * which it would cost more than @most, so a pair that costs more stands alone. */
struct held_out_batches {
    const struct parallel *pairs; /* read-only; borrowed */
    uint64_t slices;              /* read-only */
    uint64_t *start;              /* private: [slices + 1] */
};

/* ERR_DATA, logged: there is no pair. */
int held_out_batches_init(struct held_out_batches *h, const struct parallel *pairs,
                          uint64_t most);
void held_out_batches_fini(struct held_out_batches *h);

/* Slice @v < slices has the pairs *first to *first + *n - 1 of the file. */
void held_out_batches_slice(const struct held_out_batches *h, uint64_t v, uint64_t *first,
                            uint64_t *n);

#endif
