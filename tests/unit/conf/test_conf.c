#include "support/test.h"
#include "unit/conf/heard.h"

#include <ctype.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/option.h"

static int load(struct conf *c, const char *text)
{
    return conf_load_text(c, text, strlen(text), "run.yaml");
}

static int clear_environment(void **state)
{
    (void)state;
    return clearenv();
}

static void a_bad_word_is_explained_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int err;
        const char *said;
    } cases[] = {
        {"", ERR_INVALID, "command line: expected group.name=value, not ''"},
        {"model.layers", ERR_INVALID, "expected group.name=value, not 'model.layers'"},
        {"=", ERR_UNKNOWN, "command line: unknown option ''"},
        {"=5", ERR_UNKNOWN, "unknown option ''"},
        {"model=5", ERR_UNKNOWN, "unknown option 'model'"},
        {"model.layer=5", ERR_UNKNOWN,
         "unknown option 'model.layer'; did you mean 'model.layers'?"},
        {"zzz=5", ERR_UNKNOWN, "`lockstep options` lists all"},
        {"model.layers=", ERR_INVALID, "model.layers is '', expected"},
        {"model.layers=0", ERR_RANGE,
         "model.layers is '0', expected a whole number, 1 to 1024"},
        {"model.kv_heads=x", ERR_INVALID, "1 to 1024, or auto"},
        {"model.norm=rmsnrm", ERR_UNKNOWN,
         "expected layernorm or rmsnorm; did you mean 'rmsnorm'?"},
        {"cluster.lease=9d", ERR_RANGE, "expected a duration of 200ms to 1h"},
        {"train.steps=x", ERR_INVALID, "expected 1 to 1e12 steps, epochs (5e) or tokens"},
        {"train.keep_best=maybe", ERR_INVALID, "expected true or false"},
        {"run.dir=a\x1b[31m", ERR_INVALID, "run.dir is 'a?[31m'"},
        {"model.layers.model.layers.model.layers.model.layers.model.layers.model=1",
         ERR_UNKNOWN, "unknown option"},
    };
    struct conf c, before;
    conf_init(&c);
    before = c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hear();
        const int err = conf_load_word(&c, cases[i].word);
        const char *text = said();
        assert_int_equal(err, cases[i].err);
        assert_said(text, cases[i].said);
        assert_int_equal(lines(text), 1);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    assert_int_equal(c.model.layers, 6);
    assert_int_equal(c.model.kv_heads, 0);
    assert_true(isnan(c.model.dropout_embed));
    assert_true(c.optim.lr == 1e-3);
    assert_int_equal(c.optim.name, OPTIMIZER_ADAMW);
    assert_true(c.train.steps.count == 2000 && c.train.steps.unit == CONF_STEPS);
    assert_true(c.cluster.heartbeat == 0.5);
    assert_true(c.model.tied && !c.model.init_depth_scale);
    assert_string_equal(c.cluster.listen, "auto");
    assert_string_equal(c.source[OPTION_model_layers], "default");
}

/* All orders of the three loads give the same. */
static void the_higher_source_wins_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(setenv("LOCKSTEP_MODEL_LAYERS", "3", 1), 0);
    assert_int_equal(setenv("LOCKSTEP_MODEL_WIDTH", "30", 1), 0);
    static const char *const orders[] = {"few", "fwe", "efw", "ewf", "wfe", "wef"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct conf c;
        conf_init(&c);
        for (const char *p = orders[i]; *p; p++) {
            if (*p == 'f')
                assert_int_equal(load(&c, "# a run\nmodel: {layers: 2, width: 20,\n"
                                          " heads: 10}\n"),
                                 ERR_OK);
            if (*p == 'e')
                assert_int_equal(conf_load_env(&c), ERR_OK);
            if (*p == 'w')
                assert_int_equal(conf_load_word(&c, "model.layers=4"), ERR_OK);
        }
        assert_int_equal(c.model.layers, 4);
        assert_int_equal(c.model.width, 30);
        assert_int_equal(c.model.heads, 10);
        assert_string_equal(c.source[OPTION_model_layers], "command line");
        assert_string_equal(c.source[OPTION_model_width], "environment");
        assert_string_equal(c.source[OPTION_model_heads], "run.yaml:3");
    }
}

