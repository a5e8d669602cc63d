/* tokenizer.json comes from outside: what it may say, and what becomes of what it says
 * wrongly. */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/tokenizer.h"

static char vocab[8192]; /* "!": 0, ... the 256 bytes, in their written form, no braces */

static int make_vocab(void **state)
{
    (void)state;
    struct tokenizer *t = tokenizer_byte();
    char *text, *from, *to;
    size_t bytes;
    if (tokenizer_save(t, "byte.json") || file_read("byte.json", 1 << 20, &text, &bytes))
        return -1;
    from = strstr(text, "\"vocab\": {") + strlen("\"vocab\": {");
    to = strstr(from, "\n    \"merges\"");
    while (*to != '}')
        to--;
    memcpy(vocab, from, (size_t)(to - from));
    mem_free(text);
    tokenizer_free(t);
    return 0;
}

#define PRE    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define END(n) "\"added_tokens\":[{\"id\":" #n ",\"content\":\"<|endoftext|>\"}]"

/* $ stands for the 256 bytes */
static int load(const char *form, struct tokenizer **t)
{
    static char text[2 * sizeof vocab];
    const char *mark = strchr(form, '$');
    if (mark)
        snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - form), form, vocab,
                 mark + 1);
    else
        snprintf(text, sizeof text, "%s", form);
    assert_int_equal(file_write_atomic("case.json", text, strlen(text)), ERR_OK);
    return tokenizer_load("case.json", t);
}

static void what_we_cannot_do_or_believe_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"model\":7}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":[]}}",
        "{\"model\":{\"type\":\"Unigram\",\"vocab\":{\"a\":0}}}",
        "{\"model\":{\"vocab\":{\"a\":0}}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{}}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{$},\"merges\":[]}}", /* no pre_tokenizer
                                                                       */
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$}}}",       /* no merges */
        "{\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":\"BPE\","
        "\"vocab\":{"
        "$},\"merges\":[]}}",
        "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true},\"model\":"
        "{"
        "\"type\":\"BPE\",\"vocab\":{$},\"merges\":[]}}",
        "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_"
        "regex\":"
        "false},\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[\"t "
        "h\"]}}",
        "{" PRE
        ",\"normalizer\":{\"type\":\"NFC\"},\"model\":{\"type\":\"BPE\",\"vocab\":{$},"
        "\"merges\":[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":{$},\"merges\":[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{$},\"merges\":"
        "[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"ignore_merges\":true,\"vocab\":{$},\"merges\":"
        "[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"vocab\":{$},"
        "\"merges\":[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}", /* bytes */
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":255},\"merges\":[]}}", /* twice
                                                                                  */
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":257},\"merges\":[]}}", /* high
                                                                                  */
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":-1},\"merges\":[]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256.0},\"merges\":[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":\"256\"},\"merges\":[]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":99999999999999999999},"
        "\"merges\":[]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"\":256},\"merges\":[]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"a b\":256},\"merges\":[]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"!\":256},\"merges\":[]}}", /* key */
        "{" PRE "," END(255) ",\"model\":{\"type\":\"BPE\",\"vocab\":{$},\"merges\":[]}}",
        "{" PRE "," END(300) ",\"model\":{\"type\":\"BPE\",\"vocab\":{$},\"merges\":[]}}",
        "{" PRE
        ",\"added_tokens\":[{\"id\":256}],\"model\":{\"type\":\"BPE\",\"vocab\":{$},"
        "\"merges\":[]}}",
        "{" PRE ",\"added_tokens\":[{\"id\":256,\"content\":\" \"}],\"model\":{\"type\":"
        "\"BPE\",\"vocab\":{$},\"merges\":[]}}", /* bytes of an ordinary token */
        "{" PRE
        "," END(256) ",\"model\":{\"type\":\"BPE\",\"vocab\":{$},\"merges\":[\"t h\"]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[\"th\"]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[\"t  h\"]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[\" th\"]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[[\"t\"]]}}",
        "{" PRE
        ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[[\"t\",7]]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[7]}}",
        "{" PRE ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":[\"t "
        "h\",[\"t\","
        "\"h\"]]}}",
        "{" PRE ",\"added_tokens\":[{\"id\":256,\"content\":\"th\"}],\"model\":{\"type\":"
        "\"BPE\",\"vocab\":{$},\"merges\":[\"t h\"]}}", /* text would become special */
        "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}",
        "{\"pre_tokenizer\":{\"type\":\"Split\"},\"model\":{\"type\":\"WordLevel\","
        "\"vocab\":{"
        "\"ab\":0}}}",
        "{\"pre_tokenizer\":{\"type\":\"Split\"},\"model\":{\"type\":\"WordLevel\","
        "\"vocab\":{"
        "\"a\":1}}}",
        "{\"pre_tokenizer\":{\"type\":\"Split\"}," END(
            1) ",\"model\":{\"type\":\"WordLevel\","
               "\"vocab\":{\"a\":0}}}",
    };
    struct tokenizer *t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (load(bad[i], &t) != ERR_DATA)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(tokenizer_load("no such file.json", &t), ERR_NO_FILE);
    assert_int_equal(tokenizer_gpt2("no such folder", &t), ERR_NO_FILE);
}

