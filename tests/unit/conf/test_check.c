#include "support/test.h"
#include "unit/conf/heard.h"

#include "base/err.h"
#include "conf/option.h"

/* Defaults, then the words separated by spaces. */
static void load(struct conf *c, const char *words)
{
    char text[256];
    snprintf(text, sizeof text, "%s", words);
    conf_init(c);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        assert_int_equal(conf_load_word(c, word), ERR_OK);
}

static void what_contradicts_itself_is_refused_with_values_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *words, *said;
    } cases[] = {
        {"model.heads=5", "model.heads 5 (command line) must divide model.width 384 "
                          "(default); model.heads "
                          "could be 4 or 6"},
        {"model.heads=512", "model.heads could be 384 or 384"},
        {"model.kv_heads=4",
         "model.kv_heads 4 (command line) must divide model.heads 6 (default); "
         "model.kv_heads could be 3 or 6"},
        {"model.kv_heads=12", "must divide model.heads 6"},
        {"model.positions=rotary model.width=90 model.heads=6",
         "model.heads 6 (command line) with rotary positions needs heads of even width, "
         "not "
         "of model.width 90 (command line); each has 15 channels: use a width of 96"},
        {"model.positions=sinusoidal model.width=81 model.heads=1",
         "model.positions sinusoidal (command line) needs an even width, not model.width "
         "81 "
         "(command line); use 82"},
        {"train.batch=4",
         "train.slices 8 (default) must be at most train.batch 4 (command line); use "
         "train.slices 4"},
        {"cluster.heartbeat=4s",
         "cluster.lease 2s (default) must be at least three times cluster.heartbeat 4s "
         "(command line); use cluster.lease 12s or more"},
        {"optim.lr_min=1e-2",
         "optim.lr_min 0.01 (command line) must be at most optim.lr 0.001 (default)"},
        {"optim.schedule=range_test",
         "optim.lr_min 0 (default) must be above 0 with optim.schedule range_test"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c;
        load(&c, cases[i].words);
        hear();
        const int err = conf_check(&c);
        const char *text = said();
        assert_said(text, cases[i].said);
        assert_int_equal(lines(text), 1);
        assert_int_equal(err, ERR_CONFIG);
    }
}

static void what_is_odd_but_possible_is_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *words, *said;
    } cases[] = {
        {"train.steps=50",
         "warn  optim.warmup 100 (default) is longer than train.steps 50"},
        {"train.steps=2e optim.warmup=3e",
         "optim.warmup 3e (command line) is longer than"},
        {"train.steps=2Mt optim.warmup=3Mt",
         "optim.warmup 3000000t (command line) is longer than train.steps 2000000t"},
        {"optim.decay_steps=100", "optim.decay_steps 100 (command line) is not after"},
        {"optim.decay_steps=100 optim.schedule=polynomial",
         "optim.decay_steps 100 (command line) is not after"},
        {"model.norm_place=post optim.warmup=0", "without a warm-up often diverges"},
        {"train.on_divergence=rewind train.divergence=0", "does nothing without"},
        {"train.keep_every=700", "is no multiple of train.checkpoint_every 500"},
        {"train.patience=3 train.keep_best=no",
         "train.patience 3 (command line) and train.keep_best false (command line); the "
         "best version may be gone"},
        {"augment.join=0.2", "augment.join 0.2 (command line) does nothing with "
                             "model.encoder_layers 0 (default)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c;
        load(&c, cases[i].words);
        hear();
        const int err = conf_check(&c);
        conf_advise(&c);
        const char *text = said();
        assert_said(text, cases[i].said);
        assert_int_equal(lines(text), 1);
        assert_int_equal(err, ERR_OK);
    }
}

static void what_fits_together_passes_without_a_word(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "model.heads=384 model.kv_heads=1",
        "model.positions=rotary model.width=12 model.heads=6",
        "model.width=81 model.heads=3", /* odd, with learned positions */
        "train.batch=8",
        "train.steps=1 optim.warmup=1",
        "train.steps=1e optim.warmup=100",
        "cluster.heartbeat=10s cluster.lease=30s",
        "cluster.heartbeat=100ms cluster.lease=300ms",
        "optim.lr_min=1e-3",
        "optim.decay_steps=50 optim.schedule=constant",
        "optim.schedule=range_test optim.lr_min=1e-6 train.steps=50",
        "train.keep_every=1000",
        "train.keep_every=1e",
        "model.norm_place=post",
        "augment.target_bpe=0.1 augment.target_switch=1",
        "augment.join=0.2 augment.source_drop=0.1 model.encoder_layers=1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c;
        load(&c, cases[i]);
        hear();
        const int err = conf_check(&c);
        conf_advise(&c);
        assert_string_equal(said(), "");
        assert_int_equal(err, ERR_OK);
    }
}

static void all_contradictions_are_reported_at_once(void **state)
{
    (void)state;
    struct conf c;
    load(&c, "model.heads=5 train.batch=4 optim.lr=0 optim.lr_min=1");
    hear();
    const int err = conf_check(&c);
    assert_int_equal(lines(said()), 3);
    assert_int_equal(err, ERR_CONFIG);
}

static void automatic_values_follow_what_they_depend_on(void **state)
{
    (void)state;
    struct conf c;
    load(&c, "model.heads=8 model.width=64 model.dropout=0.1 model.dropout_residual=0");
    assert_int_equal(conf_check(&c), ERR_OK);
    assert_int_equal(c.model.kv_heads, 8);
    assert_int_equal(c.model.ffn, 256);
    assert_true(c.model.dropout_embed == 0.1);
    assert_true(c.model.dropout_attention == 0.1);
    assert_true(c.model.dropout_residual == 0);
    assert_int_equal(c.cluster.threads, 0); /* depends on the machine */
    assert_string_equal(c.source[OPTION_model_kv_heads], "auto: model.heads");
    assert_string_equal(c.source[OPTION_model_dropout_residual], "command line");

    load(&c, "model.kv_heads=2 model.ffn=100");
    assert_int_equal(conf_check(&c), ERR_OK);
    assert_int_equal(c.model.kv_heads, 2);
    assert_int_equal(c.model.ffn, 100);
}

/* 8/3 of the width rounded up to a multiple of 32 */
static void swiglu_has_a_narrower_ffn(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        uint32_t ffn;
    } cases[] = {
        {"model.width=384", 1024},
        {"model.width=768", 2048},
        {"model.width=64 model.heads=8", 192}, /* 170.7 */
        {"model.width=12", 32},
        {"model.width=18", 64}, /* 48 */
        {"model.width=2 model.heads=1", 32},
        {"model.width=65536 model.heads=64", 174784}, /* 174762.7 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c;
        load(&c, cases[i].words);
        assert_int_equal(conf_load_word(&c, "model.activation=swiglu"), ERR_OK);
        assert_int_equal(conf_check(&c), ERR_OK);
        assert_int_equal(c.model.ffn, cases[i].ffn);
    }
}

static void the_widest_model_has_an_ffn(void **state)
{
    (void)state;
    struct conf c;
    load(&c, "model.width=65536 model.heads=1024");
    assert_int_equal(conf_check(&c), ERR_OK);
    assert_int_equal(c.model.ffn, 262144);
}

RUN(T(what_contradicts_itself_is_refused_with_values_and_remedy),
    T(what_is_odd_but_possible_is_a_warning), T(what_fits_together_passes_without_a_word),
    T(all_contradictions_are_reported_at_once),
    T(automatic_values_follow_what_they_depend_on), T(swiglu_has_a_narrower_ffn),
    T(the_widest_model_has_an_ffn))
