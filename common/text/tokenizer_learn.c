/* tokenizer_learn.c - tokenizers from a text: BPE over bytes; subwords, of which the
 * vocabulary is what the merges, learned or read, make of the text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/bpe_train.h"
#include "text/subword_merges.h"
#include "text/symbol.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"
#include "text/words.h"

enum { PIECE = 1 << 20 /* bytes encoded at a time, about */ };

/* --- bytes ----------------------------------------------------------------------------
 */

int tokenizer_train(const struct span *spans, size_t n,
                    const struct tokenizer_training *how, struct tokenizer **t)
{
    assert(how->vocab > 256);
    assert(how->vocab <= TOKENIZER_VOCAB_MAX);
    struct bpe_train *training = bpe_train_new(BPE_BYTES);
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = bpe_train_add(training, spans[i].text, spans[i].bytes);
    if (err) {
        bpe_train_free(training);
        return err;
    }
    const struct bpe_train_options options = {.tokens = how->vocab - 1,
                                              .min_count = 2,
                                              .progress = how->progress,
                                              .progress_ctx = how->progress_ctx};
    struct intern *pieces = intern_new();
    struct bpe_merge *merges;
    size_t count;
    bpe_train_run(training, &options, pieces, &merges, &count);
    bpe_train_free(training);

    /* In the text, "<|endoftext|>" is several words, so no learned token is equal to it.
     */
    const uint32_t end = intern_add(pieces, END_OF_TEXT, strlen(END_OF_TEXT));
    assert(end + 1 == intern_count(pieces));
    if (intern_count(pieces) < how->vocab)
        log_warn("tokenizer: the text gives %zu tokens, not %zu: no other pair occurs "
                 "twice; use more text or ask for fewer tokens",
                 intern_count(pieces), how->vocab);
    bool *special = mem_zalloc(intern_count(pieces) * sizeof *special);
    special[end] = true;
    err = tokenizer_from_merges(pieces, special, merges, count, "the text", t);
    mem_free(merges);
    return err;
}

/* --- subwords -------------------------------------------------------------------------
 */

/* One symbol that has a token of its own. */
struct type {
    uint64_t count;
    const char *symbol;
    size_t n;
    bool seen; /* a character of the text */
};

