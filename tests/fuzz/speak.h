/* speak.h - true of every tokenizer that was loaded: text becomes tokens below V that are
 * the text again; where tokenizer_cut() cuts, the parts encode to the same tokens; what
 * it writes loads as an equal one. */
#ifndef FUZZ_SPEAK_H
#define FUZZ_SPEAK_H

#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

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
        check_tokens(t, ids, n, text, bytes);
        check_cut(t, text, bytes, ids, n);
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
