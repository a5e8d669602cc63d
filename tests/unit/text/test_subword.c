/* Subwords: against the definition on small texts, and against what subword-nmt made of
 * Multi30k (lower-cased, tokenized; a published file of 10,000 joint merges and the texts
 * it was applied to). */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/text_file.h"
#include "text/subword_merges.h"
#include "text/tokenizer_parts.h"

#define TOK   TEST_SHARED "/data/multi30k-en-de-tok/"
#define BPE   TEST_SHARED "/data/multi30k-en-de-bpe/"
#define CODES BPE "code"

static struct tokenizer *make(const char *codes, const char *text)
{
    const struct span span = {text, strlen(text)};
    struct tokenizer *t = NULL;
    if (codes)
        assert_int_equal(file_write_atomic("codes", codes, strlen(codes)), ERR_OK);
    const struct tokenizer_subwords how = {.codes = codes ? "codes" : NULL, .merges = 10};
    assert_int_equal(tokenizer_subwords(&span, 1, &how, &t), ERR_OK);
    return t;
}

/* Tokens as subword-nmt prints them: "@@ " where a word goes on. Returns the length. */
static size_t print(const struct tokenizer *t, const uint32_t *ids, size_t n, char *out)
{
    char *to = out;
    for (size_t i = 0; i < n; i++) {
        const char *piece;
        size_t k;
        tokenizer_piece(t, ids[i], &piece, &k);
        memcpy(to, piece, k);
        to += k;
        if (piece[k - 1] != ' ' && piece[k - 1] != '\n')
            to += sprintf(to, "@@ ");
        if (piece[k - 1] == '\n' && to - out > 1)
            memmove(to - 2, "\n", 1), to--; /* the space before a line feed */
    }
    *to = '\0';
    return (size_t)(to - out);
}

static void expect(struct tokenizer *t, const char *text, const char *tokens)
{
    char out[1024];
    uint32_t *ids;
    size_t n;
    for (int again = 0; again < 2; again++) { /* from the cache */
        assert_int_equal(tokenizer_encode(t, text, strlen(text), &ids, &n), ERR_OK);
        print(t, ids, n, out);
        assert_string_equal(out, tokens);
        mem_free(ids);
    }
}

static void words_are_joined_in_the_order_of_the_codes(void **state)
{
    (void)state;
    struct tokenizer *t = make("#version: 0.2\n"
                               "e r</w>\r\n"
                               "o w</w> \n"
                               "l o\n"
                               "lo w\n"
                               "e r</w>\n" /* again: says nothing */
                               "w er</w>\n",
                               "low lower\nwer l o  w e r\n");
    expect(t, "low", "l@@ ow ");
    expect(t, "lower", "low@@ er ");
    expect(t, "  low\r\nlower  wer ", "l@@ ow\nlow@@ er wer ");
    expect(t, "", "");
    expect(t, "wolow", "w@@ o@@ l@@ ow ");
    tokenizer_free(t);
}

/* "lo" and "wer" are merges, but the text has no such tokens. */
static void what_the_text_does_not_have_is_taken_apart(void **state)
{
    (void)state;
    struct tokenizer *t = make("#version: 0.2\nl o\nlo w</w>\nw e\nwe r</w>\n", "low we");
    expect(t, "low loop we wer", "low l@@ o@@ o@@ <unk>@@ w@@ e w@@ <unk>@@ <unk>@@ ");
    tokenizer_free(t);
}

static void tokens_are_numbered_by_how_often_they_occur(void **state)
{
    (void)state;
    struct tokenizer *t =
        make("#version: 0.2\na b\nab c</w>\n", "b b b\nabc b ab\na ab c");
    /* b</w> 6: b b b b, and twice behind a; a 2; then the ties by their bytes; then
     * characters that only stand in longer ones */
    static const char *const pieces[] = {"<unk>", "<|endoftext|>", "b ", "\n", "a",
                                         "a ",    "abc ",          "c ", "b"};
    assert_int_equal(tokenizer_vocab(t), 9);
    for (uint32_t id = 0; id < 9; id++) {
        const char *piece;
        size_t n;
        tokenizer_piece(t, id, &piece, &n);
        assert_int_equal(n, strlen(pieces[id]));
        assert_memory_equal(piece, pieces[id], n);
    }
    uint32_t end;
    assert_true(tokenizer_end_of_text(t, &end));
    assert_int_equal(end, 1);
    tokenizer_free(t);
}

