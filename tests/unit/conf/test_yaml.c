#include "support/test.h"
#include "unit/conf/heard.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/philox.h"
#include "conf/option.h"

static int load(struct conf *c, const char *text)
{
    return conf_load_text(c, text, strlen(text), "run.yaml");
}

static void a_bad_file_is_explained_with_line_and_column_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        const char *said;
    } cases[] = {
        /* form */
        {"model", ERR_INVALID, "run.yaml:1:1: expected 'group:'"},
        {"- model", ERR_INVALID, "run.yaml:1:1: no option takes a list"},
        {"[model]", ERR_INVALID, "run.yaml:1:1: no option takes a list"},
        {"model:\n  layers: [1, 2]\n", ERR_INVALID,
         "run.yaml:2:11: no option takes a list"},
        {"model:\n - layers: 2\n", ERR_INVALID, "run.yaml:2:2: no option takes a list"},
        {"model:\n  layers: {a: 1}\n", ERR_INVALID,
         "run.yaml:2:11: model.layers takes one value"},
        {"model:\n  layers:\n    a: 1\n", ERR_INVALID, "model.layers takes one value"},
        {"model.layers:\n  a: 1\n", ERR_INVALID, "model.layers takes one value"},
        {"model: &a\n  layers: 2\n", ERR_INVALID, "run.yaml:1:8: anchors (&name)"},
        {"model:\n  layers: &a 2\n", ERR_INVALID, "run.yaml:2:11: anchors (&name)"},
        {"model:\n  layers: *a\n", ERR_INVALID, "run.yaml:2:11: aliases (*name)"},
        {"model: *a\n", ERR_INVALID, "aliases (*name)"},
        {"*a : 1\n", ERR_INVALID, "aliases (*name)"},
        {"&a model: 1\n", ERR_INVALID, "anchors (&name)"},
        {"model:\n  layers: !!int 2\n", ERR_INVALID, "run.yaml:2:11: tags (!name)"},
        {"!x\nmodel:\n  layers: 2\n", ERR_INVALID, "tags (!name)"},
        {"? {a: 1}\n: 2\n", ERR_INVALID, "a name must be a word"},
        {"? [a]\n: 2\n", ERR_INVALID, "no option takes a list"},
        {"model:\n  ? {a: 1}\n  : 2\n", ERR_INVALID, "a name must be a word"},
        {"model.layers: 1\n---\nmodel.layers: 2\n", ERR_INVALID,
         "run.yaml:2:1: a second document"},
        {"model:\n  layers: 2\n width: 3\n", ERR_INVALID, "run.yaml:3:"},
        {"model:\n\tlayers: 2\n", ERR_INVALID, "run.yaml:2:1: "},
        {"model: {layers: 2\n", ERR_INVALID, "run.yaml:2:1: "},
        {"model:\n  layers: \"2\n", ERR_INVALID, "run.yaml:"},
        {"model.layers: 1: 2\n", ERR_INVALID, "run.yaml:1:16: "},
        {"%YAML 9.9\n---\nmodel.layers: 2\n", ERR_INVALID, "run.yaml:1:1: "},
        {"model.layers: \xff\n", ERR_INVALID, "run.yaml: byte 14: "},
        {"model.layers: \x01\n", ERR_INVALID, "run.yaml: byte 14: "},
        /* names */
        {"model:\n  layer: 2\n", ERR_UNKNOWN,
         "run.yaml:2:3: unknown option 'model.layer'; did you mean 'model.layers'?"},
        {"train.stesp: 2\n", ERR_UNKNOWN,
         "run.yaml:1:1: unknown option 'train.stesp'; did you mean 'train.steps'?"},
        {"layers: 2\n", ERR_UNKNOWN,
         "unknown option 'layers'; did you mean 'model.layers'?"},
        {"modle:\n  layers: 2\n", ERR_UNKNOWN,
         "run.yaml:1:1: unknown group 'modle'; did you mean 'model'?"},
        {"zzzzzzzz:\n  layers: 2\n", ERR_UNKNOWN, "unknown group 'zzzzzzzz'\n"},
        {"model:\n  model.layers: 2\n", ERR_UNKNOWN,
         "unknown option 'model.model.layers'"},
        {"<<: 2\n", ERR_UNKNOWN, "unknown option '<<'"},
        {"\"model\\0.layers\": 2\n", ERR_UNKNOWN, "run.yaml:1:1: unknown option 'model'"},
        {"model: 5\n", ERR_INVALID, "run.yaml:1:1: model is a group"},
        /* values */
        {"model:\n  layers: 0\n", ERR_RANGE,
         "run.yaml:2:11: model.layers is '0', expected a whole number, 1 to 1024"},
        {"model:\n  layers:\n  width: 4\n", ERR_INVALID,
         "run.yaml:2:3: model.layers has no value"},
        {"run:\n  dir: ~\n", ERR_INVALID, "run.yaml:2:3: run.dir has no value"},
        {"run.dir: \"a\\0b\"\n", ERR_INVALID, "run.dir contains a zero byte"},
        {"run.dir: \"a\\nb\"\n", ERR_INVALID, "run.dir is 'a?b'"},
        {"run.dir: |\n  a\n", ERR_INVALID, "run.dir is 'a?'"},
        /* twice */
        {"model:\n  layers: 1\n  layers: 1\n", ERR_INVALID,
         "run.yaml:3:3: model.layers stands already in line 2"},
        {"model:\n  layers: 1\nmodel.layers: 1\n", ERR_INVALID,
         "run.yaml:3:1: model.layers stands already in line 2"},
        {"model:\n  layers: 1\ntrain:\n  batch: 9\nmodel:\n  width: 4\n", ERR_INVALID,
         "run.yaml:5:1: group model stands already in line 1"},
    };
    struct conf c, before;
    conf_init(&c);
    before = c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hear();
        const int err = load(&c, cases[i].text);
        const char *text = said();
        assert_said(text, cases[i].said);
        assert_int_equal(lines(text), 1);
        if (err != cases[i].err)
            fail_msg("%s instead of %s for:\n%s", err_name(err), err_name(cases[i].err),
                     cases[i].text);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void all_wrong_options_of_a_file_are_reported_at_once(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    hear();
    const int err = load(&c, "model:\n  layers: 0\n  layer: 1\n  norm: none\n"
                             "modle:\n  width: 3\ntrain.batch: x\n");
    const char *text = said();
    assert_int_equal(err, ERR_RANGE); /* the first */
    assert_int_equal(lines(text), 5);
    assert_said(text, "run.yaml:2:");
    assert_said(text, "run.yaml:3:");
    assert_said(text, "run.yaml:4:");
    assert_said(text, "run.yaml:5:");
    assert_said(text, "run.yaml:7:");

    hear();
    const int deep = load(&c, "modle:\n  layers:\n    b: 1\n");
    text = said();
    assert_int_equal(deep, ERR_INVALID);
    assert_int_equal(lines(text), 2);
    assert_said(text, "run.yaml:1:1: unknown group 'modle'");
    assert_said(text, "run.yaml:2:3: more than two levels of names");

    char many[4000] = "";
    for (int i = 0; i < 200; i++)
        sprintf(many + strlen(many), "x%d: 1\n", i);
    hear();
    assert_int_equal(load(&c, many), ERR_UNKNOWN);
    assert_int_equal(lines(said()), 20);
}

