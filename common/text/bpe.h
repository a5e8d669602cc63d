/* bpe.h - byte-pair encoding (Sennrich, Haddow, Birch 2016, arXiv:1508.07909) over bytes
 * (Radford et al. 2019).
 *
 * A word starts as the tokens of its bytes; as long as some neighbours are a known pair,
 * the pair of lowest rank is joined, leftmost first.  Merges come in the order in which
 * they were learned, so a pair's rank is its place in the list.
 *
 * Each word goes through a heap of its pairs: n log n, even for a word of a megabyte.
 * Text repeats its words, so the results are cached: at most 2^19 words of at most 64
 * bytes.  The cache makes encoding a matter for one thread at a time.
 */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "text/ids.h"
#include "text/pairs.h"

struct bpe_merge {
    struct pair pair;
    uint32_t result;
};

struct bpe;

/* @byte_id: the token of each byte. Pairs must differ from one another. Copies both. */
struct bpe *bpe_new(const uint32_t byte_id[256], const struct bpe_merge *merges,
                    size_t n);
void bpe_free(struct bpe *b);

/* Appends the tokens of @text, valid UTF-8 and shorter than 2 GiB. ERR_DATA, logged. */
int bpe_encode(struct bpe *b, const char *text, size_t bytes, struct ids *out);

/* The same for one word of any bytes, without cache. */
void bpe_encode_word(struct bpe *b, const char *word, size_t bytes, struct ids *out);

size_t bpe_merges(const struct bpe *b);
struct pair bpe_pair(const struct bpe *b, size_t rank);

#endif
