#include "support/test.h"

#include <jansson.h>
#include <zlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/prepare.h"
#include "data/text_file.h"

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(out);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static void put_gzip(const char *path, const char *text, const char *mode)
{
    gzFile out = gzopen(path, mode);
    assert_non_null(out);
    assert_int_equal(gzwrite(out, text, (unsigned)strlen(text)), strlen(text));
    gzclose(out);
}

#define FILES(...) ((const char *[]){__VA_ARGS__})

static int run(const char *const *files, size_t n, const char *tokenizer, double held_out)
{
    return prepare(&(struct prepare_options){.files = files,
                                             .files_n = n,
                                             .dir = "out/set",
                                             .tokenizer = tokenizer,
                                             .held_out = held_out});
}

static void forget(void)
{
    assert_int_equal(file_remove_tree("out"), ERR_OK);
}

static bool nothing_there(void)
{
    static const char *const names[] = {
        DATASET_TRAIN,        DATASET_HELD_OUT,        DATASET_TOKENIZER,
        DATASET_TRAIN ".tmp", DATASET_HELD_OUT ".tmp", DATASET_TOKENIZER ".new"};
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = file_join("out/set", names[i]);
        any = any || file_exists(path);
        mem_free(path);
    }
    return !any;
}

static void bad_files_and_options_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    put_text("good", "some text\nin two lines\n");
    put_text("empty", "");
    put_text("tiny", "ab");
    put("latin1", "caf\xE9\n", 5);
    put("zero", "a\0b\nxxxxxxxx", 12);
    put("noise", "\x1F\x8B what gzip does not look like", 32);
    static const struct {
        const char *file, *tokenizer;
        double held_out;
        int err;
    } cases[] = {
        {"good", "byte", 0, ERR_RANGE},
        {"good", "byte", 1, ERR_RANGE},
        {"good", "byte", -0.1, ERR_RANGE},
        {"good", "byte", NAN, ERR_RANGE},
        {"good", "words", 0.1, ERR_INVALID},
        {"good", "bpe:12", 0.1, ERR_RANGE},
        {"good", "gpt2:nowhere", 0.1, ERR_NO_FILE},
        {"missing", "byte", 0.1, ERR_NO_FILE},
        {"empty", "byte", 0.1, ERR_DATA},
        {"latin1", "char", 0.1, ERR_DATA},
        {"latin1", "bpe:300", 0.1, ERR_DATA},
        {"zero", "char", 0.1, ERR_DATA},
        {"noise", "byte", 0.1, ERR_DATA},
        {"tiny", "byte", 0.5, ERR_DATA},
        {"good", "byte", 0.001, ERR_DATA},
        {"good", "char", 0.99, ERR_DATA},
        {".", "byte", 0.1, ERR_IO},
    };
    forget();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int err =
            run(FILES(cases[i].file), 1, cases[i].tokenizer, cases[i].held_out);
        if (err != cases[i].err)
            fail_msg("%s %s: %s", cases[i].file, cases[i].tokenizer, err_name(err));
        assert_true(nothing_there());
    }
    assert_int_equal(run(NULL, 0, "byte", 0.1), ERR_INVALID);
    assert_int_equal(run(FILES("latin1", "good"), 2, "byte", 0.1),
                     ERR_OK); /* any bytes */
    assert_int_equal(run(FILES("zero"), 1, "bpe:257", 0.3), ERR_OK);
}

static void text_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    put_text("plain", text);
    put_gzip("packed", text, "wb"); /* a few bytes on disk */
    const char *const files[] = {"plain", "packed", "plain"};
    struct prepare_options o = {.dir = "out/set", .tokenizer = "byte", .held_out = 0.1};
    for (size_t i = 0; i < 3; i++) {
        o.files = files + (i == 2 ? 0 : i);
        o.files_n = i == 2 ? 3 : 1;
        const uint64_t all = 2000 * o.files_n;
        o.limit = all - 1;
        assert_int_equal(prepare(&o), ERR_DATA);
        o.limit = all;
        assert_int_equal(prepare(&o), ERR_OK);
    }
}

