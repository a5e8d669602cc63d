#include "text/word_cache.h"

#include <string.h>

#include "base/mem.h"
#include "text/intern.h"

enum { WORDS = 1 << 19, WORD_BYTES = 64 };

struct word_cache {
    struct intern *words;
    size_t *end; /* [WORDS] where the ids of a word end */
    struct ids ids;
};

struct word_cache *word_cache_new(void)
{
    struct word_cache *c = mem_zalloc(sizeof *c);
    c->words = intern_new();
    c->end = mem_alloc(WORDS * sizeof *c->end);
    return c;
}

void word_cache_free(struct word_cache *c)
{
    if (!c)
        return;
    intern_free(c->words);
    mem_free(c->end);
    ids_fini(&c->ids);
    mem_free(c);
}

bool word_cache_get(const struct word_cache *c, const char *word, size_t bytes,
                    struct ids *out)
{
    if (bytes > WORD_BYTES)
        return false;
    const uint32_t number = intern_find(c->words, word, bytes);
    if (number == INTERN_NONE)
        return false;
    const size_t first = number ? c->end[number - 1] : 0, n = c->end[number] - first;
    memcpy(ids_reserve(out, n), c->ids.at + first, n * sizeof *out->at);
    out->n += n;
    return true;
}

void word_cache_put(struct word_cache *c, const char *word, size_t bytes,
                    const uint32_t *ids, size_t n)
{
    if (bytes > WORD_BYTES || intern_count(c->words) == WORDS)
        return;
    const uint32_t number = intern_add(c->words, word, bytes);
    memcpy(ids_reserve(&c->ids, n), ids, n * sizeof *ids);
    c->ids.n += n;
    c->end[number] = c->ids.n;
}
