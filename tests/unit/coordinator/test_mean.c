/* The mean of checkpoints: which, whether they fit together, and the numbers. */
#include "support/test.h"
#include "unit/conf/heard.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/mean.h"
#include "coordinator/tensors.h"
#include "nn/transformer.h"

static const char *const small[] = {"model.layers=1", "model.heads=2", "model.width=8",
                                    "model.context=4", NULL};
enum { VOCAB = 5 };
static struct transformer model;

static char *dump(const char *more)
{
    struct conf c;
    char *text = NULL;
    size_t bytes = 0;
    conf_init(&c);
    for (const char *const *w = small; *w; w++)
        assert_int_equal(conf_load_word(&c, *w), ERR_OK);
    if (more)
        assert_int_equal(conf_load_word(&c, more), ERR_OK);
    assert_int_equal(conf_check(&c), ERR_OK);
    FILE *out = open_memstream(&text, &bytes);
    conf_dump(&c, out);
    fclose(out);
    return text;
}

static int prepare(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    for (const char *const *w = small; *w; w++)
        if (conf_load_word(&c, *w))
            return 1;
    return conf_check(&c) || transformer_init(&model, &c.model, VOCAB);
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    return file_remove_tree("run") || file_remove_tree("other") ||
           file_remove_tree("mean") || file_remove_tree("again");
}

/* A checkpoint of @run whose parameters are all @value, evaluated @evaluated. */
struct planned {
    const char *run, *more, *tokenizer;
    uint64_t step, evaluated;
    double loss;
    float value;
};

static void put(struct planned p)
{
    float *theta = mem_alloc(model.count * sizeof *theta);
    for (size_t i = 0; i < model.count; i++)
        theta[i] = p.value;
    struct tensors all = tensors_of_model(&model, theta);
    char *yaml = dump(p.more);
    struct checkpoint_content c = {
        .state = {.step = p.step, .term = 2, .vocab = VOCAB, .version = "9.9"},
        .model = all.list,
        .models = all.n,
        .tokenizer = p.tokenizer ? p.tokenizer : "{}",
        .run_yaml = yaml};
    validation_init(&c.state.validation);
    c.state.validation.step = p.evaluated;
    c.state.validation.mark[VALIDATION_HELD_OUT_LOSS].last = p.loss;
    assert_int_equal(checkpoint_write(&disk_real, p.run, &c), ERR_OK);
    free(yaml);
    tensors_free(&all);
    mem_free(theta);
}

static struct mean gather(const char *path)
{
    struct mean m = {0};
    assert_int_equal(mean_gather(&m, path), ERR_OK);
    return m;
}

static float first_parameter(const char *dir)
{
    float *theta = mem_alloc(model.count * sizeof *theta);
    assert_int_equal(checkpoint_verify(dir), ERR_OK);
    assert_int_equal(tensors_load_model(dir, &model, false, theta), ERR_OK);
    for (size_t i = 1; i < model.count; i++)
        assert_true(theta[i] == theta[0]);
    const float x = theta[0];
    mem_free(theta);
    return x;
}

/* In float the small one would be lost, whatever the order but one. */
static void the_mean_is_taken_in_double_and_rounded_once(void **state)
{
    (void)state;
    put((struct planned){.run = "run", .step = 10, .value = 1e8f});
    put((struct planned){.run = "run", .step = 20, .value = 1});
    put((struct planned){.run = "run", .step = 30, .value = -1e8f});
    struct mean m = gather("run");
    assert_int_equal(mean_pick_all(&m), ERR_OK);
    assert_int_equal(mean_write(&m, "mean"), ERR_OK);
    mean_free(&m);
    assert_true(first_parameter("mean") == (float)(1. / 3));
    struct checkpoint_state s;
    assert_int_equal(checkpoint_read_state("mean", &s), ERR_OK);
    assert_true(s.step == 30 && s.vocab == VOCAB && s.validation.step == UINT64_MAX);
    m = gather("run");
    assert_int_equal(mean_pick_last(&m, 2), ERR_OK);
    assert_int_equal(mean_write(&m, "again"), ERR_OK);
    assert_int_equal(mean_write(&m, "again"), ERR_BUSY); /* it exists */
    mean_free(&m);
    assert_true(first_parameter("again") == (float)((1 - 1e8) / 2));
}

static void the_order_in_which_they_are_named_changes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"run/checkpoints/step-00000010",
                                        "other/checkpoints/step-00000010/",
                                        "run/checkpoints/step-00000030"};
    put((struct planned){.run = "run", .step = 10, .value = 1e30f});
    put((struct planned){.run = "other", .step = 10, .value = -1e30f});
    put((struct planned){.run = "run", .step = 30, .value = 3});
    float found[3];
    for (size_t k = 0; k < 3; k++) {
        struct mean m = {0};
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(mean_gather(&m, names[(i + k) % 3]), ERR_OK);
        assert_int_equal(mean_pick_all(&m), ERR_OK);
        assert_int_equal(file_remove_tree("mean"), ERR_OK);
        assert_int_equal(mean_write(&m, "mean"), ERR_OK);
        mean_free(&m);
        found[k] = first_parameter("mean");
    }
    assert_true(found[0] == 1 && found[1] == 1 && found[2] == 1);
}

