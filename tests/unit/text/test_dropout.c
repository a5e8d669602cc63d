/* BPE-dropout: what it may change, and what not. */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

static const char story[] =
    "it was the best of times , it was the worst of times , it was the age of wisdom ,\n"
    "it was the age of foolishness , it was the epoch of belief , it was the epoch of\n"
    "incredulity , it was the season of light , it was the season of darkness , it\n"
    "was the spring of hope , it was the winter of d\xC3\xA9spair .\n";
enum { BYTES = sizeof story - 1 };

static const enum tokenizer_kind kinds[] = {TOKENIZER_BPE, TOKENIZER_SUBWORD};

static struct tokenizer *make(enum tokenizer_kind kind)
{
    const struct span span = {story, BYTES};
    struct tokenizer *t = NULL;
    if (kind == TOKENIZER_BYTE)
        return tokenizer_byte();
    if (kind == TOKENIZER_CHAR)
        assert_int_equal(tokenizer_char(&span, 1, &t), ERR_OK);
    else if (kind == TOKENIZER_BPE)
        assert_int_equal(
            tokenizer_train(&span, 1, &(struct tokenizer_training){.vocab = 300}, &t),
            ERR_OK);
    else
        assert_int_equal(
            tokenizer_subwords(&span, 1, &(struct tokenizer_subwords){.merges = 40}, &t),
            ERR_OK);
    return t;
}

struct list {
    uint32_t *ids;
    size_t n;
};

static struct list encode(struct tokenizer *t, const char *text, size_t bytes)
{
    struct list l;
    assert_int_equal(tokenizer_encode(t, text, bytes, &l.ids, &l.n), ERR_OK);
    return l;
}

static struct list drop(struct tokenizer *t, struct tokenizer_dropout d)
{
    struct list l;
    assert_int_equal(tokenizer_encode_dropout(t, story, BYTES, &d, &l.ids, &l.n), ERR_OK);
    return l;
}

static int same(struct list a, struct list b)
{
    return a.n == b.n && memcmp(a.ids, b.ids, a.n * sizeof *a.ids) == 0;
}

static void check_same(struct list a, struct list b)
{
    assert_true(same(a, b));
    mem_free(a.ids);
    mem_free(b.ids);
}

static char *decode(const struct tokenizer *t, struct list l)
{
    char *text = mem_alloc(4 * BYTES), *to = text;
    for (size_t i = 0; i < l.n; i++) {
        const char *piece;
        size_t n;
        tokenizer_piece(t, l.ids[i], &piece, &n);
        assert_true((size_t)(to - text) + n < 4 * BYTES);
        memcpy(to, piece, n);
        to += n;
    }
    *to = '\0';
    return text;
}

static void none_is_the_ordinary_encoding(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_SUBWORD; kind++) {
        struct tokenizer *t = make(kind);
        check_same(drop(t, (struct tokenizer_dropout){.p = 0, .seed = 3}),
                   encode(t, story, BYTES));
        tokenizer_free(t);
    }
}

static void all_is_one_token_for_each_character(void **state)
{
    (void)state;
    struct tokenizer *t = make(TOKENIZER_BPE);
    struct list l = drop(t, (struct tokenizer_dropout){.p = 1});
    assert_int_equal(l.n, BYTES);
    mem_free(l.ids);
    tokenizer_free(t);

    t = make(TOKENIZER_SUBWORD);
    l = drop(t, (struct tokenizer_dropout){.p = 1});
    size_t visible = 0; /* and the line feeds; a space has no token of its own */
    for (size_t i = 0; i < BYTES; i++)
        visible += story[i] != ' ' && ((unsigned char)story[i] & 0xC0) != 0x80;
    assert_int_equal(l.n, visible);
    assert_int_equal(tokenizer_unknown(t, l.ids, l.n), 0);
    mem_free(l.ids);
    tokenizer_free(t);
}

static void half_is_the_same_text_in_more_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tokenizer *t = make(kinds[i]);
        const struct list plain = encode(t, story, BYTES);
        const struct list half = drop(t, (struct tokenizer_dropout){.p = 0.5});
        const struct list all = drop(t, (struct tokenizer_dropout){.p = 1});
        assert_true(half.n > plain.n + plain.n / 10);
        assert_true(half.n < all.n);
        char *a = decode(t, plain), *b = decode(t, half);
        assert_string_equal(a, b);
        mem_free(a);
        mem_free(b);
        mem_free(plain.ids);
        mem_free(half.ids);
        mem_free(all.ids);
        tokenizer_free(t);
    }
}