static void gzip_is_unpacked_and_its_damage_found(void **state)
{
    (void)state;
    char *packed, *text;
    size_t n, bytes;
    char story[4000];
    for (size_t i = 0; i < sizeof story - 1; i++)
        story[i] = (char)('a' + i * i % 23);
    story[sizeof story - 1] = '\0';
    put_gzip("a.gz", story, "wb");
    assert_int_equal(text_file_read("a.gz", 1 << 20, &text, &bytes), ERR_OK);
    assert_int_equal(bytes, sizeof story - 1);
    assert_memory_equal(text, story, bytes);
    mem_free(text);

    assert_int_equal(file_read("a.gz", 1 << 20, &packed, &n), ERR_OK);
    for (size_t i = 2; i < n; i++) { /* fewer bytes do not look like gzip */
        put("cut", packed, i);
        assert_int_equal(text_file_read("cut", 1 << 20, &text, &bytes), ERR_DATA);
        if (i < 10) /* flags, time and system of the head do not matter */
            continue;
        packed[i] ^= 0x10;
        put("flipped", packed, n);
        assert_int_equal(text_file_read("flipped", 1 << 20, &text, &bytes), ERR_DATA);
        packed[i] ^= 0x10;
    }
    mem_free(packed);

    put_gzip("a.gz", "and more", "ab"); /* a second member */
    assert_int_equal(text_file_read("a.gz", 1 << 20, &text, &bytes), ERR_OK);
    assert_int_equal(bytes, sizeof story - 1 + 8);
    assert_memory_equal(text + sizeof story - 1, "and more", 8);
    mem_free(text);
}

static void check_tokens(const struct tokens *t, const struct tokenizer *k,
                         const char *expected)
{
    char text[256];
    size_t at = 0;
    for (uint64_t i = 0; i < tokens_info(t)->count; i++) {
        uint32_t id;
        const char *piece;
        size_t n;
        tokens_get(t, i, 1, &id);
        tokenizer_piece(k, id, &piece, &n);
        memcpy(text + at, piece, n);
        at += n;
    }
    text[at] = '\0';
    assert_string_equal(text, expected);
}

static void check_set(const char *train, const char *held_out)
{
    struct dataset d;
    assert_int_equal(dataset_open(&d, "out/set"), ERR_OK);
    check_tokens(d.train, d.tokenizer, train);
    check_tokens(d.held_out, d.tokenizer, held_out);
    dataset_close(&d);
}

#define EOT "<|endoftext|>"

static void documents_end_with_the_end_of_text_when_there_are_several(void **state)
{
    (void)state;
    put_text("one", "one one ");
    put_text("two", "two two ");
    put_text("tre", "tre tre ");
    assert_int_equal(run(FILES("one"), 1, "bpe:258", 0.25), ERR_OK);
    check_set("one on", "e ");
    assert_int_equal(run(FILES("one", "two", "tre"), 3, "bpe:258", 0.5), ERR_OK);
    check_set("one one " EOT "two ", "two " EOT "tre tre " EOT);
    assert_int_equal(run(FILES("one", "two", "tre"), 3, "bpe:258", 1. / 3), ERR_OK);
    check_set("one one " EOT "two two " EOT, "tre tre " EOT);
    assert_int_equal(run(FILES("one", "two", "tre"), 3, "char", 0.5), ERR_OK);
    check_set("one one two ", "two tre tre "); /* has no end of text */

    struct dataset d;
    assert_int_equal(dataset_open(&d, "out/set"), ERR_OK);
    assert_int_equal(tokens_info(d.train)->documents, 2);
    assert_int_equal(tokens_info(d.held_out)->documents, 2);
    assert_int_equal(tokens_info(d.train)->source_bytes, 12);
    assert_int_equal(tokens_info(d.train)->width, 2);
    dataset_close(&d);
}

static void the_split_counts_characters_not_bytes(void **state)
{
    (void)state;
    put_text("greek",
             "\xCE\xB1\xCE\xB2\xCE\xB3\xCE\xB4..ab"); /* 8 characters, 12 bytes */
    assert_int_equal(run(FILES("greek"), 1, "char", 0.5), ERR_OK);
    check_set("\xCE\xB1\xCE\xB2\xCE\xB3\xCE\xB4", "..ab");
    assert_int_equal(run(FILES("greek"), 1, "byte", 0.5), ERR_OK);
    check_set("\xCE\xB1\xCE\xB2\xCE\xB3", "\xCE\xB4..ab");
}

static void a_set_of_parts_of_different_runs_is_refused(void **state)
{
    (void)state;
    struct dataset d;
    char *json;
    size_t n;
    put_text("one", "one one ");
    assert_int_equal(run(FILES("one"), 1, "byte", 0.5), ERR_OK);
    assert_int_equal(file_read("out/set/" DATASET_TOKENIZER, 1 << 20, &json, &n), ERR_OK);
    assert_int_equal(run(FILES("one"), 1, "char", 0.5), ERR_OK);
    put("out/set/" DATASET_TOKENIZER, json, n);
    assert_int_equal(dataset_open(&d, "out/set"), ERR_DATA);
    mem_free(json);
    assert_int_equal(file_remove_tree("out/set/" DATASET_TOKENIZER), ERR_OK);
    assert_int_equal(dataset_open(&d, "out/set"), ERR_NO_FILE); /* interrupted */
    assert_int_equal(run(FILES("one"), 1, "byte", 0.5), ERR_OK);
    check_set("one ", "one ");
}

