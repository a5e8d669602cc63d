/* speak.h - true of every tokenizer that was loaded: text becomes tokens below V that are
 * the text again; where tokenizer_cut() cuts, the parts encode to the same tokens; with
 * dropout it is the same text; the tokens again as tokens are those of the text; what it
 * writes loads as an equal one. */
#ifndef FUZZ_SPEAK_H
#define FUZZ_SPEAK_H

#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"
#include "text/words.h"

/* Of subwords: the text with one space behind each word, and none elsewhere; line feeds
 * only if they are tokens.  <unk> stands for any one character. */
static inline void check_subwords(const struct tokenizer *t, const uint32_t *ids,
                                  size_t n, const char *text, size_t bytes)
{
    size_t i = 0, k = 0; /* token, and byte of it */
    const bool lines = intern_find(t->pieces, "\n", 1) != INTERN_NONE;
    for (size_t at = 0, length; words_spaced(text, bytes, &at, &length); at += length) {
        if (text[at] == '\n' && !lines)
            continue;
        for (size_t c = 0, width; c <= length; c += width) {
            const char *piece;
            size_t piece_n;
            uint32_t code;
            width = c < length ? utf8_next(text + at + c, length - c, &code) : 1;
            if (c == length && k == 0) { /* no space behind it */
                CHECK(text[at] == '\n' || ids[i - 1] == t->unknown);
                break;
            }
            CHECK(i < n && ids[i] < tokenizer_vocab(t));
            tokenizer_piece(t, ids[i], &piece, &piece_n);
            if (ids[i] == t->unknown)
                k = piece_n;
            else {
                const char *expected = c < length ? text + at + c : " ";
                CHECK(width <= piece_n - k && memcmp(piece + k, expected, width) == 0);
                k += width;
            }
            i += k == piece_n;
            k = k == piece_n ? 0 : k;
        }
    }
    CHECK(i == n && k == 0);
}

static inline void check_tokens(const struct tokenizer *t, const uint32_t *ids, size_t n,
                                const char *text, size_t bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const char *piece;
        size_t k;
        CHECK(ids[i] < tokenizer_vocab(t));
        tokenizer_piece(t, ids[i], &piece, &k);
        CHECK(k > 0 && k <= bytes - at && memcmp(piece, text + at, k) == 0);
        at += k;
    }
    CHECK(at == bytes);
}

static inline void check_cut(struct tokenizer *t, const char *text, size_t bytes,
                             const uint32_t *ids, size_t n)
{
    uint32_t *a, *b = NULL;
    size_t a_n, b_n;
    const size_t cut = tokenizer_cut(t, text, bytes, bytes / 2);
    CHECK(cut <= bytes);
    CHECK(tokenizer_encode(t, text, cut, &a, &a_n) == ERR_OK);
    CHECK(tokenizer_encode(t, text + cut, bytes - cut, &b, &b_n) == ERR_OK);
    CHECK(a_n + b_n == n && (!a_n || memcmp(a, ids, a_n * sizeof *a) == 0));
    CHECK(!b_n || memcmp(b, ids + a_n, b_n * sizeof *b) == 0);
    mem_free(a);
    mem_free(b);
}

static inline void check_dropout(struct tokenizer *t, const char *text, size_t bytes,
                                 const uint32_t *ids, size_t n)
{
    const struct tokenizer_dropout none = {.p = 0}, half = {.p = 0.5, .seed = bytes};
    uint32_t *other;
    size_t m;
    CHECK(tokenizer_encode_dropout(t, text, bytes, &half, &other, &m) == ERR_OK);
    (tokenizer_kind(t) == TOKENIZER_SUBWORD ? check_subwords : check_tokens)(t, other, m,
                                                                             text, bytes);
    mem_free(other);
    CHECK(tokenizer_resegment(t, ids, n, &none, &other, &m) == ERR_OK);
    CHECK(m == n && (!n || memcmp(ids, other, n * sizeof *ids) == 0));
    mem_free(other);
}

static inline void check_speaks(struct tokenizer *t, const char *text, size_t bytes)
{
    uint32_t *ids;
    size_t n;
    const int err = tokenizer_encode(t, text, bytes, &ids, &n);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (err) /* not UTF-8, or a character that has no token */
        CHECK(utf8_check(text, bytes, NULL) != ERR_OK ||
              tokenizer_kind(t) == TOKENIZER_CHAR);
    else {
        (tokenizer_kind(t) == TOKENIZER_SUBWORD ? check_subwords
                                                : check_tokens)(t, ids, n, text, bytes);
        check_cut(t, text, bytes, ids, n);
        check_dropout(t, text, bytes, ids, n);
        mem_free(ids);
    }
}

static inline void check_writes(const struct tokenizer *t, const void *input, size_t n)
{
    if (hash64(input, n) % 4 != 0)
        return;
    struct tokenizer *again;
    char before[HASH_HEX], after[HASH_HEX];
    size_t bytes;
    char *text = tokenizer_write(t, &bytes);
    CHECK(tokenizer_load(fuzz_file(text, bytes), &again) == ERR_OK);
    free(text);
    tokenizer_hash(t, before);
    tokenizer_hash(again, after);
    CHECK(strcmp(before, after) == 0 && tokenizer_kind(t) == tokenizer_kind(again));
    tokenizer_free(again);
}

#endif