static void both_ways_of_writing_and_empty_files_are_understood(void **state)
{
    (void)state;
    static const char *const nothing[] = {
        "",      "\n",           "# only words\n",
        "---\n", "model:",       "model: {}",
        "~",     "\xef\xbb\xbf", "model:\n#  layers: 3\ntrain:\n"};
    struct conf c, before;
    conf_init(&c);
    before = c;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        assert_int_equal(load(&c, nothing[i]), ERR_OK);
        assert_memory_equal(&c, &before, sizeof c);
    }
    assert_int_equal(load(&c, "---\n# a run\nmodel:          # the model\n  layers: 12\n"
                              "  norm: 'rmsnorm'\r\n  tied: no\n"
                              "train.steps: 5e\ntrain: {batch: \"64\", seed: 3}\n"
                              "run:\n  dir: runs/a b # here\n...\n"),
                     ERR_OK);
    assert_int_equal(c.model.layers, 12);
    assert_int_equal(c.model.norm, NORM_RMS);
    assert_false(c.model.tied);
    assert_true(c.train.steps.count == 5 && c.train.steps.unit == CONF_EPOCHS);
    assert_int_equal(c.train.batch, 64);
    assert_string_equal(c.run.dir, "runs/a b");
    assert_string_equal(c.source[OPTION_train_steps], "run.yaml:7");
}

static void the_source_of_a_long_path_keeps_file_and_line(void **state)
{
    (void)state;
    char path[600];
    memset(path, 'd', sizeof path);
    strcpy(path + 500, "/run.yaml");
    struct conf c;
    conf_init(&c);
    assert_int_equal(conf_load_text(&c, "model.layers: 7", 15, path), ERR_OK);
    const char *source = c.source[OPTION_model_layers];
    assert_int_equal(strlen(source), CONF_SOURCE_MAX - 1);
    assert_int_equal(strncmp(source, "...ddd", 6), 0);
    assert_string_equal(strrchr(source, '/'), "/run.yaml:1");
    hear();
    assert_int_equal(conf_load_text(&c, "model.layers: x", 15, path), ERR_INVALID);
    assert_said(said(), "d/run.yaml:1:15: model.layers is 'x'");
}

