/* bpe_train.h - learning the merges of a BPE (Sennrich, Haddow, Birch 2016).
 *
 *      struct bpe_train *t = bpe_train_new(BPE_BYTES);
 *      TRY(bpe_train_add(t, text, bytes));             counts its words; any number of
 * times bpe_train_run(t, &options, pieces, &merges, &n);
 *
 * BPE_BYTES: words as GPT-2 splits them; tokens 0 to 255 are the bytes.
 * BPE_CHARACTERS: words between spaces, without the line feeds; tokens are symbols
 * (symbol.h), first the characters, as they come.  Merges and their order are those of
 * subword-nmt's learn-bpe.
 *
 * The most frequent pair of neighbours becomes a token, everywhere, and so on; of equally
 * frequent pairs the greater one (left bytes compared first, then right bytes), so that
 * the result is a function of the text alone.  Pairs do not cross words.  A pair whose
 * joined bytes are a token already merges into that one, so the vocabulary has no two
 * tokens of equal bytes.  A pair that would become "</w>" inside a word stays apart.
 *
 * Counts are kept up to date, not recounted: for each pair the places where it may stand,
 * and a heap with lazy corrections.  Time is about that of a sort of the distinct words'
 * bytes, whatever the number of merges.  One thread at a time.
 */
#ifndef TEXT_BPE_TRAIN_H
#define TEXT_BPE_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "text/intern.h"
#include "text/merger.h"

struct bpe_train_options {
    size_t tokens;      /* at most, with the bytes or characters; 0: any number */
    size_t merges;      /* at most; 0: any number */
    uint64_t min_count; /* rarer pairs are not merged */
    /* called every now and then, with tokens or merges; may be NULL */
    void (*progress)(void *ctx, size_t done, size_t wanted);
    void *progress_ctx;
};

struct bpe_train;

enum bpe_units { BPE_BYTES, BPE_CHARACTERS };

struct bpe_train *bpe_train_new(enum bpe_units units);
void bpe_train_free(struct bpe_train *t);

/* Valid UTF-8, without zero bytes for BPE_CHARACTERS. ERR_DATA; ERR_TOO_BIG when the
 * distinct words have more than 1 GiB. */
int bpe_train_add(struct bpe_train *t, const char *text, size_t bytes);

/* Once. @pieces receives the bytes of the tokens, by id; *merges, to be freed with
 * mem_free(), what was learned.  Fewer than wanted: the text has no more pairs. */
void bpe_train_run(struct bpe_train *t, const struct bpe_train_options *o,
                   struct intern *pieces, struct bpe_merge **merges, size_t *n);

#endif