static void no_text_says_a_special_token(void **state)
{
    (void)state;
    static const char text[] = "<unk> <unk>x <|endoftext|> <|endoftext|>x x</w>y </w>";
    char doubled[2 * sizeof text], out[1024];
    snprintf(doubled, sizeof doubled, "%s %s", text, text);
    const struct span span = {doubled, strlen(doubled)};
    struct tokenizer *t;
    uint32_t *ids;
    size_t n, length = 0;
    assert_int_equal(
        tokenizer_subwords(&span, 1, &(struct tokenizer_subwords){.merges = 1000}, &t),
        ERR_OK);
    assert_int_equal(tokenizer_encode(t, text, strlen(text), &ids, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        const char *piece;
        size_t k;
        assert_true(ids[i] > 1);
        tokenizer_piece(t, ids[i], &piece, &k);
        memcpy(out + length, piece, k);
        length += k;
    }
    assert_int_equal(length, sizeof text); /* a space at the end */
    assert_memory_equal(out, text, strlen(text));
    mem_free(ids);
    tokenizer_free(t);
}

static void unknown_characters_are_counted(void **state)
{
    (void)state;
    struct tokenizer *t = make(NULL, "low low lower lower");
    uint32_t *ids;
    size_t n;
    static const char text[] = "low \xE2\x82\xAC lo\xE2\x82\xAC\xE2\x82\xAC <unk>";
    assert_int_equal(tokenizer_encode(t, text, strlen(text), &ids, &n), ERR_OK);
    assert_int_equal(tokenizer_unknown(t, ids, n), 1 + 2 + 5); /* < u n k > */
    uint32_t unknown;
    assert_true(tokenizer_unknown_token(t, &unknown));
    assert_int_equal(tokenizer_unknown(t, &unknown, 1), 1);
    mem_free(ids);
    assert_int_equal(tokenizer_encode(t, "low lower", 9, &ids, &n), ERR_OK);
    assert_int_equal(tokenizer_unknown(t, ids, n), 0);
    mem_free(ids);
    tokenizer_free(t);
}

static void wrong_codes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "e r</w>\n",
        "#version: 0.1\ne r</w>\n",
        "#version: 0.2\n\n",
        "#version: 0.2\ner</w>\n",
        "#version: 0.2\ne  r\n",
        "#version: 0.2\n e\n",
        "#version: 0.2\ne r s\n",
        "#version: 0.2\ne </w>\n",
        "#version: 0.2\ne</w> r\n",
        "#version: 0.2\ne</w> r</w>\n",
        "#version: 0.2\n</w >\n",
        "#version: 0.2\nx< /w>\n",
        "#version: 0.2\n\xFF r\n",
    };
    struct subword_merges m;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        subword_merges_init(&m);
        assert_int_equal(file_write_atomic("codes", bad[i], strlen(bad[i])), ERR_OK);
        if (subword_merges_read(&m, "codes") != ERR_DATA)
            fail_msg("accepted: %s", bad[i]);
        subword_merges_fini(&m);
    }
    subword_merges_init(&m);
    assert_int_equal(file_write_atomic("codes", "#version: 0.2\na\0 b\n", 19), ERR_OK);
    assert_int_equal(subword_merges_read(&m, "codes"), ERR_DATA);
    assert_int_equal(subword_merges_read(&m, "no such file"), ERR_NO_FILE);
    subword_merges_fini(&m);

    struct tokenizer *t;
    const struct span zero = {"a\0b", 3};
    assert_int_equal(
        tokenizer_subwords(&zero, 1, &(struct tokenizer_subwords){.merges = 5}, &t),
        ERR_DATA);
}

/* --- Multi30k --------------------------------------------------------------------------
 */

static struct span read_text(const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    assert_int_equal(text_file_read(path, 64 << 20, &text, &bytes), ERR_OK);
    return (struct span){text, bytes};
}

static void need_multi30k(void)
{
    if (!file_exists(CODES)) {
        printf("skipped: no " CODES "\n");
        skip();
    }
}

