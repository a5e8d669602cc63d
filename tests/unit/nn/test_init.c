/* Initial parameters have the moments that the papers ask for. */
#include "support/test.h"

#include "nn/transformer.h"

enum { V = 300, C = 64, F = 256, L = 3, E = 2, CONTEXT = 32 };

struct world {
    struct transformer t;
    real *theta;
};

static void open_with(struct world *o, const struct conf_model *conf)
{
    assert_int_equal(0, transformer_init(&o->t, conf, V));
    o->theta = calloc(o->t.count, sizeof *o->theta);
    for (size_t i = 0; i < o->t.count; i++)
        o->theta[i] = NAN;
    transformer_init_params(&o->t, o->theta, 1);
}

static struct conf_model conf_of(enum conf_init init, bool depth_scale)
{
    return (struct conf_model){.layers = L,
                               .heads = 4,
                               .kv_heads = 4,
                               .width = C,
                               .ffn = F,
                               .context = CONTEXT,
                               .bias = true,
                               .init = init,
                               .init_std = 0.05,
                               .init_depth_scale = depth_scale};
}

static void open(struct world *o, enum conf_init init, bool depth_scale)
{
    const struct conf_model conf = conf_of(init, depth_scale);
    open_with(o, &conf);
}

static void close(struct world *o)
{
    free(o->theta);
    transformer_fini(&o->t);
}

struct moments {
    double mean, deviation, largest;
};

static struct moments moments(const struct world *o, const char *name)
{
    const struct param_info *info = o->t.info;
    while (strcmp(info->name, name) != 0)
        assert_true(++info < o->t.info + o->t.tensors);
    double sum = 0, squares = 0, largest = 0;
    for (size_t i = info->first; i < info->first + info->count; i++) {
        const double x = (double)o->theta[i];
        sum += x;
        squares += x * x;
        largest = fabs(x) > largest ? fabs(x) : largest;
    }
    const double n = (double)info->count;
    return (struct moments){sum / n, sqrt(squares / n), largest};
}

/* Within four standard errors: tensors have at least 2,048 elements. */
static void expect(const struct world *o, const char *name, double deviation)
{
    const struct moments m = moments(o, name);
    if (fabs(m.mean) > 4 * deviation / sqrt(2048) ||
        fabs(m.deviation / deviation - 1) > 4 / sqrt(2 * 2048))
        fail_msg("%s: mean %g, deviation %g, expected %g", name, m.mean, m.deviation,
                 deviation);
}

static void gpt2_is_normal_and_smaller_where_it_adds_to_the_stream(void **state)
{
    (void)state;
    struct world o;
    open(&o, INIT_GPT2, false);
    expect(&o, "embedding.token.weight", 0.05);
    expect(&o, "embedding.position.weight", 0.05);
    expect(&o, "layers.0.attention.qkv.weight", 0.05);
    expect(&o, "layers.2.mlp.up.weight", 0.05);
    expect(&o, "layers.0.attention.output.weight", 0.05 / sqrt(2 * L));
    expect(&o, "layers.2.mlp.down.weight", 0.05 / sqrt(2 * L));
    expect(&o, "output.weight", 0.05);
    assert_true(moments(&o, "output.weight").largest > 3 * 0.05); /* has tails */
    close(&o);
}

static void gpt2_counts_the_terms_of_each_stack(void **state)
{
    (void)state;
    struct world o;
    struct conf_model conf = conf_of(INIT_GPT2, false);
    conf.encoder_layers = 2;
    open_with(&o, &conf);
    expect(&o, "encoder.layers.1.mlp.down.weight", 0.05 / sqrt(2 * 2));
    expect(&o, "layers.1.cross.output.weight", 0.05 / sqrt(3 * L));
    expect(&o, "layers.1.cross.query.weight", 0.05);
    close(&o);
}

static void xavier_is_uniform_with_its_variance(void **state)
{
    (void)state;
    struct world o;
    open(&o, INIT_XAVIER, false);
    expect(&o, "layers.1.mlp.up.weight", sqrt(2.0 / (C + F)));
    expect(&o, "layers.1.mlp.down.weight", sqrt(2.0 / (C + F)));
    expect(&o, "layers.1.attention.qkv.weight", sqrt(2.0 / (C + 3 * C)));
    assert_true(moments(&o, "layers.1.mlp.up.weight").largest <= sqrt(6.0 / (C + F)));
    expect(&o, "embedding.token.weight", 0.05);
    close(&o);
}

