/* bpe.h - byte-pair encoding over bytes (Radford et al. 2019): text is split into GPT-2's
 * words (words.h), a word begins as the tokens of its bytes, merger.h joins them.
 *
 * Words are cached (word_cache.h), which makes encoding a matter for one thread at a
 * time.
 */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "text/ids.h"
#include "text/merger.h"

struct bpe;

/* @byte_id: the token of each byte. Pairs must differ from one another. Copies both. */
struct bpe *bpe_new(const uint32_t byte_id[256], const struct bpe_merge *merges,
                    size_t n);
void bpe_free(struct bpe *b);

/* Appends the tokens of @text, valid UTF-8 and shorter than 2 GiB. @dropout may be NULL;
 * its .word is the number of the first word, and advances.  With it there is no cache.
 * ERR_DATA, logged. */
int bpe_encode(struct bpe *b, const char *text, size_t bytes,
               struct merge_dropout *dropout, struct ids *out);

size_t bpe_merges(const struct bpe *b);
struct pair bpe_pair(const struct bpe *b, size_t rank);

#endif