static void merges_of_multi30k_are_those_of_subword_nmt(void **state)
{
    (void)state;
    need_multi30k();
    const struct span sides[] = {read_text(TOK "train.lc.norm.tok.de.gz"),
                                 read_text(TOK "train.lc.norm.tok.en.gz")};
    struct tokenizer *t;
    assert_int_equal(
        tokenizer_subwords(sides, 2, &(struct tokenizer_subwords){.merges = 10000}, &t),
        ERR_OK);
    struct subword_merges m;
    subword_merges_init(&m);
    assert_int_equal(subword_merges_read(&m, CODES), ERR_OK);
    assert_int_equal(m.n, 10000);
    assert_int_equal(subword_merges(t->subword), m.n);
    for (uint32_t rank = 0; rank < m.n; rank++) {
        const struct pair ours = subword_pair(t->subword, rank),
                          theirs = m.list[rank].pair;
        for (int right = 0; right < 2; right++) {
            size_t n, k;
            const char *a = intern_get(t->symbols, right ? ours.right : ours.left, &n);
            const char *b = intern_get(m.symbols, right ? theirs.right : theirs.left, &k);
            if (n != k || memcmp(a, b, n) != 0)
                fail_msg("merge %u is another", rank + 1);
        }
    }
    subword_merges_fini(&m);
    tokenizer_free(t);
    for (int i = 0; i < 2; i++)
        mem_free((void *)sides[i].text);
}

/* Lines that differ. */
static size_t compare_lines(struct span ours, struct span theirs)
{
    size_t differ = 0;
    while (ours.bytes && theirs.bytes) {
        const size_t n = strcspn(ours.text, "\n"), k = strcspn(theirs.text, "\n");
        differ += n != k || memcmp(ours.text, theirs.text, n) != 0;
        ours = (struct span){ours.text + n + 1, ours.bytes - n - 1};
        theirs = (struct span){theirs.text + k + 1, theirs.bytes - k - 1};
    }
    assert_int_equal(ours.bytes + theirs.bytes, 0);
    return differ;
}

static size_t apply_and_compare(struct tokenizer *t, const char *path, struct span text)
{
    const struct span theirs = read_text(path);
    char *ours = mem_alloc(6 * text.bytes + 1);
    uint32_t *ids;
    size_t n;
    assert_int_equal(tokenizer_encode(t, text.text, text.bytes, &ids, &n), ERR_OK);
    assert_int_equal(tokenizer_unknown(t, ids, n), 0);
    const size_t bytes = print(t, ids, n, ours);
    const size_t differ = compare_lines((struct span){ours, bytes}, theirs);
    mem_free(ids);
    mem_free(ours);
    mem_free((void *)theirs.text);
    return differ;
}

/* With all texts in the vocabulary. The published train.en has one line of which the text
 * is another. */
static void codes_applied_give_the_lines_of_subword_nmt(void **state)
{
    (void)state;
    need_multi30k();
    static const struct {
        const char *tok, *bpe;
        size_t differ;
    } files[] = {{TOK "train.lc.norm.tok.de.gz", BPE "train.de.gz", 0},
                 {TOK "train.lc.norm.tok.en.gz", BPE "train.en.gz", 1},
                 {TOK "val.lc.norm.tok.de.gz", BPE "valid.de", 0},
                 {TOK "val.lc.norm.tok.en.gz", BPE "valid.en", 0},
                 {TOK "test_2016_flickr.lc.norm.tok.de.gz", BPE "test.2016.de", 0},
                 {TOK "test_2016_flickr.lc.norm.tok.en.gz", BPE "test.2016.en", 0},
                 {TOK "test_2017_flickr.lc.norm.tok.de.gz", BPE "test.2017.de", 0},
                 {TOK "test_2017_flickr.lc.norm.tok.en.gz", BPE "test.2017.en", 0},
                 {TOK "test_2017_mscoco.lc.norm.tok.de.gz", BPE "test.coco.de", 0},
                 {TOK "test_2017_mscoco.lc.norm.tok.en.gz", BPE "test.coco.en", 0}};
    enum { FILES = sizeof files / sizeof *files };
    struct span texts[FILES];
    struct tokenizer *t;
    for (int i = 0; i < FILES; i++)
        texts[i] = read_text(files[i].tok);
    assert_int_equal(tokenizer_subwords(texts, FILES,
                                        &(struct tokenizer_subwords){.codes = CODES}, &t),
                     ERR_OK);
    for (int i = 0; i < FILES; i++) {
        const size_t differ = apply_and_compare(t, files[i].bpe, texts[i]);
        if (differ != files[i].differ)
            fail_msg("%s: %zu lines differ", files[i].bpe, differ);
    }
    tokenizer_free(t);
    for (int i = 0; i < FILES; i++)
        mem_free((void *)texts[i].text);
}

RUN(T(words_are_joined_in_the_order_of_the_codes),
    T(what_the_text_does_not_have_is_taken_apart),
    T(tokens_are_numbered_by_how_often_they_occur), T(no_text_says_a_special_token),
    T(unknown_characters_are_counted), T(wrong_codes_are_refused),
    T(merges_of_multi30k_are_those_of_subword_nmt),
    T(codes_applied_give_the_lines_of_subword_nmt))