static void a_failed_run_leaves_the_old_set_as_it_was(void **state)
{
    (void)state;
    put_text("one", "one one ");
    put_text("bad", "\xFF\xFF\xFF\xFF");
    assert_int_equal(run(FILES("one"), 1, "byte", 0.5), ERR_OK);
    assert_int_equal(run(FILES("one", "bad"), 2, "char", 0.5), ERR_DATA);
    assert_int_equal(run(FILES("one"), 1, "byte", 0.01), ERR_DATA);
    check_set("one ", "one ");
}

/* The train file gets its name, the held-out one cannot: a folder lies in its place. */
static void a_set_whose_files_are_of_two_runs_has_no_tokenizer(void **state)
{
    (void)state;
    struct dataset d;
    forget();
    put_text("one", "one one ");
    put_text("two", "two two ");
    assert_int_equal(run(FILES("one"), 1, "byte", 0.5), ERR_OK);
    assert_int_equal(file_remove_tree("out/set/" DATASET_HELD_OUT), ERR_OK);
    assert_int_equal(file_make_dirs("out/set/" DATASET_HELD_OUT "/x"), ERR_OK);
    assert_int_equal(run(FILES("two"), 1, "byte", 0.5), ERR_IO);
    assert_false(file_exists("out/set/" DATASET_TOKENIZER));
    assert_false(file_exists("out/set/" DATASET_TOKENIZER ".new"));
    assert_false(file_exists("out/set/" DATASET_HELD_OUT ".tmp"));
    assert_int_equal(dataset_open(&d, "out/set"), ERR_NO_FILE);
    forget();
}

static void count_calls(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    (void)what;
    assert_true(done <= total);
    ++*(int *)ctx;
}

static void tinyshakespeare_becomes_what_nanogpt_makes_of_it(void **state)
{
    (void)state;
    static const char text[] = TEST_SHARED "/data/tinyshakespeare/input.txt";
    if (!file_exists(text) || !file_exists(TEST_SHARED "/data/gpt2-bpe/counts.json")) {
        print_message("no test data in " TEST_SHARED "\n");
        skip();
    }
    int calls = 0;
    struct prepare_options o = {.files = FILES(text),
                                .files_n = 1,
                                .dir = "out/set",
                                .tokenizer = "gpt2:" TEST_SHARED "/data/gpt2-bpe",
                                .held_out = 0.1,
                                .progress = count_calls,
                                .progress_ctx = &calls};
    json_t *all = json_load_file(TEST_SHARED "/data/gpt2-bpe/counts.json", 0, NULL);
    const json_t *known = json_object_get(all, "tinyshakespeare_nanoGPT_split");
    struct dataset d;
    assert_int_equal(prepare(&o), ERR_OK);
    assert_true(calls > 0);
    assert_int_equal(dataset_open(&d, "out/set"), ERR_OK);
    assert_int_equal(tokens_info(d.train)->count, 301966);
    assert_int_equal(tokens_info(d.held_out)->count, 36059);
    uint32_t first[20], last[5], held_out[20];
    tokens_get(d.train, 0, 20, first);
    tokens_get(d.train, 301961, 5, last);
    tokens_get(d.held_out, 0, 20, held_out);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(first[i], json_integer_value(json_array_get(
                                       json_object_get(known, "train_first20"), i)));
        assert_int_equal(held_out[i], json_integer_value(json_array_get(
                                          json_object_get(known, "val_first20"), i)));
    }
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(last[i], json_integer_value(json_array_get(
                                      json_object_get(known, "train_last5"), i)));
    json_decref(all);
    dataset_close(&d);

    o.tokenizer = "char";
    assert_int_equal(prepare(&o), ERR_OK);
    assert_int_equal(dataset_open(&d, "out/set"), ERR_OK);
    assert_int_equal(tokens_info(d.train)->count, 1003854);
    assert_int_equal(tokens_info(d.held_out)->count, 111540);
    assert_int_equal(tokens_info(d.train)->vocab, 65);
    dataset_close(&d);
}

RUN(T(bad_files_and_options_are_refused_and_leave_nothing),
    T(text_beyond_the_limit_is_refused), T(gzip_is_unpacked_and_its_damage_found),
    T(documents_end_with_the_end_of_text_when_there_are_several),
    T(the_split_counts_characters_not_bytes),
    T(a_set_of_parts_of_different_runs_is_refused),
    T(a_failed_run_leaves_the_old_set_as_it_was),
    T(a_set_whose_files_are_of_two_runs_has_no_tokenizer),
    T(tinyshakespeare_becomes_what_nanogpt_makes_of_it))