static void he_is_normal_with_the_variance_of_its_inputs(void **state)
{
    (void)state;
    struct world o;
    open(&o, INIT_HE, false);
    expect(&o, "layers.1.mlp.up.weight", sqrt(2.0 / C));
    expect(&o, "layers.1.mlp.down.weight", sqrt(2.0 / F));
    expect(&o, "output.weight", 0.05);
    close(&o);
}

static void deeper_layers_start_smaller_when_asked(void **state)
{
    (void)state;
    struct world o;
    open(&o, INIT_HE, true);
    expect(&o, "layers.0.mlp.up.weight", sqrt(2.0 / C));
    expect(&o, "layers.2.mlp.up.weight", sqrt(2.0 / C / 3));
    close(&o);
}

/* Rows of queries and keys are as ever, the others smaller by (8L)^(-1/4). */
static void
deep_norms_start_values_outputs_and_the_feed_forward_part_smaller(void **state)
{
    (void)state;
    struct world o, plain;
    struct conf_model conf = conf_of(INIT_XAVIER, false);
    open_with(&plain, &conf);
    conf.norm_place = PLACE_DEEP;
    open_with(&o, &conf);
    const real smaller = (real)pow(8.0 * L, -0.25);
    size_t p = 0;
    for (size_t n = 0; n < o.t.tensors; n++, p++) {
        const struct param_info *info = &o.t.info[n];
        if (strcmp(plain.t.info[p].name, "norm.weight") == 0)
            p += 2; /* only pre-norm ends with a norm */
        assert_string_equal(info->name, plain.t.info[p].name);
        const bool block = info->cols && info->layer >= 1 && info->layer <= L;
        const size_t same = strstr(info->name, "qkv") ? info->count / 3 * 2 : 0;
        for (size_t i = 0; i < info->count; i++) {
            const real was = plain.theta[plain.t.info[p].first + i];
            if (info->layer <= L) /* the numbers of later tensors are other ones */
                assert_true(o.theta[info->first + i] ==
                            (block && i >= same ? was * smaller : was));
        }
    }
    close(&o);
    close(&plain);
}

/* Rows of @name from @first to before @last are @factor times those of @plain. */
struct smaller {
    const char *name;
    size_t first, last;
    double factor;
};

static void expect_smaller(const struct world *o, const struct world *plain,
                           const struct smaller *want)
{
    const struct param_info *info = o->t.info;
    while (strcmp(info->name, want->name) != 0)
        assert_true(++info < o->t.info + o->t.tensors);
    assert_true(want->last <= info->rows);
    for (size_t i = want->first * info->cols; i < want->last * info->cols; i++) {
        const double was = (double)plain->theta[info->first + i],
                     is = (double)o->theta[info->first + i];
        if (fabs(is - was * want->factor) > 1e-6 * fabs(was))
            fail_msg("%s: %g, expected %g times %g", want->name, is, want->factor, was);
    }
}

/* A model with an encoder, against the same with Xavier's start and norms at @place. */
static void expect_all_smaller(enum conf_init init, enum conf_place place,
                               enum conf_place plain_place, const struct smaller *want)
{
    struct world o, plain;
    struct conf_model conf = conf_of(init, false);
    conf.encoder_layers = E;
    conf.norm_place = place;
    open_with(&o, &conf);
    conf.init = INIT_XAVIER;
    conf.norm_place = plain_place;
    open_with(&plain, &conf);
    for (; want->name; want++)
        expect_smaller(&o, &plain, want);
    close(&o);
    close(&plain);
}

/* Wang 2022, table 1. */
static void deep_norms_with_an_encoder_have_a_factor_for_each_stack(void **state)
{
    (void)state;
    const double encoder = 0.87 * pow(pow(E, 4) * L, -1.0 / 16),
                 decoder = pow(12 * L, -1.0 / 4);
    expect_all_smaller(
        INIT_XAVIER, PLACE_DEEP, PLACE_POST,
        (const struct smaller[]){
            {"embedding.token.weight", 0, V, 1},
            {"encoder.token.weight", 0, V, 1},
            {"encoder.layers.1.attention.qkv.weight", 0, 2 * C, 1},
            {"encoder.layers.1.attention.qkv.weight", 2 * C, 3 * C, encoder},
            {"encoder.layers.0.attention.output.weight", 0, C, encoder},
            {"encoder.layers.1.mlp.up.weight", 0, F, encoder},
            {"layers.2.attention.qkv.weight", 2 * C, 3 * C, decoder},
            {"layers.0.cross.query.weight", 0, C, 1},
            {"layers.0.cross.kv.weight", 0, C, 1},
            {"layers.0.cross.kv.weight", C, 2 * C, decoder},
            {"layers.2.cross.output.weight", 0, C, decoder},
            {"layers.2.mlp.down.weight", 0, C, decoder},
            {NULL}});
}

