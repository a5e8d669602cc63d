#include "text/subword.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "text/symbol.h"
#include "text/word_cache.h"
#include "text/words.h"

#define NONE UINT32_MAX

struct subword {
    const struct intern *symbols;
    uint32_t symbols_n; /* also stands for a character that is none of them */
    struct merger *merger;
    uint32_t *made;  /* [symbols_n] the first merge that results in it, or NONE */
    uint32_t *token; /* [symbols_n] or NONE */
    uint32_t unknown;
    uint32_t line; /* the symbol, or NONE */
    struct word_cache *cache;
    struct ids merged, stack; /* of one word */
};

struct subword *subword_new(const struct intern *symbols, const struct bpe_merge *merges,
                            size_t n, uint32_t unknown)
{
    struct subword *s = mem_zalloc(sizeof *s);
    *s = (struct subword){
        .symbols = symbols,
        .symbols_n = (uint32_t)intern_count(symbols),
        .merger = merger_new(merges, n),
        .made = mem_alloc(mem_mul(intern_count(symbols), sizeof *s->made)),
        .token = mem_alloc(mem_mul(intern_count(symbols), sizeof *s->token)),
        .unknown = unknown,
        .line = intern_find(symbols, SYMBOL_LINE, strlen(SYMBOL_LINE)),
        .cache = word_cache_new()};
    for (uint32_t i = 0; i < s->symbols_n; i++)
        s->made[i] = s->token[i] = NONE;
    for (size_t rank = n; rank-- > 0;)
        s->made[merges[rank].result] = (uint32_t)rank;
    return s;
}

void subword_free(struct subword *s)
{
    if (!s)
        return;
    merger_free(s->merger);
    mem_free(s->made);
    mem_free(s->token);
    word_cache_free(s->cache);
    ids_fini(&s->merged);
    ids_fini(&s->stack);
    mem_free(s);
}

void subword_name(struct subword *s, uint32_t symbol, uint32_t token)
{
    assert(symbol < s->symbols_n);
    s->token[symbol] = token;
}

/* The symbol's token, or those of its parts.  The parts are shorter: it ends. */
static void push_tokens(struct subword *s, uint32_t symbol, struct ids *out)
{
    s->stack.n = 0;
    ids_push(&s->stack, symbol);
    while (s->stack.n) {
        const uint32_t top = s->stack.at[--s->stack.n];
        if (top < s->symbols_n && s->token[top] != NONE)
            ids_push(out, s->token[top]);
        else if (top < s->symbols_n && s->made[top] != NONE) {
            const struct pair pair = merger_get(s->merger, s->made[top]).pair;
            ids_push(&s->stack, pair.right);
            ids_push(&s->stack, pair.left);
        } else
            ids_push(out, s->unknown);
    }
}

static uint32_t find_character(const struct subword *s, const char *text, size_t n,
                               bool last)
{
    char symbol[SYMBOL_CHARACTER];
    const uint32_t id =
        intern_find(s->symbols, symbol, symbol_character(text, n, last, symbol));
    return id == INTERN_NONE ? s->symbols_n : id;
}

static void encode_word(struct subword *s, const char *word, size_t bytes,
                        const struct merge_dropout *dropout, struct ids *out)
{
    uint32_t *ids = merger_word(s->merger, utf8_count(word, bytes)), code;
    for (size_t at = 0, n; at < bytes; at += n) {
        n = utf8_next(word + at, bytes - at, &code);
        *ids++ = find_character(s, word + at, n, at + n == bytes);
    }
    s->merged.n = 0;
    merger_run(s->merger, dropout, &s->merged);
    for (size_t i = 0; i < s->merged.n; i++)
        push_tokens(s, s->merged.at[i], out);
}

static void encode_cached(struct subword *s, const char *word, size_t bytes,
                          struct ids *out)
{
    if (word_cache_get(s->cache, word, bytes, out))
        return;
    const size_t before = out->n;
    encode_word(s, word, bytes, NULL, out);
    word_cache_put(s->cache, word, bytes, out->at + before, out->n - before);
}

void subword_encode(struct subword *s, const char *text, size_t bytes,
                    struct merge_dropout *dropout, struct ids *out)
{
    for (size_t at = 0, n; words_spaced(text, bytes, &at, &n); at += n) {
        if (text[at] == '\n') {
            if (s->line != NONE && s->token[s->line] != NONE)
                ids_push(out, s->token[s->line]);
        } else if (dropout) {
            encode_word(s, text + at, n, dropout, out);
            dropout->word++;
        } else
            encode_cached(s, text + at, n, out);
    }
}

size_t subword_merges(const struct subword *s)
{
    return merger_count(s->merger);
}

struct pair subword_pair(const struct subword *s, size_t rank)
{
    return merger_get(s->merger, rank).pair;
}
