#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/prepare_pairs.h"

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    fclose(out);
}

#define INPUTS(...) ((const struct sentences_input[]){__VA_ARGS__})
#define SET         "out/set"

static struct prepare_pairs_options options_of(struct sentences_input input)
{
    static struct sentences_input kept;
    kept = input;
    return (struct prepare_pairs_options){
        .common = {.dir = SET, .tokenizer = "bpe:300", .held_out = 0.25},
        .inputs = &kept,
        .inputs_n = 1,
        .max_length = 1000};
}

/* "source|target\n" for each pair */
static void check_pairs(const struct parallel *p, const struct tokenizer *k,
                        const char *expected)
{
    char text[1024];
    size_t at = 0;
    for (uint64_t i = 0; i < parallel_info(p)->count; i++) {
        uint32_t n[2], ids[2][256];
        parallel_lengths(p, i, &n[0], &n[1]);
        parallel_get(p, i, ids[0], ids[1]);
        for (int side = 0; side < 2; side++) {
            for (uint32_t j = 0; j < n[side]; j++) {
                const char *piece;
                size_t bytes;
                tokenizer_piece(k, ids[side][j], &piece, &bytes);
                memcpy(text + at, piece, bytes);
                at += bytes;
            }
            text[at++] = side ? '\n' : '|';
        }
    }
    text[at] = '\0';
    assert_string_equal(text, expected);
}

static void check_set(const char *train, const char *held_out)
{
    struct dataset d;
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    assert_true(!d.train && !d.held_out);
    check_pairs(d.train_pairs, d.tokenizer, train);
    check_pairs(d.held_out_pairs, d.tokenizer, held_out);
    dataset_close(&d);
}

static void lines_are_stripped_and_empty_ones_left_out(void **state)
{
    (void)state;
    struct prepare_pairs_options o = options_of((struct sentences_input){"en", "de"});
    put("en", "one\r\n  two \t\n\n   \nfive\nsix\nseven"); /* no newline at the end */
    put("de", "eins\nzwei\ndrei\nvier\n\t \r\nsechs\nsieben\n");
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    check_set("one|eins\ntwo|zwei\nsix|sechs\n", "seven|sieben\n");

    struct sentences s;
    assert_int_equal(sentences_read(&s, o.inputs, 1, 1 << 20), ERR_OK);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.bytes, 14 + 19);
    assert_int_equal(s.left_out[LEFT_OUT_EMPTY_SOURCE].n, 2);
    assert_int_equal(s.left_out[LEFT_OUT_EMPTY_SOURCE].first[0].line, 3);
    assert_int_equal(s.left_out[LEFT_OUT_EMPTY_SOURCE].first[1].line, 4);
    assert_string_equal(s.left_out[LEFT_OUT_EMPTY_SOURCE].first[0].path, "en");
    assert_int_equal(s.left_out[LEFT_OUT_EMPTY_TARGET].n, 1);
    assert_int_equal(s.left_out[LEFT_OUT_EMPTY_TARGET].first[0].line, 5);
    assert_string_equal(s.left_out[LEFT_OUT_EMPTY_TARGET].first[0].path, "de");
    assert_int_equal(s.left_out[LEFT_OUT_TOO_LONG].n, 0);
    assert_int_equal(s.all[3].line, 7);
    sentences_fini(&s);
}

static void a_pair_longer_than_asked_on_either_side_is_left_out(void **state)
{
    (void)state;
    struct prepare_pairs_options o = options_of((struct sentences_input){"tsv", NULL});
    put("tsv", "abc\tdef\nabcd\tx\nx\tabcd\nxyz\tx\na\tb\n");
    o.common.tokenizer = "bpe:257"; /* bytes */
    o.max_length = 3;
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    check_set("abc|def\n", "xyz|x\na|b\n");
    o.max_length = 4;
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    check_set("abc|def\nabcd|x\nx|abcd\n", "xyz|x\na|b\n");
    o.max_length = 2;
    assert_int_equal(prepare_pairs(&o), ERR_DATA); /* none is left to train */
    check_set("abc|def\nabcd|x\nx|abcd\n", "xyz|x\na|b\n");
    o.max_length = 0;
    assert_int_equal(prepare_pairs(&o), ERR_RANGE);
}