static void it_is_a_function_of_seed_epoch_sample_and_word(void **state)
{
    (void)state;
    const struct tokenizer_dropout base = {.p = 0.3, .seed = 7, .epoch = 2, .sample = 5};
    struct tokenizer_dropout others[] = {base, base, base};
    others[0].seed = 8;
    others[1].epoch = 3;
    others[2].sample = 6;
    for (size_t i = 0; i < 2; i++) {
        struct tokenizer *t = make(kinds[i]);
        check_same(drop(t, base), drop(t, base));
        for (size_t k = 0; k < 3; k++) {
            const struct list a = drop(t, base), b = drop(t, others[k]);
            assert_false(same(a, b));
            mem_free(a.ids);
            mem_free(b.ids);
        }
        tokenizer_free(t);
    }
    /* one word over and over: not each time the same */
    struct tokenizer *t = make(TOKENIZER_SUBWORD);
    uint32_t *ids;
    size_t n, first = 0, differ = 0;
    static const char words[] =
        "times\ntimes\ntimes\ntimes\ntimes\ntimes\ntimes\ntimes\n";
    assert_int_equal(
        tokenizer_encode_dropout(t, words, sizeof words - 1, &base, &ids, &n), ERR_OK);
    const uint32_t line = ids[n - 1];
    while (ids[first] != line)
        first++;
    for (size_t at = 0, length; at < n; at += length + 1) {
        for (length = 0; ids[at + length] != line; length++)
            ;
        differ += length != first;
    }
    assert_true(differ > 0);
    mem_free(ids);
    tokenizer_free(t);
}

/* The first merge of "ab" is the only choice: it is passed over in a share p of all
 * words. */
static void the_share_that_is_passed_over_is_p(void **state)
{
    (void)state;
    enum { WORDS = 20000 };
    const struct span span = {"ab ab", 5};
    struct tokenizer *t;
    assert_int_equal(
        tokenizer_subwords(&span, 1, &(struct tokenizer_subwords){.merges = 1}, &t),
        ERR_OK);
    char *text = mem_alloc(3 * WORDS);
    for (size_t i = 0; i < WORDS; i++)
        memcpy(text + 3 * i, "ab ", 3);
    uint32_t *ids;
    size_t n;
    const struct tokenizer_dropout d = {.p = 0.1, .seed = 11};
    assert_int_equal(tokenizer_encode_dropout(t, text, 3 * WORDS, &d, &ids, &n), ERR_OK);
    const double share = (double)(n - WORDS) / WORDS;
    assert_true(fabs(share - 0.1) < 4 * sqrt(0.1 * 0.9 / WORDS));
    mem_free(ids);
    mem_free(text);
    tokenizer_free(t);
}

/* With p = 1/2 and the merges (a b), (c d</w>): abcd becomes ab cd when both are taken at
 * once, 1/4, or the second is taken first and the first at its second chance, 1/8. */
static void what_was_passed_over_may_be_merged_later(void **state)
{
    (void)state;
    enum { WORDS = 8000 };
    static const char codes[] = "#version: 0.2\na b\nc d</w>\n";
    const struct span span = {"abcd", 4};
    struct tokenizer *t;
    assert_int_equal(file_write_atomic("codes", codes, sizeof codes - 1), ERR_OK);
    assert_int_equal(
        tokenizer_subwords(&span, 1, &(struct tokenizer_subwords){.codes = "codes"}, &t),
        ERR_OK);
    size_t two = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t *ids;
        size_t n;
        const struct tokenizer_dropout d = {.p = 0.5, .sample = i};
        assert_int_equal(tokenizer_encode_dropout(t, "abcd", 4, &d, &ids, &n), ERR_OK);
        two += n == 2;
        mem_free(ids);
    }
    assert_true(fabs((double)two / WORDS - 0.375) < 4 * sqrt(0.375 * 0.625 / WORDS));
    tokenizer_free(t);
}

/* --- tokens as text and again ---------------------------------------------------------
 */

