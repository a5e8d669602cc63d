#include "text/bpe.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "text/word_cache.h"
#include "text/words.h"

struct bpe {
    uint32_t byte_id[256];
    struct merger *merger;
    struct words *words;
    struct word_cache *cache;
};

struct bpe *bpe_new(const uint32_t byte_id[256], const struct bpe_merge *merges, size_t n)
{
    struct bpe *b = mem_zalloc(sizeof *b);
    memcpy(b->byte_id, byte_id, sizeof b->byte_id);
    b->merger = merger_new(merges, n);
    b->words = words_new();
    b->cache = word_cache_new();
    return b;
}

void bpe_free(struct bpe *b)
{
    if (!b)
        return;
    merger_free(b->merger);
    words_free(b->words);
    word_cache_free(b->cache);
    mem_free(b);
}

static void encode_word(struct bpe *b, const char *word, size_t bytes,
                        const struct merge_dropout *dropout, struct ids *out)
{
    uint32_t *ids = merger_word(b->merger, bytes);
    for (size_t i = 0; i < bytes; i++)
        ids[i] = b->byte_id[(unsigned char)word[i]];
    merger_run(b->merger, dropout, out);
}

/* The tokens of the word, from the cache or into it. */
static void encode_cached(struct bpe *b, const char *word, size_t bytes, struct ids *out)
{
    if (word_cache_get(b->cache, word, bytes, out))
        return;
    const size_t before = out->n;
    encode_word(b, word, bytes, NULL, out);
    word_cache_put(b->cache, word, bytes, out->at + before, out->n - before);
}

int bpe_encode(struct bpe *b, const char *text, size_t bytes,
               struct merge_dropout *dropout, struct ids *out)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        TRY(words_next(b->words, text, bytes, at, &n));
        if (dropout) {
            encode_word(b, text + at, n, dropout, out);
            dropout->word++;
        } else
            encode_cached(b, text + at, n, out);
    }
    return ERR_OK;
}

size_t bpe_merges(const struct bpe *b)
{
    return merger_count(b->merger);
}

struct pair bpe_pair(const struct bpe *b, size_t rank)
{
    return merger_get(b->merger, rank).pair;
}