/* What every tokenizer of subwords says. */
#define SPACES                                                                           \
    "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[ \\r\\n]+\"},"      \
    "\"behavior\":\"Removed\",\"invert\":false}"
#define ADDED                                                                            \
    "\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\"},{\"id\":1,\"content\":"          \
    "\"<|endoftext|>\"}]"
#define SUFFIX "\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"end_of_word_suffix\":\"</w>\""
#define SUBWORDS(vocab, merges)                                                          \
    "{" ADDED "," SPACES ",\"model\":{" SUFFIX ",\"vocab\":{" vocab                      \
    "},\"merges\":[" merges "]}}"

static void subwords_are_exactly_ours_or_refused(void **state)
{
    (void)state;
    struct tokenizer *t;
    uint32_t end;
    static const char *const good[] = {
        SUBWORDS("\"a\":2,\"b</w>\":3", "\"a b</w>\""), /* the result has no token */
        SUBWORDS("\"a\":2,\"b</w>\":3,\"<unk>\":0", "[\"a\",\"b</w>\"],\"x y\""),
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(load(good[i], &t), ERR_OK);
        assert_int_equal(tokenizer_kind(t), TOKENIZER_SUBWORD);
        assert_int_equal(tokenizer_vocab(t), 4);
        assert_true(tokenizer_end_of_text(t, &end) && end == 1);
        tokenizer_free(t);
    }
    static const char *const bad[] = {
        SUBWORDS("\"a\":2,\"b</w>\":3,\"\\n</w>\":4", ""), /* needs the other split */
        SUBWORDS("\"a\":2,\"b c\":3", ""),
        SUBWORDS("\"a\":2,\"b\\nc\":3", ""),
        SUBWORDS("\"a\":2,\"</w>\":3", ""),
        SUBWORDS("\"a\":3", ""),
        SUBWORDS("\"a\":2", "\"a</w> b\""),
        SUBWORDS("\"a\":2", "\"ab\""),
        SUBWORDS("\"a\":2", "\"a b c\""),
        SUBWORDS("\"a\":2", "[\"a b\",\"c\"]"),
        SUBWORDS("\"a\":2", "\"a b\",\"a b\""),
        SUBWORDS("\"a\":2", "7"),
        "{" SPACES ",\"model\":{" SUFFIX ",\"vocab\":{\"<unk>\":0},\"merges\":[]}}",
        "{" ADDED ",\"model\":{" SUFFIX ",\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{" ADDED "," PRE ",\"model\":{" SUFFIX ",\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{" ADDED "," SPACES ",\"model\":{" SUFFIX ",\"vocab\":{\"a\":2}}}",
        "{" ADDED "," SPACES ",\"model\":{" SUFFIX
        ",\"fuse_unk\":true,\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{" ADDED "," SPACES ",\"model\":{" SUFFIX
        ",\"dropout\":0.1,\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{" ADDED "," SPACES
        ",\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"end_of_word_suffix\":"
        "\"</s>\",\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{" ADDED "," SPACES ",\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":"
        "\"</w>\",\"vocab\":{\"a\":2},\"merges\":[]}}",
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\"},{\"id\":1,\"content\":"
        "\"a \"}]," SPACES ",\"model\":{" SUFFIX
        ",\"vocab\":{\"a</w>\":2},\"merges\":[]}}", /* the same text */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (load(bad[i], &t) != ERR_DATA)
            fail_msg("accepted: %s", bad[i]);
}

static void expect_one_token(struct tokenizer *t, const char *text, uint32_t id)
{
    uint32_t *ids;
    size_t n;
    assert_int_equal(tokenizer_encode(t, text, strlen(text), &ids, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], id);
    mem_free(ids);
}

static void
merges_may_be_strings_or_pairs_and_the_end_may_stand_in_the_vocabulary(void **s)
{
    (void)s;
    static const char *const good[] = {
        "{" PRE
        "," END(257) ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"th\":256},\"merges\":["
                     "\"t h\"]}}",
        "{" PRE
        "," END(257) ",\"model\":{\"type\":\"BPE\",\"vocab\":{$,\"<|endoftext|>\":257,"
                     "\"th\":256},\"merges\":[[\"t\",\"h\"]]}}",
    };
    char first[HASH_HEX] = "", hash[HASH_HEX];
    for (size_t i = 0; i < 2; i++) {
        struct tokenizer *t;
        uint32_t end;
        assert_int_equal(load(good[i], &t), ERR_OK);
        assert_int_equal(tokenizer_vocab(t), 258);
        assert_true(tokenizer_end_of_text(t, &end) && end == 257);
        expect_one_token(t, "th", 256);
        tokenizer_hash(t, hash);
        if (i)
            assert_string_equal(hash, first);
        memcpy(first, hash, sizeof first);
        tokenizer_free(t);
    }
}

static void check_same(const struct tokenizer *a, const struct tokenizer *b)
{
    char x[HASH_HEX], y[HASH_HEX];
    tokenizer_hash(a, x);
    tokenizer_hash(b, y);
    assert_string_equal(x, y);
    assert_int_equal(tokenizer_kind(a), tokenizer_kind(b));
    assert_int_equal(tokenizer_vocab(a), tokenizer_vocab(b));
}

static const char words[] = "the theme \"of\"\\ the\tthesis\x01 is \xE2\x82\xAC the";
static const struct span sample = {words, sizeof words - 1};

static struct tokenizer *make(enum tokenizer_kind kind)
{
    struct tokenizer *t = NULL;
    if (kind == TOKENIZER_BYTE)
        return tokenizer_byte();
    if (kind == TOKENIZER_CHAR)
        assert_int_equal(tokenizer_char(&sample, 1, &t), ERR_OK);
    else if (kind == TOKENIZER_SUBWORD)
        assert_int_equal(
            tokenizer_subwords(&sample, 1, &(struct tokenizer_subwords){.merges = 8}, &t),
            ERR_OK);
    else
        assert_int_equal(
            tokenizer_train(&sample, 1, &(struct tokenizer_training){.vocab = 262}, &t),
            ERR_OK);
    return t;
}

static void every_kind_survives_saving_and_loading(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_SUBWORD; kind++) {
        struct tokenizer *t = make(kind), *copy;
        assert_int_equal(tokenizer_save(t, "saved.json"), ERR_OK);
        assert_int_equal(tokenizer_load("saved.json", &copy), ERR_OK);
        check_same(t, copy);
        tokenizer_free(copy);
        tokenizer_free(t);
    }
}

