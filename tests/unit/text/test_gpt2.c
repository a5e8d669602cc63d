/* GPT-2's tokenizer against known answers: vectors that two other implementations agree
 * on, and the token counts that nanoGPT publishes for its data. */
#include "support/test.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/tokenizer.h"
#include "text/utf8.h"
#include "text/words.h"

#define DATA TEST_SHARED "/data"

static struct tokenizer *gpt2;

static int load(void **state)
{
    (void)state;
    if (file_exists(DATA "/gpt2-bpe/encoder.json"))
        return tokenizer_gpt2(DATA "/gpt2-bpe", &gpt2);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    tokenizer_free(gpt2);
    return 0;
}

static void need_data(void)
{
    if (gpt2)
        return;
    print_message("no test data in " DATA "/gpt2-bpe\n");
    skip();
}

static void check_ids(const char *text, size_t bytes, const json_t *expected)
{
    uint32_t *ids;
    size_t n;
    assert_int_equal(tokenizer_encode(gpt2, text, bytes, &ids, &n), ERR_OK);
    assert_int_equal(n, json_array_size(expected));
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ids[i], json_integer_value(json_array_get(expected, i)));
        const char *piece;
        size_t length;
        tokenizer_piece(gpt2, ids[i], &piece, &length);
        assert_true(at + length <= bytes);
        assert_memory_equal(piece, text + at, length);
        at += length;
    }
    assert_int_equal(at, bytes);
    mem_free(ids);
}

static void all_vectors_encode_as_published_and_decode_to_themselves(void **state)
{
    (void)state;
    need_data();
    FILE *in = fopen(DATA "/gpt2-bpe/vectors.jsonl", "r");
    assert_non_null(in);
    json_t *line;
    size_t count = 0;
    while ((line = json_loadf(in, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL))) {
        const json_t *text = json_object_get(line, "text");
        check_ids(json_string_value(text), json_string_length(text),
                  json_object_get(line, "ids"));
        json_decref(line);
        count++;
    }
    fclose(in);
    assert_int_equal(count, 28);
}

static void the_vocabulary_has_50257_tokens_and_ends_with_the_end_of_text(void **state)
{
    (void)state;
    need_data();
    uint32_t end;
    assert_int_equal(tokenizer_vocab(gpt2), 50257);
    assert_true(tokenizer_end_of_text(gpt2, &end));
    assert_int_equal(end, 50256);
    const char *piece;
    size_t n;
    tokenizer_piece(gpt2, end, &piece, &n);
    assert_int_equal(n, 13);
    assert_memory_equal(piece, "<|endoftext|>", 13);
}

static void tinyshakespeare_has_the_token_counts_of_nanogpt(void **state)
{
    (void)state;
    need_data();
    char *text;
    size_t bytes, n, m;
    if (!file_exists(DATA "/tinyshakespeare/input.txt"))
        skip();
    assert_int_equal(file_read(DATA "/tinyshakespeare/input.txt", 1 << 24, &text, &bytes),
                     ERR_OK);
    const size_t cut = utf8_offset(text, bytes, (size_t)((double)bytes * 0.9));
    uint32_t *train, *held_out;
    const double start = clock_seconds();
    assert_int_equal(tokenizer_encode(gpt2, text, cut, &train, &n), ERR_OK);
    assert_int_equal(tokenizer_encode(gpt2, text + cut, bytes - cut, &held_out, &m),
                     ERR_OK);
    print_message("%.1f MB/s\n", (double)bytes * 1e-6 / (clock_seconds() - start));
    assert_int_equal(n, 301966);
    assert_int_equal(m, 36059);
    mem_free(train);
    mem_free(held_out);
    mem_free(text);
}

static void it_survives_saving_as_tokenizer_json(void **state)
{
    (void)state;
    need_data();
    struct tokenizer *copy;
    assert_int_equal(tokenizer_save(gpt2, "gpt2.json"), ERR_OK);
    assert_int_equal(tokenizer_load("gpt2.json", &copy), ERR_OK);
    char a[HASH_HEX], b[HASH_HEX];
    tokenizer_hash(gpt2, a);
    tokenizer_hash(copy, b);
    assert_string_equal(a, b);
    uint32_t *ids, end;
    size_t n;
    assert_int_equal(tokenizer_encode(copy, "hello world", 11, &ids, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 31373);
    assert_true(tokenizer_end_of_text(copy, &end) && end == 50256);
    mem_free(ids);
    tokenizer_free(copy);
}

/* A word of 1 MiB: quadratic merging would take minutes. */
static void one_word_of_a_megabyte_takes_no_age(void **state)
{
    (void)state;
    need_data();
    const size_t bytes = 1 << 20;
    char *text = mem_alloc(bytes);
    memset(text, 'a', bytes);
    uint32_t *ids;
    size_t n;
    assert_int_equal(tokenizer_encode(gpt2, text, bytes, &ids, &n), ERR_OK);
    assert_true(n < bytes / 2);
    mem_free(ids);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_vectors_encode_as_published_and_decode_to_themselves),
        T(the_vocabulary_has_50257_tokens_and_ends_with_the_end_of_text),
        T(tinyshakespeare_has_the_token_counts_of_nanogpt),
        T(it_survives_saving_as_tokenizer_json), T(one_word_of_a_megabyte_takes_no_age)};
    return cmocka_run_group_tests(tests, load, unload);
}
