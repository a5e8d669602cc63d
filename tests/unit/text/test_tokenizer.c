#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/philox.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"
#include "text/utf8.h"

static const char story[] =
    "It was the best of times, it was the worst of times, it was the age of wisdom,\n"
    "it was the age of foolishness, it was the epoch of belief, it was the epoch of\n"
    "incredulity, it was the season of Light, it was the season of Darkness "
    "\xE2\x80\x93\n"
    "\n  it was <|endoftext|> the spring of hope; it was the winter of d\xC3\xA9spair.\n";

static struct tokenizer *make(enum tokenizer_kind kind)
{
    const struct span span = {story, sizeof story - 1};
    const struct tokenizer_training how = {.vocab = 300};
    struct tokenizer *t = NULL;
    if (kind == TOKENIZER_BYTE)
        return tokenizer_byte();
    if (kind == TOKENIZER_CHAR)
        assert_int_equal(tokenizer_char(&span, 1, &t), ERR_OK);
    else if (kind == TOKENIZER_BPE)
        assert_int_equal(tokenizer_train(&span, 1, &how, &t), ERR_OK);
    else
        assert_int_equal(
            tokenizer_subwords(&span, 1, &(struct tokenizer_subwords){.merges = 30}, &t),
            ERR_OK);
    return t;
}

static void wrong_names_of_tokenizers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } cases[] = {{"", ERR_INVALID},
                 {"Byte", ERR_INVALID},
                 {"bytes", ERR_INVALID},
                 {"gpt2", ERR_INVALID},
                 {"gpt2:", ERR_INVALID},
                 {"bpe", ERR_INVALID},
                 {"bpe:", ERR_INVALID},
                 {"bpe:x", ERR_INVALID},
                 {"bpe:-5", ERR_INVALID},
                 {"bpe:1000x", ERR_INVALID},
                 {"bpe:0", ERR_RANGE},
                 {"bpe:256", ERR_RANGE},
                 {"bpe:1048577", ERR_RANGE},
                 {"bpe:99999999999999999999", ERR_RANGE},
                 {"subword", ERR_INVALID},
                 {"subword:", ERR_INVALID},
                 {"subword:0", ERR_RANGE},
                 {"subword:1048577", ERR_RANGE},
                 {"subword:99999999999999999999", ERR_RANGE}};
    struct tokenizer_spec spec;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tokenizer_spec_parse(cases[i].text, &spec), cases[i].err);
}