/* Huang 2020, section 3.2; a tensor of values alone has C outputs, not 3 C. */
static void tfixup_starts_smaller_what_its_paper_says(void **state)
{
    (void)state;
    const double encoder = 0.67 * pow(E, -1.0 / 4), decoder = pow(9 * L, -1.0 / 4),
                 alone = sqrt((C + 3 * C) / (double)(C + C));
    expect_all_smaller(
        INIT_TFIXUP, PLACE_NONE, PLACE_NONE,
        (const struct smaller[]){
            {"embedding.token.weight", 0, V, decoder},
            {"encoder.token.weight", 0, V, decoder},
            {"encoder.position.weight", 0, CONTEXT, decoder},
            {"encoder.layers.1.attention.qkv.weight", 0, 2 * C, 1},
            {"encoder.layers.1.attention.qkv.weight", 2 * C, 3 * C, encoder * alone},
            {"encoder.layers.0.mlp.down.weight", 0, C, encoder},
            {"layers.0.attention.output.weight", 0, C, decoder},
            {"layers.0.cross.query.weight", 0, C, 1},
            {"layers.0.cross.kv.weight", 0, C, 1},
            {"layers.0.cross.kv.weight", C, 2 * C, decoder * alone},
            {"layers.2.cross.output.weight", 0, C, decoder},
            {"layers.2.mlp.up.weight", 0, F, decoder},
            {"output.weight", 0, V, 1},
            {NULL}});
}

static void what_adds_to_the_stream_starts_as_zero_when_asked(void **state)
{
    (void)state;
    struct world o;
    struct conf_model conf = conf_of(INIT_HE, false);
    conf.zero_residual = true;
    open_with(&o, &conf);
    expect(&o, "layers.1.mlp.up.weight", sqrt(2.0 / C));
    assert_true(moments(&o, "layers.1.mlp.down.weight").largest == 0);
    assert_true(moments(&o, "layers.2.attention.output.weight").largest == 0);
    close(&o);
}

static void gains_are_one_and_biases_zero(void **state)
{
    (void)state;
    for (int init = INIT_GPT2; init <= INIT_HE; init++) {
        struct world o;
        open(&o, (enum conf_init)init, false);
        for (size_t n = 0; n < o.t.tensors; n++) {
            const struct param_info *info = &o.t.info[n];
            const bool gain = strstr(info->name, "norm") && strstr(info->name, "weight");
            for (size_t i = info->first; info->cols == 0 && i < info->first + info->count;
                 i++)
                assert_true(o.theta[i] == (real)gain);
        }
        close(&o);
    }
}

static void the_seed_decides_and_nothing_else(void **state)
{
    (void)state;
    struct world a, b;
    open(&a, INIT_GPT2, false);
    open(&b, INIT_GPT2, false);
    assert_memory_equal(a.theta, b.theta, a.t.count * sizeof(real));
    transformer_init_params(&b.t, b.theta, 2);
    for (size_t n = 0; n < a.t.tensors; n++)
        if (a.t.info[n].cols)
            assert_memory_not_equal(a.theta + a.t.info[n].first,
                                    b.theta + b.t.info[n].first,
                                    a.t.info[n].count * sizeof(real));
    close(&a);
    close(&b);
}

RUN(T(gpt2_is_normal_and_smaller_where_it_adds_to_the_stream),
    T(gpt2_counts_the_terms_of_each_stack),
    T(xavier_is_uniform_with_its_variance),
    T(he_is_normal_with_the_variance_of_its_inputs),
    T(deeper_layers_start_smaller_when_asked),
    T(deep_norms_start_values_outputs_and_the_feed_forward_part_smaller),
    T(deep_norms_with_an_encoder_have_a_factor_for_each_stack),
    T(tfixup_starts_smaller_what_its_paper_says),
    T(what_adds_to_the_stream_starts_as_zero_when_asked),
    T(gains_are_one_and_biases_zero), T(the_seed_decides_and_nothing_else))