static void several_files_and_given_held_out_ones_are_one_text_each(void **state)
{
    (void)state;
    put("a.en", "a\nb\n");
    put("a.de", "A\nB\n");
    put("c.tsv", "c\tC\n");
    put("d.tsv", "d\tD\n");
    struct prepare_pairs_options o = options_of((struct sentences_input){0});
    o.inputs = INPUTS({"a.en", "a.de"}, {"c.tsv", NULL});
    o.inputs_n = 2;
    o.held_out = INPUTS({"d.tsv", NULL}, {"a.en", "a.de"});
    o.held_out_n = 2;
    o.common.held_out = 0; /* not looked at */
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    check_set("a|A\nb|B\nc|C\n", "d|D\na|A\nb|B\n");

    struct dataset d;
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    assert_int_equal(parallel_info(d.train_pairs)->target_bytes, 3);
    assert_int_equal(parallel_info(d.train_pairs)->width, 2);
    dataset_close(&d);
}

/* "ab" is frequent in the targets that train only, "xy" in the held-out pair only. */
static void the_tokenizer_learns_from_both_sides_that_train(void **state)
{
    (void)state;
    struct prepare_pairs_options o = options_of((struct sentences_input){"tsv", NULL});
    struct dataset d;
    put("tsv", "cd cd\tab ab\ncd\tab\ncd\tab\nxy xy xy xy\txy xy xy\n");
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    uint32_t source, target, *ids;
    size_t n;
    parallel_lengths(d.train_pairs, 1, &source, &target);
    assert_true(source == 1 && target == 1);
    assert_int_equal(tokenizer_encode(d.tokenizer, "xy", 2, &ids, &n), ERR_OK);
    assert_int_equal(n, 2);
    mem_free(ids);
    dataset_close(&d);
}

static void bad_files_and_options_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    put("three", "a\nb\nc\n");
    put("four", "a\nb\nc\nd\n");
    put("empty", "");
    put("blank", "\n\n\n");
    put("latin1", "a\nb\ncaf\xE9\n");
    put("no-tab", "a\tb\nc d\n");
    put("two-tabs", "a\tb\nc\td\te\n");
    put("good.tsv", "a\tb\nc\td\n");
    static const struct {
        struct sentences_input input;
        const char *tokenizer;
        int err;
    } cases[] = {
        {{"three", "four"}, "bpe:300", ERR_DATA},
        {{"four", "three"}, "bpe:300", ERR_DATA},
        {{"three", "missing"}, "bpe:300", ERR_NO_FILE},
        {{"three", "empty"}, "bpe:300", ERR_DATA},
        {{"empty", "empty"}, "bpe:300", ERR_DATA},
        {{"three", "blank"}, "bpe:300", ERR_DATA},
        {{"three", "latin1"}, "bpe:300", ERR_DATA},
        {{"latin1", "three"}, "bpe:300", ERR_DATA},
        {{"no-tab", NULL}, "bpe:300", ERR_DATA},
        {{"two-tabs", NULL}, "bpe:300", ERR_DATA},
        {{"good.tsv", NULL}, "byte", ERR_INVALID},
        {{"good.tsv", NULL}, "char", ERR_INVALID},
        {{"good.tsv", NULL}, "words", ERR_INVALID},
        {{"good.tsv", NULL}, "bpe:12", ERR_RANGE},
    };
    assert_int_equal(file_remove_tree("out"), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prepare_pairs_options o = options_of(cases[i].input);
        o.common.tokenizer = cases[i].tokenizer;
        const int err = prepare_pairs(&o);
        if (err != cases[i].err)
            fail_msg("case %zu: %s", i, err_name(err));
        assert_false(file_exists(SET "/" DATASET_TRAIN_PAIRS) ||
                     file_exists(SET "/" DATASET_TRAIN_PAIRS ".tmp") ||
                     file_exists(SET "/" DATASET_TOKENIZER));
    }
    struct prepare_pairs_options o =
        options_of((struct sentences_input){"good.tsv", NULL});
    o.common.held_out = 1;
    assert_int_equal(prepare_pairs(&o), ERR_RANGE);
    o.common.held_out = 0.5;
    o.common.limit = 7;
    assert_int_equal(prepare_pairs(&o), ERR_DATA);
    o.common.limit = 8;
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    o.inputs_n = 0;
    assert_int_equal(prepare_pairs(&o), ERR_INVALID);
}