static struct list resegment(struct tokenizer *t, struct list from,
                             struct tokenizer_dropout d)
{
    struct list l;
    assert_int_equal(tokenizer_resegment(t, from.ids, from.n, &d, &l.ids, &l.n), ERR_OK);
    return l;
}

static void tokens_become_what_their_text_becomes(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_SUBWORD; kind++)
        for (int tenth = 0; tenth <= 10; tenth += 5) {
            struct tokenizer *t = make(kind);
            const struct tokenizer_dropout d = {
                .p = tenth / 10., .seed = 7, .epoch = 2, .sample = 5};
            const struct list plain = encode(t, story, BYTES);
            check_same(resegment(t, plain, d), drop(t, d));
            mem_free(plain.ids);
            tokenizer_free(t);
        }
}

/* Any part of the tokens is the same text afterwards, with its special tokens. */
static void a_part_keeps_its_text_and_its_special_tokens(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct tokenizer *t = make(kinds[k]);
        uint32_t end = 0;
        assert_true(tokenizer_end_of_text(t, &end));
        struct list all = encode(t, story, BYTES);
        all.ids[all.n / 2] = all.ids[all.n / 3] = end;
        for (size_t from = 0; from + 4 < all.n; from += 3) {
            const struct list part = {all.ids + from, all.n - from - from % 4};
            const struct list again = resegment(
                t, part, (struct tokenizer_dropout){.p = 0.5, .sample = (uint32_t)from});
            char *a = decode(t, part), *b = decode(t, again);
            assert_string_equal(a, b);
            size_t ends = 0;
            for (size_t i = 0; i < part.n; i++)
                ends += part.ids[i] == end;
            for (size_t i = 0; i < again.n; i++)
                ends -= again.ids[i] == end;
            assert_int_equal(ends, 0);
            mem_free(a);
            mem_free(b);
            mem_free(again.ids);
        }
        mem_free(all.ids);
        tokenizer_free(t);
    }
}

static void pieces_of_characters_and_words_at_the_ends_stay(void **state)
{
    (void)state;
    struct tokenizer *t = make(TOKENIZER_BPE);
    const struct tokenizer_dropout none = {.p = 0}, all = {.p = 1};
    uint32_t euro[] = {0xAC, ' ', 't', 'h', 'e', 0xE2, 0x82}, junk[] = {0xFF, 'a', 0xFF};
    struct list l = resegment(t, (struct list){euro, 7}, all);
    check_same(l, (struct list){memcpy(mem_alloc(sizeof euro), euro, sizeof euro), 7});
    l = resegment(t, (struct list){euro, 7}, none);
    assert_int_equal(l.n, 4); /* " the" is a token */
    assert_int_equal(l.ids[0], 0xAC);
    assert_int_equal(l.ids[3], 0x82);
    mem_free(l.ids);
    l = resegment(t, (struct list){junk, 3}, all);
    check_same(l, (struct list){memcpy(mem_alloc(sizeof junk), junk, sizeof junk), 3});
    tokenizer_free(t);

    t = make(TOKENIZER_SUBWORD);
    struct list word = encode(t, "xtimesx times xthex", 19); /* no x: <unk> */
    l = resegment(t, word, none);
    check_same(l, word);
    word = encode(t, "times spring", 12);
    word.n--; /* "spring" does not end */
    l = resegment(t, word, all);
    const struct list ending = encode(t, "times", 5);
    assert_int_equal(l.n, 5 + word.n - ending.n); /* t i m e s, and what was there */
    assert_int_equal(l.ids[l.n - 1], word.ids[word.n - 1]);
    mem_free(ending.ids);
    mem_free(l.ids);
    mem_free(word.ids);
    tokenizer_free(t);
}

RUN(T(none_is_the_ordinary_encoding), T(all_is_one_token_for_each_character),
    T(half_is_the_same_text_in_more_tokens),
    T(it_is_a_function_of_seed_epoch_sample_and_word),
    T(the_share_that_is_passed_over_is_p), T(what_was_passed_over_may_be_merged_later),
    T(tokens_become_what_their_text_becomes),
    T(a_part_keeps_its_text_and_its_special_tokens),
    T(pieces_of_characters_and_words_at_the_ends_stay))
