/* The table of tensors and where they lie. */
#include "support/test.h"

#include "nn/transformer.h"
#include "nn/view.h"
#include "support/models.h"

enum { V = 65 };

/* config/train_shakespeare_char.py of nanoGPT, for a CPU: it prints these two numbers. */
static const struct conf_model nanogpt = {.layers = 4,
                                          .heads = 4,
                                          .kv_heads = 4,
                                          .width = 128,
                                          .ffn = 512,
                                          .context = 64,
                                          .tied = true,
                                          .init_std = 0.02};

static void nanogpt_has_as_many_parameters_as_it_says(void **state)
{
    (void)state;
    struct transformer t;
    size_t decayed = 0, others = 0;
    assert_int_equal(0, transformer_init(&t, &nanogpt, V));
    for (size_t i = 0; i < t.tensors; i++)
        *(t.info[i].decay ? &decayed : &others) += t.info[i].count;
    assert_int_equal(802944, decayed);
    assert_int_equal(1152, others);
    assert_int_equal(decayed + others, t.count);
    transformer_fini(&t);
}

/* GPT-2 124M has 124,439,808 parameters. */
static void gpt2_has_as_many_parameters_as_published(void **state)
{
    (void)state;
    struct transformer t;
    const struct conf_model gpt2 = {.layers = 12,
                                    .heads = 12,
                                    .kv_heads = 12,
                                    .width = 768,
                                    .ffn = 3072,
                                    .context = 1024,
                                    .tied = true,
                                    .bias = true};
    assert_int_equal(0, transformer_init(&t, &gpt2, 50257));
    assert_int_equal(124439808, t.count);
    /* 6 * (12 * 12 * 768^2 + 50257 * 768) + 12 * 12 * 768 * 1024 */
    assert_true(transformer_flops_per_token(&t, 1024) == 6.0 * 123532032 + 113246208);
    transformer_fini(&t);
}

static void tensors_follow_each_other_layer_by_layer(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODEL_CASES; i++) {
        struct transformer t;
        const struct conf_model conf = model_conf(&model_cases[i]);
        assert_int_equal(0, transformer_init(&t, &conf, V));
        size_t next = 0;
        for (size_t n = 0; n < t.tensors; n++) {
            const struct param_info *info = &t.info[n];
            const struct param_range r = params_range(&t.conf, &t.shape, info->of);
            assert_int_equal(next, info->first);
            assert_int_equal(info->count, info->rows * (info->cols ? info->cols : 1));
            assert_int_equal(info->decay, info->cols > 0);
            assert_true(n == 0 || info->layer >= t.info[n - 1].layer);
            assert_true(info->first >= r.first);
            assert_true(info->first + info->count <= r.first + r.count);
            next += info->count;
        }
        assert_int_equal(next, t.count);
        transformer_fini(&t);
    }
}

static void names_are_those_of_checkpoints(void **state)
{
    (void)state;
    static const char *const names[] = {"embedding.token.weight",
                                        "embedding.position.weight",
                                        "layers.0.norm1.weight",
                                        "layers.0.norm1.bias",
                                        "layers.0.attention.qkv.weight",
                                        "layers.0.attention.qkv.bias",
                                        "layers.0.attention.output.weight",
                                        "layers.0.attention.output.bias",
                                        "layers.0.norm2.weight",
                                        "layers.0.norm2.bias",
                                        "layers.0.mlp.up.weight",
                                        "layers.0.mlp.up.bias",
                                        "layers.0.mlp.down.weight",
                                        "layers.0.mlp.down.bias",
                                        "norm.weight",
                                        "norm.bias",
                                        "output.weight"};
    struct transformer t;
    struct conf_model conf = model_conf(&model_cases[0]);
    conf.layers = 1;
    conf.tied = false;
    assert_int_equal(0, transformer_init(&t, &conf, V));
    assert_int_equal(sizeof names / sizeof *names, t.tensors);
    for (size_t i = 0; i < t.tensors; i++)
        assert_string_equal(names[i], t.info[i].name);
    transformer_fini(&t);
}

static void options_leave_tensors_out(void **state)
{
    (void)state;
    struct shape s = {.L = 1, .H = 4, .G = 2, .C = 8, .D = 2, .F = 6, .V = 5, .T = 3};
    struct conf_model c = {
        .bias = true, .norm = NORM_RMS, .activation = ACTIVATION_SWIGLU};
    real *const vector = calloc(10000, sizeof *vector);
    struct block b = view_block(&c, &s, vector, SECTION_DECODER, 0);
    assert_null(b.norm[0].bias); /* RMSNorm has none */
    assert_non_null(b.mlp.up.bias);
    assert_int_equal(2 * 6 * 8, b.mlp.up.bias - b.mlp.up.weight);
    assert_int_equal((4 + 2 * 2) * 2 * 8, b.attention.qkv.bias - b.attention.qkv.weight);
    c.tied = true;
    c.norm_place = PLACE_POST;
    assert_ptr_equal(vector, view_head(&c, &s, vector).output);
    assert_null(view_head(&c, &s, vector).norm.gain);
    assert_int_equal(0, params_range(&c, &s, (struct layer){SECTION_HEAD, 0}).count);
    c.positions = POSITIONS_ROTARY;
    assert_null(view_embed(&c, &s, vector).position);
    free(vector);
}

RUN(T(nanogpt_has_as_many_parameters_as_it_says),
    T(gpt2_has_as_many_parameters_as_published),
    T(tensors_follow_each_other_layer_by_layer), T(names_are_those_of_checkpoints),
    T(options_leave_tensors_out))
