/* merger.h - the merges of a byte-pair encoding, applied to one word at a time (Sennrich,
 * Haddow, Birch 2016, arXiv:1508.07909).
 *
 *      uint32_t *ids = merger_word(m, n);              what the word begins as
 *      merger_run(m, NULL, out);                       what becomes of it
 *
 * As long as some neighbours are a known pair, the pair of lowest rank is joined,
 * leftmost first.  Merges come in the order in which they were learned: a pair's rank is
 * its place in the list.  What a token is - bytes, characters, with or without a mark at
 * the end of a word - is a matter of the caller.
 *
 * Each word goes through a heap of its pairs: n log n, even for a word of a megabyte.
 *
 * Dropout (Provilkov, Emelianenko, Voita 2020, arXiv:1910.13267): each time the best pair
 * is chosen, each pair is passed over with probability p.  With p = 0 nothing is, with
 * p = 1 everything, so that the word stays as it began.  Numbers: philox.h, counted by
 * the pairs that were up for choice in this word, in order of (rank, place), so that a
 * word's tokens are a function of (seed, epoch, sample, number of the word, its text).
 * It takes 1 / (1 - p) times as long.
 *
 * One thread at a time.
 */
#ifndef TEXT_MERGER_H
#define TEXT_MERGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/philox.h"
#include "text/ids.h"
#include "text/pairs.h"

struct bpe_merge {
    struct pair pair;
    uint32_t result;
};

struct merge_dropout {
    double p;              /* 0 to 1 */
    struct philox_key key; /* (seed, PHILOX_MERGES) */
    uint32_t epoch, sample, word;
};

struct merger;

/* Pairs must differ from one another. Copies @merges. */
struct merger *merger_new(const struct bpe_merge *merges, size_t n);
void merger_free(struct merger *m);

/* Room for the @n tokens, fewer than 2^31, that the next word begins as. */
uint32_t *merger_word(struct merger *m, size_t n);

/* Appends the tokens of the word. @dropout may be NULL. */
void merger_run(struct merger *m, const struct merge_dropout *dropout, struct ids *out);

size_t merger_count(const struct merger *m);
struct bpe_merge merger_get(const struct merger *m, size_t rank);

#endif