static int type_order(const void *a, const void *b)
{
    const struct type *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    const int order = memcmp(x->symbol, y->symbol, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

enum { INSIDE = 1, LAST = 2 };

/* seen[code]: where in words the character stands. */
static int mark_characters(struct span span, unsigned char *seen)
{
    uint32_t code;
    for (size_t at = 0, n; words_spaced(span.text, span.bytes, &at, &n); at += n)
        for (size_t i = 0, k; i < n; i += k) {
            k = utf8_next(span.text + at + i, n - i, &code);
            assert(k > 0);
            seen[code] |= i + k == n ? LAST : INSIDE;
        }
    if (!seen[0])
        return ERR_OK;
    log_error("could not make a tokenizer of subwords: there is a zero byte in the text; "
              "the tokenizers byte, gpt2 and bpe take it");
    return ERR_DATA;
}

/* The characters of @seen as symbols: *types, one for each symbol there is. */
static struct type *add_characters(struct intern *symbols, const unsigned char *seen)
{
    struct intern *characters = intern_new();
    for (uint32_t code = 0; code < UTF8_CODES; code++)
        for (int where = INSIDE; where <= LAST; where++) {
            char text[UTF8_BYTES], symbol[SYMBOL_CHARACTER];
            if (!(seen[code] & where))
                continue;
            const size_t n =
                symbol_character(text, utf8_encode(code, text), where == LAST, symbol);
            intern_add(symbols, symbol, n);
            intern_add(characters, symbol, n);
        }
    struct type *types = mem_zalloc(mem_mul(intern_count(symbols), sizeof *types));
    for (uint32_t i = 0; i < intern_count(symbols); i++) {
        types[i].symbol = intern_get(symbols, i, &types[i].n);
        types[i].seen =
            intern_find(characters, types[i].symbol, types[i].n) != INTERN_NONE;
    }
    intern_free(characters);
    return types;
}

static void count_span(struct subword *s, struct span span, struct type *types)
{
    struct ids ids = {0};
    for (size_t at = 0, end; at < span.bytes; at = end) {
        end = span.bytes - at <= PIECE
                  ? span.bytes
                  : words_spaced_cut(span.text, span.bytes, at + PIECE);
        ids.n = 0;
        subword_encode(s, span.text + at, end - at, NULL, &ids);
        for (size_t i = 0; i < ids.n; i++)
            types[ids.at[i]].count++;
    }
    ids_fini(&ids);
}

/* The special tokens, then @types in their order.  A symbol that reads like a special
 * token gets none of its own. */
static struct intern *number_types(struct type *types, size_t n)
{
    qsort(types, n, sizeof *types, type_order);
    struct intern *tokens = intern_new();
    intern_add(tokens, UNKNOWN, strlen(UNKNOWN));
    intern_add(tokens, END_OF_TEXT, strlen(END_OF_TEXT));
    for (size_t i = 0; i < n; i++)
        if (types[i].count || types[i].seen)
            intern_add(tokens, types[i].symbol, types[i].n);
    return tokens;
}

/* With the characters of the text, @m's symbols are all that it can consist of. */
static struct intern *make_tokens(struct subword_merges *m, const unsigned char *seen,
                                  const struct span *spans, size_t n)
{
    struct type *types = add_characters(m->symbols, seen);
    const size_t symbols = intern_count(m->symbols);
    struct subword *s = subword_new(m->symbols, m->list, m->n, 0);
    for (uint32_t i = 0; i < symbols; i++)
        subword_name(s, i, i);
    for (size_t i = 0; i < n; i++)
        count_span(s, spans[i], types);
    subword_free(s);
    struct intern *tokens = number_types(types, symbols);
    mem_free(types);
    return tokens;
}

static int learn(struct subword_merges *m, const struct span *spans, size_t n,
                 const struct tokenizer_subwords *how)
{
    struct bpe_train *training = bpe_train_new(BPE_CHARACTERS);
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = bpe_train_add(training, spans[i].text, spans[i].bytes);
    const struct bpe_train_options options = {.merges = how->merges,
                                              .min_count = 2,
                                              .progress = how->progress,
                                              .progress_ctx = how->progress_ctx};
    if (!err) {
        bpe_train_run(training, &options, m->symbols, &m->list, &m->n);
        if (m->n < how->merges)
            log_warn("tokenizer: the text gives %zu merges, not %zu: no other pair "
                     "occurs twice; use more text or ask for fewer merges",
                     m->n, how->merges);
    }
    bpe_train_free(training);
    return err;
}

static int take(struct subword_merges *m, const unsigned char *seen,
                const struct span *spans, size_t n, const char *origin,
                struct tokenizer **t)
{
    struct intern *tokens = make_tokens(m, seen, spans, n);
    const size_t vocab = intern_count(tokens);
    int err = ERR_OK;
    if (vocab > TOKENIZER_VOCAB_MAX) {
        log_error("the text has %zu different subwords, the limit is %d; ask for fewer "
                  "merges",
                  vocab, TOKENIZER_VOCAB_MAX);
        err = ERR_TOO_BIG;
    } else {
        bool *special = mem_zalloc(vocab * sizeof *special);
        special[0] = special[1] = true;
        err = tokenizer_from_subwords(m, tokens, special, origin, t);
    }
    intern_free(tokens);
    return err;
}

int tokenizer_subwords(const struct span *spans, size_t n,
                       const struct tokenizer_subwords *how, struct tokenizer **t)
{
    struct subword_merges m;
    subword_merges_init(&m);
    unsigned char *seen = mem_zalloc(UTF8_CODES);
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = mark_characters(spans[i], seen);
    if (!err)
        err = how->codes ? subword_merges_read(&m, how->codes) : learn(&m, spans, n, how);
    if (!err)
        err = take(&m, seen, spans, n, how->codes ? how->codes : "the text", t);
    mem_free(seen);
    subword_merges_fini(&m);
    return err;
}