static void a_file_is_read_up_to_a_size(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    const size_t limit = 1 << 20;
    char *text = mem_alloc(limit + 1);
    memset(text, '#', limit + 1);
    memcpy(text, "model.layers: 9\n", 16);
    hear();
    const int none = conf_load_file(&c, "none.yaml");
    assert_said(said(), "none.yaml");
    assert_int_equal(none, ERR_NO_FILE);

    assert_int_equal(file_write_atomic("large.yaml", text, limit + 1), ERR_OK);
    hear();
    const int large = conf_load_file(&c, "large.yaml");
    const int large_text = conf_load_text(&c, text, limit + 1, "message");
    assert_int_equal(lines(said()), 2);
    assert_int_equal(large, ERR_INVALID);
    assert_int_equal(large_text, ERR_INVALID);
    assert_int_equal(c.model.layers, 6);

    assert_int_equal(file_write_atomic("large.yaml", text, limit), ERR_OK);
    assert_int_equal(conf_load_file(&c, "large.yaml"), ERR_OK);
    assert_int_equal(c.model.layers, 9);
    assert_string_equal(c.source[OPTION_model_layers], "large.yaml:1");
    mem_free(text);
}

/* A mebibyte of anything ends in time that grows no faster than its length. */
static void no_file_takes_long(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "[",       "{",    "- ",   "? ",      ": ",    "a: ", "{a: ",   "\"",  "'",
        "a:\n ",   "#",    "\n",   "&a ",     "!a ",   "a\n", "x: 1\n", "|\n", "%A\n",
        "\"a\": ", "[a, ", "a: {", "a: &b\n", "---\n", " ",   "a",      "{? "};
    const size_t limit = 1 << 20;
    char *text = mem_alloc(limit);
    struct conf c;
    conf_init(&c);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const size_t n = strlen(patterns[i]);
        for (size_t at = 0; at < limit; at++)
            text[at] = patterns[i][at % n];
        const double start = clock_seconds();
        hear();
        (void)conf_load_text(&c, text, limit, "run.yaml");
        assert_true(lines(said()) <= 21);
        const double seconds = clock_seconds() - start;
        print_message("%.3f s for: %.8s\n", seconds, patterns[i]);
        assert_true(seconds < 5); /* the slowest takes a tenth, under sanitizers */
    }
    mem_free(text);
}

/* Bytes of a good file replaced, removed, doubled: read or refused, never half. */
static void a_damaged_file_is_refused_or_read_whole(void **state)
{
    (void)state;
    char *good;
    size_t bytes;
    FILE *out = open_memstream(&good, &bytes);
    assert_non_null(out);
    struct conf c;
    conf_init(&c);
    conf_dump(&c, out);
    fclose(out);

    static const char bad[] = "\0\n\t:#&*!|>'\"%@`{}[],-?~\xff\x80 0ae";
    const char *seed_text = getenv("TEST_SEED");
    const uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    enum { DAMAGED = 1500 };
    char *text = mem_alloc(bytes);
    size_t read = 0;
    for (uint32_t i = 0; i < DAMAGED; i++) {
        memcpy(text, good, bytes);
        for (uint32_t j = 0; j <= i % 3; j++) {
            const struct philox_block x = philox(key, (struct philox_block){{i, j}});
            text[x.word[0] % bytes] = bad[x.word[1] % (sizeof bad - 1)];
        }
        const struct conf before = c;
        hear();
        const int err =
            conf_load_text(&c, text, bytes - (i % 8 ? 0 : i % 80), "run.yaml");
        const char *heard_text = said();
        assert_int_equal(*heard_text == '\0', err == ERR_OK);
        read += err == ERR_OK;
        if (err)
            assert_memory_equal(&c, &before, sizeof c);
    }
    print_message("%zu of %d were still readable\n", read, DAMAGED);
    assert_true(read > 0 && read < DAMAGED);
    mem_free(text);
    free(good);
}

RUN(T(a_bad_file_is_explained_with_line_and_column_and_changes_nothing),
    T(all_wrong_options_of_a_file_are_reported_at_once),
    T(both_ways_of_writing_and_empty_files_are_understood),
    T(the_source_of_a_long_path_keeps_file_and_line), T(a_file_is_read_up_to_a_size),
    T(no_file_takes_long), T(a_damaged_file_is_refused_or_read_whole))
