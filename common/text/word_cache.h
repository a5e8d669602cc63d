/* word_cache.h - the tokens of words that were encoded before: text repeats its words.
 * At most 2^19 words of at most 64 bytes.  One thread at a time. */
#ifndef TEXT_WORD_CACHE_H
#define TEXT_WORD_CACHE_H

#include <stdbool.h>

#include "text/ids.h"

struct word_cache;

struct word_cache *word_cache_new(void);
void word_cache_free(struct word_cache *c);

/* Appends the tokens of the word to @out, if they are known. */
bool word_cache_get(const struct word_cache *c, const char *word, size_t bytes,
                    struct ids *out);

/* Remembers them, if there is room. */
void word_cache_put(struct word_cache *c, const char *word, size_t bytes,
                    const uint32_t *ids, size_t n);

#endif