static void names_of_tokenizers_are_understood(void **state)
{
    (void)state;
    struct tokenizer_spec spec;
    assert_int_equal(tokenizer_spec_parse("byte", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_BYTE);
    assert_int_equal(tokenizer_spec_parse("char", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_CHAR);
    assert_int_equal(tokenizer_spec_parse("gpt2:some/dir", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_GPT2);
    assert_string_equal(spec.dir, "some/dir");
    assert_int_equal(tokenizer_spec_parse("bpe:257", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_BPE);
    assert_int_equal(spec.vocab, 257);
    assert_int_equal(tokenizer_spec_parse("subword:10000", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_SUBWORD);
    assert_int_equal(spec.merges, 10000);
    assert_null(spec.codes);
    assert_int_equal(tokenizer_spec_parse("subword:10000.codes", &spec), ERR_OK);
    assert_int_equal(spec.kind, SPEC_SUBWORD);
    assert_string_equal(spec.codes, "10000.codes");
}

static void no_text_is_no_tokens_but_a_list(void **state)
{
    (void)state;
    uint32_t *ids = NULL;
    size_t n = 1;
    struct tokenizer *t = tokenizer_byte();
    assert_int_equal(tokenizer_encode(t, "", 0, &ids, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_non_null(ids); /* NULL + 0 is undefined, in memcpy(), too */
    mem_free(ids);
    tokenizer_free(t);
}

static void check_round_trip(struct tokenizer *t, const char *text, size_t bytes)
{
    uint32_t *ids, end = UINT32_MAX;
    size_t n, at = 0;
    tokenizer_end_of_text(t, &end);
    assert_int_equal(tokenizer_encode(t, text, bytes, &ids, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        const char *piece;
        size_t length;
        assert_true(ids[i] < tokenizer_vocab(t));
        assert_true(ids[i] != end);
        tokenizer_piece(t, ids[i], &piece, &length);
        assert_true(at + length <= bytes);
        assert_memory_equal(piece, text + at, length);
        at += length;
    }
    assert_int_equal(at, bytes);
    mem_free(ids);
}

static void decoding_gives_the_text_back(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_BPE; kind++) {
        struct tokenizer *t = make(kind);
        assert_int_equal(tokenizer_kind(t), kind);
        check_round_trip(t, story, sizeof story - 1);
        check_round_trip(t, story, sizeof story - 1); /* from the cache */
        check_round_trip(t, "", 0);
        tokenizer_free(t);
    }
}

static void any_text_of_any_characters_goes_through_a_bpe(void **state)
{
    (void)state;
    struct tokenizer *t = make(TOKENIZER_BPE);
    const struct philox_key key = philox_key(77, PHILOX_TEST);
    for (uint32_t round = 0; round < 50; round++) {
        char text[400 * UTF8_BYTES];
        size_t bytes = 0;
        for (uint32_t i = 0; i < 400; i++) {
            const struct philox_block r = philox(key, (struct philox_block){{i, round}});
            const uint32_t reach[] = {0x80, 0x100, 0x3000, 0xD800};
            bytes += utf8_encode(r.word[0] % reach[r.word[1] % 4], text + bytes);
        }
        check_round_trip(t, text, bytes);
    }
    tokenizer_free(t);
}

static void bytes_need_not_be_text_for_the_byte_tokenizer_alone(void **state)
{
    (void)state;
    uint32_t *ids;
    size_t n;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_BPE; kind++) {
        struct tokenizer *t = make(kind);
        const int expected = kind == TOKENIZER_BYTE ? ERR_OK : ERR_DATA;
        assert_int_equal(tokenizer_encode(t, "a\xFFz", 3, &ids, &n), expected);
        if (expected == ERR_OK) {
            assert_int_equal(n, 3);
            assert_int_equal(ids[1], 255);
            mem_free(ids);
        }
        tokenizer_free(t);
    }
}

static void characters_are_numbered_in_their_order(void **state)
{
    (void)state;
    const struct span spans[] = {{"hello", 5}, {"\xC3\xA9\nh", 4}};
    struct tokenizer *t;
    uint32_t *ids;
    size_t n;
    assert_int_equal(tokenizer_char(spans, 2, &t), ERR_OK);
    assert_int_equal(tokenizer_vocab(t), 6); /* \n e h l o U+00E9 */
    assert_int_equal(tokenizer_encode(t, "\nelo\xC3\xA9", 6, &ids, &n), ERR_OK);
    static const uint32_t expected[] = {0, 1, 3, 4, 5};
    assert_int_equal(n, 5);
    assert_memory_equal(ids, expected, sizeof expected);
    mem_free(ids);
    assert_int_equal(tokenizer_encode(t, "help", 4, &ids, &n), ERR_DATA); /* no p */
    tokenizer_free(t);

    const struct span zero = {"a\0b", 3}, none = {"", 0};
    assert_int_equal(tokenizer_char(&zero, 1, &t), ERR_DATA);
    assert_int_equal(tokenizer_char(&none, 1, &t), ERR_DATA);
}

static void only_a_bpe_has_an_end_of_text_and_it_is_the_last_token(void **state)
{
    (void)state;
    uint32_t end;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_BPE; kind++) {
        struct tokenizer *t = make(kind);
        assert_int_equal(tokenizer_end_of_text(t, &end), kind == TOKENIZER_BPE);
        if (kind == TOKENIZER_BPE)
            assert_int_equal(end, tokenizer_vocab(t) - 1);
        tokenizer_free(t);
    }
}

static void a_text_with_too_few_pairs_gives_a_smaller_vocabulary(void **state)
{
    (void)state;
    const struct span span = {"abab", 4};
    struct tokenizer *t;
    assert_int_equal(
        tokenizer_train(&span, 1, &(struct tokenizer_training){.vocab = 1000}, &t),
        ERR_OK);
    assert_int_equal(tokenizer_vocab(t), 258); /* bytes, "ab", the end of text */
    tokenizer_free(t);
}

static void pieces_between_cuts_encode_to_the_tokens_of_the_whole(void **state)
{
    (void)state;
    for (enum tokenizer_kind kind = TOKENIZER_BYTE; kind <= TOKENIZER_SUBWORD; kind++) {
        struct tokenizer *t = make(kind);
        uint32_t *whole, *ids;
        size_t total, n, at = 0, pieces = 0;
        assert_int_equal(tokenizer_encode(t, story, sizeof story - 1, &whole, &total),
                         ERR_OK);
        for (size_t from = 0, to; from < sizeof story - 1; from = to, pieces++) {
            to = tokenizer_cut(t, story, sizeof story - 1, from + 1);
            assert_true(to > from);
            assert_int_equal(tokenizer_encode(t, story + from, to - from, &ids, &n),
                             ERR_OK);
            assert_true(at + n <= total);
            assert_memory_equal(ids, whole + at, n * sizeof *ids);
            at += n;
            mem_free(ids);
        }
        assert_int_equal(at, total);
        assert_true(pieces >= 3);
        mem_free(whole);
        tokenizer_free(t);
    }
}

RUN(T(wrong_names_of_tokenizers_are_refused), T(names_of_tokenizers_are_understood),
    T(no_text_is_no_tokens_but_a_list), T(decoding_gives_the_text_back),
    T(any_text_of_any_characters_goes_through_a_bpe),
    T(bytes_need_not_be_text_for_the_byte_tokenizer_alone),
    T(characters_are_numbered_in_their_order),
    T(only_a_bpe_has_an_end_of_text_and_it_is_the_last_token),
    T(a_text_with_too_few_pairs_gives_a_smaller_vocabulary),
    T(pieces_between_cuts_encode_to_the_tokens_of_the_whole))