static void of_equal_sources_the_last_one_wins(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    assert_int_equal(conf_load_word(&c, "model.layers=4"), ERR_OK);
    assert_int_equal(conf_load_word(&c, "model.layers=5"), ERR_OK);
    assert_int_equal(load(&c, "model.width: 20"), ERR_OK);
    assert_int_equal(load(&c, "model.width: 30"), ERR_OK);
    assert_int_equal(c.model.layers, 5);
    assert_int_equal(c.model.width, 30);
}

static void an_overridden_value_is_checked_all_the_same(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    assert_int_equal(conf_load_word(&c, "model.layers=4"), ERR_OK);
    hear();
    const int err = load(&c, "model.layers: many");
    assert_said(said(), "run.yaml:1:15: model.layers is 'many'");
    assert_int_equal(err, ERR_INVALID);
}

static void a_wrong_variable_is_an_error_and_a_foreign_one_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int err;
        const char *said;
    } cases[] = {
        {"LOCKSTEP_MODEL_LAYER", "3", ERR_UNKNOWN,
         "error environment LOCKSTEP_MODEL_LAYER: no such option, correct or unset it; "
         "did "
         "you mean LOCKSTEP_MODEL_LAYERS?"},
        {"LOCKSTEP_MODEL_layers", "3", ERR_UNKNOWN,
         "did you mean LOCKSTEP_MODEL_LAYERS?"},
        {"LOCKSTEP_MODEL_", "3", ERR_UNKNOWN, "no such option"},
        {"LOCKSTEP_MODEL_LAYERS", "", ERR_INVALID,
         "environment LOCKSTEP_MODEL_LAYERS: model.layers is '', expected"},
        {"LOCKSTEP_MODEL_LAYERS", "0", ERR_RANGE, "environment LOCKSTEP_MODEL_LAYERS"},
        {"LOCKSTEP_MODLE_LAYERS", "3", ERR_OK,
         "warn  environment LOCKSTEP_MODLE_LAYERS: no such option, ignored; did you mean "
         "LOCKSTEP_MODEL_LAYERS?"},
        {"LOCKSTEP_FOO_BAR", "secret", ERR_OK,
         "LOCKSTEP_FOO_BAR: no such option, ignored"},
        {"LOCKSTEP_", "", ERR_OK, "ignored"},
        {"LOCKSTEP_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "", ERR_OK, "ignored"},
        {"LOCKSTEP_MODEL_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "", ERR_UNKNOWN, "no such option"},
        {"OTHER_MODEL_LAYERS", "3", ERR_OK, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c, before;
        conf_init(&c);
        before = c;
        assert_int_equal(clearenv(), 0);
        assert_int_equal(setenv(cases[i].name, cases[i].value, 1), 0);
        hear();
        const int err = conf_load_env(&c);
        const char *text = said();
        assert_int_equal(err, cases[i].err);
        assert_said(text, cases[i].said);
        assert_int_equal(lines(text), *cases[i].said ? 1 : 0);
        assert_null(strstr(text, "secret"));
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void one_wrong_variable_keeps_the_others_from_being_set(void **state)
{
    (void)state;
    static const char *const names[] = {"LOCKSTEP_MODEL_LAYERS", "LOCKSTEP_MODEL_LAYER",
                                        "LOCKSTEP_MODEL_WIDTH", "LOCKSTEP_MODEL_NORM"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(setenv(names[i], "12", 1), 0);
    struct conf c, before;
    conf_init(&c);
    before = c;
    hear();
    const int err = conf_load_env(&c);
    assert_int_equal(lines(said()), 2); /* both mistakes are named */
    assert_int_equal(err, ERR_UNKNOWN);
    assert_memory_equal(&c, &before, sizeof c);
}

static void every_option_can_be_set_by_its_variable(void **state)
{
    (void)state;
    OPTION_FOR_EACH(o)
    {
        char name[80];
        const int n = snprintf(name, sizeof name, "LOCKSTEP_%s", o->key);
        for (int i = 0; i < n; i++)
            name[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
        assert_int_equal(setenv(name, o->initial, 1), 0);
    }
    struct conf c;
    conf_init(&c);
    assert_int_equal(conf_load_env(&c), ERR_OK);
    OPTION_FOR_EACH(o)
    assert_string_equal(c.source[option_id(o)], "environment");
}

static void lengths_in_epochs_and_tokens_become_steps(void **state)
{
    (void)state;
    static const struct {
        struct conf_steps s;
        double scale; /* steps per epoch, or tokens per step */
        uint64_t expected;
    } cases[] = {
        {{0, CONF_STEPS}, 10, 0},
        {{7, CONF_STEPS}, 0, 7},
        {{5, CONF_EPOCHS}, 10, 50},
        {{0.5, CONF_EPOCHS}, 10, 5},
        {{0.001, CONF_EPOCHS}, 10, 1},
        {{3, CONF_EPOCHS}, 0.1, 1},
        {{3, CONF_EPOCHS}, 33.4, 100},
        {{1e12, CONF_STEPS}, 1, 1000000000000},
        {{1e12, CONF_EPOCHS}, 1e12, 1ull << 62},
        {{10e6, CONF_TOKENS}, 4096, 2441},
        {{4096, CONF_TOKENS}, 4096, 1},
        {{6145, CONF_TOKENS}, 4096, 2},
        {{1, CONF_TOKENS}, 4096, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            conf_steps_count(cases[i].s,
                             (struct conf_scale){.steps_per_epoch = cases[i].scale,
                                                 .tokens_per_step = cases[i].scale}),
            cases[i].expected);
}

/* A ramp of 6 steps has the data of 3 whole ones. */
static void lengths_in_epochs_and_tokens_know_of_the_ramp(void **state)
{
    (void)state;
    const struct conf_scale scale = {.steps_per_epoch = 10,
                                     .tokens_per_step = 100,
                                     .ramp = {.steps = 6, .from = 2},
                                     .slices = 10};
    assert_int_equal(conf_steps_count((struct conf_steps){7, CONF_STEPS}, scale), 7);
    assert_int_equal(conf_steps_count((struct conf_steps){1, CONF_EPOCHS}, scale), 13);
    assert_int_equal(conf_steps_count((struct conf_steps){300, CONF_TOKENS}, scale), 6);
    assert_int_equal(conf_steps_count((struct conf_steps){1000, CONF_TOKENS}, scale), 13);
}

static void strings_outlive_what_they_were_read_from_and_are_kept_once(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    char word[] = "run.dir=runs/first";
    assert_int_equal(conf_load_word(&c, word), ERR_OK);
    memset(word, 'x', sizeof word - 1);
    assert_string_equal(c.run.dir, "runs/first");
    const uint64_t before = mem_count();
    struct conf d;
    conf_init(&d);
    assert_int_equal(conf_load_word(&d, "run.dir=runs/first"), ERR_OK);
    assert_ptr_equal(c.run.dir, d.run.dir);
    assert_int_equal(mem_count(), before);
}

int main(void)
{
#define FRESH(fn) cmocka_unit_test_setup(fn, clear_environment)
    const struct CMUnitTest tests[] = {
        FRESH(a_bad_word_is_explained_and_changes_nothing),
        FRESH(defaults_are_those_of_the_table),
        FRESH(the_higher_source_wins_in_any_order),
        FRESH(of_equal_sources_the_last_one_wins),
        FRESH(an_overridden_value_is_checked_all_the_same),
        FRESH(a_wrong_variable_is_an_error_and_a_foreign_one_a_warning),
        FRESH(one_wrong_variable_keeps_the_others_from_being_set),
        FRESH(every_option_can_be_set_by_its_variable),
        FRESH(lengths_in_epochs_and_tokens_become_steps),
        FRESH(lengths_in_epochs_and_tokens_know_of_the_ramp),
        FRESH(strings_outlive_what_they_were_read_from_and_are_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
