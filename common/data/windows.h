/* windows.h - how a text becomes samples, and how it is evaluated.
 *
 * Training.  A sample is T + 1 tokens: T inputs, and their T targets one further.  In
 * epoch e the samples start at
 *
 *      offset(e) + k T,     k = 0 .. n - 1,     n = floor((N - T) / T)
 *
 * with offset(e) in 0 .. T - 1 from Philox(seed, e): each epoch cuts the text elsewhere,
 * and all n samples fit whatever the offset.  Sample number g, counted over the whole
 * run, belongs to epoch g / n and is window order(g mod n) of it (order.h): no sample
 * comes twice in an epoch, and g is all there is to remember.
 *
 * Evaluation.  Held-out windows lie side by side from the start and do not overlap; the
 * last may be shorter.  Together they have each of the N - 1 predictions exactly once.
 *
 * Pure functions of their arguments; the tokens are borrowed.  Any thread.
 */
#ifndef DATA_WINDOWS_H
#define DATA_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "data/tokens.h"

struct windows {
    const struct tokens *tokens; /* read-only, borrowed */
    uint64_t seed;               /* read-only */
    size_t T;                    /* read-only: inputs per window */
    uint64_t n;                  /* read-only: samples per epoch, at least 1 */
};

/* ERR_DATA, logged: the text has fewer than 2 T tokens, or @tokens is NULL as that of a
 * dataset of pairs. */
int windows_init(struct windows *w, const struct tokens *tokens, size_t T, uint64_t seed);

/* out [T+1]  <-  sample number g */
void windows_get(const struct windows *w, uint64_t g, uint32_t *out);

/* Where sample g starts in the text. */
uint64_t windows_start(const struct windows *w, uint64_t g);

/* ERR_DATA, logged: the text has no prediction, that is fewer than 2 tokens. */
int held_out_count(const struct tokens *tokens, size_t T, uint64_t *count);

/* out [*length+1] <- window i < count; *length inputs, 1 to T. */
void held_out_get(const struct tokens *tokens, size_t T, uint64_t i, uint32_t *out,
                  size_t *length);

#endif
