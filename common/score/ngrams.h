/* ngrams.h - how many n-grams of one sequence stand in others, too.
 *
 *      match[k-1] = sum over all different k-grams g of
 *                   min(count of g in s[0], largest count of g in one of s[1..n-1])
 *
 * This is the clipped count of BLEU (Papineni et al. 2002, section 2.1), of chrF with one
 * reference.  Exact: no hashes; k-grams are numbered by sorting, so the time is L log L
 * of the L ids in all, whatever they are.
 *
 * Pure functions, any thread.
 */
#ifndef SCORE_NGRAMS_H
#define SCORE_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct sequence {
    const uint32_t *ids; /* borrowed */
    size_t n;
};

size_t ngrams_count(size_t n, size_t order); /* k-grams of a sequence of @n ids */

/* match [orders] <- s [n >= 2], below 2^32 ids in all */
void ngrams_match(const struct sequence *s, size_t n, size_t orders, uint64_t *match);

#endif