static void the_best_are_those_evaluated_at_their_own_step(void **state)
{
    (void)state;
    static const struct planned all[] = {
        {.run = "run", .step = 10, .evaluated = 10, .loss = 2.0, .value = 1},
        {.run = "run", .step = 20, .evaluated = 10, .loss = 1.0, .value = 20},
        {.run = "run", .step = 30, .evaluated = 30, .loss = 1.5, .value = 3},
        {.run = "run", .step = 40, .evaluated = 40, .loss = NAN, .value = 40},
        {.run = "run", .step = 50, .evaluated = 50, .loss = 1.9, .value = 5}};
    for (size_t i = 0; i < 5; i++)
        put(all[i]);
    static const uint64_t want[][3] = {{30}, {30, 50}, {10, 30, 50}};
    for (size_t n = 1; n <= 3; n++) {
        struct mean m = gather("run");
        assert_int_equal(mean_pick_best(&m, n), ERR_OK);
        assert_int_equal(m.n, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(m.part[i].state.step, want[n - 1][i]);
        mean_free(&m);
    }
    struct mean m = gather("run");
    hear();
    assert_int_equal(mean_pick_best(&m, 4), ERR_RANGE);
    assert_said(said(), "3 of 5 good checkpoints have a held-out loss of their own step");
    hear();
    assert_int_equal(mean_pick_last(&m, 6), ERR_RANGE);
    assert_said(said(), "there are 5 good checkpoints, not 6");
    mean_free(&m);
}

static void what_does_not_fit_together_is_refused_with_both_names(void **state)
{
    (void)state;
    static const struct {
        const char *more, *tokenizer, *said;
    } cases[] = {{"model.layers=2", NULL, "have other configurations"},
                 {"optim.lr=0.5", NULL, "have other configurations"},
                 {NULL, "{\"a\":1}", "have other tokenizers"},
                 {"train.steps=7", NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        empty(NULL);
        put((struct planned){.run = "run", .step = 30});
        put((struct planned){.run = "other",
                             .step = 20,
                             .more = cases[i].more,
                             .tokenizer = cases[i].tokenizer});
        struct mean m = gather("run");
        assert_int_equal(mean_gather(&m, "other"), ERR_OK);
        assert_int_equal(mean_pick_all(&m), ERR_OK);
        hear();
        const int err = mean_write(&m, "mean");
        const char *text = said();
        assert_int_equal(err, cases[i].said ? ERR_CONFIG : ERR_OK);
        assert_int_equal(file_exists("mean"), !cases[i].said);
        for (size_t k = 0; k < 2 && cases[i].said; k++)
            assert_said(text, m.part[k].dir);
        if (cases[i].said)
            assert_said(text, cases[i].said);
        mean_free(&m);
    }
}

static void what_is_damaged_is_left_out_or_refused(void **state)
{
    (void)state;
    struct mean m = {0};
    log_silence(true);
    assert_int_equal(mean_gather(&m, "run"), ERR_NO_FILE);
    put((struct planned){.run = "run", .step = 10});
    put((struct planned){.run = "run", .step = 20});
    assert_int_equal(truncate("run/checkpoints/step-00000020/model.safetensors", 9), 0);
    assert_int_equal(mean_gather(&m, "run/checkpoints/step-00000020"), ERR_CORRUPT);
    assert_int_equal(mean_gather(&m, "run"), ERR_OK);
    assert_int_equal(m.n, 1);
    assert_int_equal(mean_gather(&m, "run/checkpoints/step-00000010"), ERR_OK);
    assert_int_equal(mean_pick_all(&m), ERR_INVALID); /* twice */
    mean_free(&m);
    assert_int_equal(truncate("run/checkpoints/step-00000010/MANIFEST", 9), 0);
    assert_int_equal(mean_gather(&m, "run"), ERR_NO_VALID);
    log_silence(false);
}

#define E(fn) cmocka_unit_test_setup(fn, empty)
int main(void)
{
    const struct CMUnitTest tests[] = {
        E(the_mean_is_taken_in_double_and_rounded_once),
        E(the_order_in_which_they_are_named_changes_nothing),
        E(the_best_are_those_evaluated_at_their_own_step),
        E(what_does_not_fit_together_is_refused_with_both_names),
        E(what_is_damaged_is_left_out_or_refused)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