static int prepare_text(void)
{
    put("text", "some text, some text");
    return prepare(&(struct prepare_options){.files = (const char *[]){"text"},
                                             .files_n = 1,
                                             .dir = SET,
                                             .tokenizer = "bpe:300",
                                             .held_out = 0.5});
}

static void a_folder_has_one_kind_and_one_with_both_is_refused(void **state)
{
    (void)state;
    struct dataset d;
    put("tsv", "a\tb\nc\td\n");
    struct prepare_pairs_options o = options_of((struct sentences_input){"tsv", NULL});
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    assert_int_equal(prepare_text(), ERR_OK);
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    assert_true(d.train && d.held_out && !d.train_pairs && !d.held_out_pairs);
    dataset_close(&d);
    assert_false(file_exists(SET "/" DATASET_TRAIN_PAIRS));
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    check_set("a|b\n", "c|d\n");
    assert_false(file_exists(SET "/" DATASET_HELD_OUT));
    put(SET "/" DATASET_HELD_OUT, "");
    assert_int_equal(dataset_open(&d, SET), ERR_DATA);
    unlink(SET "/" DATASET_HELD_OUT);
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    dataset_close(&d);
    unlink(SET "/" DATASET_HELD_OUT_PAIRS);
    assert_int_equal(dataset_open(&d, SET), ERR_NO_FILE);
    assert_int_equal(file_remove_tree("out"), ERR_OK);
}

static void pairs_of_another_tokenizer_are_refused(void **state)
{
    (void)state;
    struct dataset d;
    char *json;
    size_t n;
    struct prepare_pairs_options o = options_of((struct sentences_input){"tsv", NULL});
    put("tsv", "a a a a\tb b b\nc\td\n");
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    assert_int_equal(file_read(SET "/" DATASET_TOKENIZER, 1 << 20, &json, &n), ERR_OK);
    o.common.tokenizer = "bpe:257";
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    put(SET "/" DATASET_TOKENIZER, json);
    assert_int_equal(dataset_open(&d, SET), ERR_DATA);
    mem_free(json);
}

static void multi30k_is_whole(void **state)
{
    (void)state;
#define TOK TEST_SHARED "/data/multi30k-en-de-tok/"
    if (!file_exists(TOK "train.lc.norm.tok.en.gz")) {
        print_message("no test data in " TEST_SHARED "\n");
        skip();
    }
    struct prepare_pairs_options o = options_of((struct sentences_input){
        TOK "train.lc.norm.tok.en.gz", TOK "train.lc.norm.tok.de.gz"});
    o.common.tokenizer = "bpe:8000";
    o.held_out = INPUTS({TOK "val.lc.norm.tok.en.gz", TOK "val.lc.norm.tok.de.gz"});
    o.held_out_n = 1;
    struct dataset d;
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    assert_int_equal(dataset_open(&d, SET), ERR_OK);
    assert_int_equal(parallel_info(d.train_pairs)->count, 29000);
    assert_int_equal(parallel_info(d.held_out_pairs)->count, 1014);
    dataset_close(&d);
}

RUN(T(lines_are_stripped_and_empty_ones_left_out),
    T(a_pair_longer_than_asked_on_either_side_is_left_out),
    T(several_files_and_given_held_out_ones_are_one_text_each),
    T(the_tokenizer_learns_from_both_sides_that_train),
    T(bad_files_and_options_are_refused_and_leave_nothing),
    T(a_folder_has_one_kind_and_one_with_both_is_refused),
    T(pairs_of_another_tokenizer_are_refused), T(multi30k_is_whole))