/* Whatever comes of it, error or tokenizer: no crash, no leak, and text survives it. */
static void try_loading(const char *text, size_t bytes)
{
    FILE *out = fopen("damaged.json", "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, bytes, out), bytes);
    fclose(out);
    struct tokenizer *t;
    if (tokenizer_load("damaged.json", &t) != 0)
        return;
    uint32_t *ids;
    size_t n;
    if (tokenizer_encode(t, sample.text, sample.bytes, &ids, &n) == 0)
        mem_free(ids);
    tokenizer_free(t);
}

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_CHAR; kind <= TOKENIZER_SUBWORD; kind++) {
        struct tokenizer *t = make(kind);
        char *text;
        size_t bytes;
        assert_int_equal(tokenizer_save(t, "whole.json"), ERR_OK);
        assert_int_equal(file_read("whole.json", 1 << 20, &text, &bytes), ERR_OK);
        const size_t stride = kind == TOKENIZER_CHAR ? 1 : 7;
        for (size_t i = 0; i < bytes; i += stride) {
            try_loading(text, i);
            text[i] ^= 1;
            try_loading(text, bytes);
            text[i] ^= 1;
        }
        mem_free(text);
        tokenizer_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_we_cannot_do_or_believe_is_refused),
        T(merges_may_be_strings_or_pairs_and_the_end_may_stand_in_the_vocabulary),
        T(subwords_are_exactly_ours_or_refused),
        T(every_kind_survives_saving_and_loading), T(damaged_files_do_no_harm)};
    return cmocka_run_group_tests(tests, make_vocab, NULL);
}
