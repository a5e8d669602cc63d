/* What a slice is examined for: by hand, against naive code, and with planted faults. */
#include "support/test.h"

#include "nn/sequences.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { V = 29, T = 12, B = 2, N = T + 5, M = 7 + T, BLOCKS = 5 };
static const uint32_t lengths[B] = {T, 5}, source_lengths[B] = {7, T};
static const double NEAR = sizeof(real) == sizeof(double) ? 1e-12 : 1e-5;

struct world {
    struct transformer t;
    struct workspace *w;
    real *theta, *grad;
    uint32_t tokens[N + B], source[M];
    uint64_t samples[B];
    struct slice slice;
    struct block_statistics block[BLOCKS];
    struct slice_statistics statistics;
    struct slice_result result;
};

static void world_open(struct world *o, struct conf_model conf)
{
    *o = (struct world){.samples = {3, 4}};
    assert_int_equal(0, transformer_init(&o->t, &conf, V));
    o->w = workspace_new(&o->t, M, true);
    o->theta = calloc(2 * o->t.count, sizeof(real));
    o->grad = o->theta + o->t.count;
    model_scatter(&o->t, o->theta, 0.4, 7);
    model_tokens(o->tokens, N + B, V, 7);
    model_tokens(o->source, M, V, 8);
    o->statistics.block = o->block;
    o->slice = (struct slice){.sequences = B,
                              .length = lengths,
                              .tokens = o->tokens,
                              .samples = o->samples,
                              .dropout = conf.dropout > 0,
                              .statistics = &o->statistics};
    if (conf.encoder_layers) {
        o->slice.source_length = source_lengths;
        o->slice.source = o->source;
    }
}

static void world_close(struct world *o)
{
    workspace_free(o->w);
    transformer_fini(&o->t);
    free(o->theta);
}

static void run(struct world *o)
{
    transformer_slice(&o->t, o->w, o->theta, o->grad, &o->slice, &o->result, NULL);
}

/* The tensor of that name. */
static real *tensor(struct world *o, const char *name, size_t *count)
{
    for (size_t i = 0; i < o->t.tensors; i++)
        if (strcmp(o->t.info[i].name, name) == 0) {
            if (count)
                *count = o->t.info[i].count;
            return o->theta + o->t.info[i].first;
        }
    fail_msg("no tensor %s", name);
    return NULL;
}

static void fill(struct world *o, const char *name, double value)
{
    size_t n;
    real *x = tensor(o, name, &n);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)value;
}

static struct conf_model named(const char *name)
{
    for (size_t i = 0; i < MODEL_CASES; i++)
        if (strcmp(model_cases[i].name, name) == 0)
            return model_conf(&model_cases[i]);
    fail_msg("no model %s", name);
    return model_conf(&model_cases[0]);
}

static bool near(double x, double expected)
{
    if (fabs(x - expected) <= NEAR * (1 + fabs(expected)))
        return true;
    print_message("%.12g, expected %.12g\n", x, expected);
    return false;
}

/* --- the pieces -----------------------------------------------------------------------
 */

static void a_root_mean_square_is_one_at_any_length(void **state)
{
    (void)state;
    real x[100];
    for (size_t n = 1; n <= 100; n++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = (real)(i * 0.25) - 3;
            sum += (double)x[i] * (double)x[i];
        }
        assert_true(near(measure_rms(x, n), sqrt(sum / (double)n)));
    }
}

static void entropy_is_one_when_all_keys_weigh_the_same_and_zero_for_one_key(void **state)
{
    (void)state;
    const real even[3][4] = {
        {1, 0, 9, 9}, {0.5, 0.5, 0, 9}, {1 / (real)3, 1 / (real)3, 1 / (real)3, 9}};
    struct entropy e = {0};
    measure_weights(&e, even[0], 4, 0, 3, 3, true);
    assert_int_equal(e.rows, 2); /* the first row has no choice */
    assert_true(near(measure_entropy(&e), 1));
    const real one[2][3] = {{0, 0, 1}, {1, 0, 0}};
    measure_weights(&e, one[0], 3, 0, 2, 3, false);
    assert_int_equal(e.rows, 4);
    assert_true(near(measure_entropy(&e), 0.5));
    const real quarters[1][4] = {{0.5, 0.25, 0.25, 0}};
    e = (struct entropy){0};
    measure_weights(&e, quarters[0], 4, 0, 1, 4, false);
    assert_true(near(measure_entropy(&e), 0.75)); /* 1.5 of 2 bits */
    assert_true(isnan(measure_entropy(&(struct entropy){0})));
    e = (struct entropy){0};
    measure_weights(&e, even[1], 4, 1, 2, 3, true);
    assert_int_equal(e.rows, 2); /* a band from the second row on */
    assert_true(near(measure_entropy(&e), 1));
}

static void of_equal_logits_the_first_is_the_guess(void **state)
{
    (void)state;
    const real logits[3][3] = {{1, 1, 1}, {0, 2, 2}, {3, 2, 1}};
    static const struct {
        uint32_t target[3];
        uint64_t correct;
    } cases[] = {{{0, 1, 0}, 3}, {{1, 2, 1}, 0}, {{2, 0, 2}, 0}, {{2, 1, 2}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(measure_correct(logits[0], cases[i].target, 3, 3),
                         cases[i].correct);
}

/* --- in the model ---------------------------------------------------------------------
 */

/* Attention and mlp that add their biases alone: all follows from the embedding. */
static void what_parts_add_and_the_stream_are_as_by_hand(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, named("gpt2"));
    for (int l = 0; l < 2; l++) {
        char name[64];
        static const char *const parts[] = {"attention.output", "mlp.down"};
        for (int k = 0; k < 2; k++) {
            snprintf(name, sizeof name, "layers.%d.%s.weight", l, parts[k]);
            fill(&o, name, 0);
            snprintf(name, sizeof name, "layers.%d.%s.bias", l, parts[k]);
            fill(&o, name, k ? -0.25 : 0.5);
        }
    }
    run(&o);
    const real *token = tensor(&o, "embedding.token.weight", NULL),
               *position = tensor(&o, "embedding.position.weight", NULL);
    const struct sequences of = sequences_of(B, lengths);
    const size_t C = o.t.shape.C;
    double sum[2] = {0};
    FOR_EACH_ROW(of, b, t, n)
    for (size_t c = 0; c < C; c++)
        for (int l = 0; l < 2; l++) {
            const double x = (double)token[o.tokens[n + b] * C + c] +
                             (double)position[t * C + c] + 0.25 * (l + 1);
            sum[l] += x * x;
        }
    for (int l = 0; l < 2; l++) {
        assert_true(near(o.block[l].attention, 0.5) && near(o.block[l].mlp, 0.25));
        assert_true(near(o.block[l].stream, sqrt(sum[l] / (double)(N * C))));
        assert_true(isnan(o.block[l].cross) && isnan(o.block[l].cross_entropy));
    }
    world_close(&o);
}

/* Without a norm behind it the last block's stream is what the logits are made of: its
 * gradient is (softmax - target) * output. */
static void the_guesses_and_the_last_gradient_are_those_of_the_logits(void **state)
{
    (void)state;
    struct world o;
    struct conf_model conf = named("bare");
    conf.tied = false;
    world_open(&o, conf);
    run(&o);
    real logits[N * V];
    transformer_logits(&o.t, o.w, o.theta, &o.slice, logits);
    const real *output = tensor(&o, "output.weight", NULL);
    const struct sequences of = sequences_of(B, lengths);
    const size_t C = o.t.shape.C;
    uint64_t correct = 0;
    double squares = 0;
    FOR_EACH_ROW(of, b, t, n)
    {
        const real *x = logits + n * V;
        const uint32_t target = o.tokens[n + b + 1];
        double total = 0, gradient[64] = {0};
        size_t most = 0;
        for (size_t v = 0; v < V; v++) {
            most = x[v] > x[most] ? v : most;
            total += exp((double)x[v]);
        }
        for (size_t v = 0; v < V; v++)
            for (size_t c = 0; c < C; c++)
                gradient[c] += (exp((double)x[v]) / total - (v == target)) *
                               (double)output[v * C + c];
        for (size_t c = 0; c < C; c++)
            squares += gradient[c] * gradient[c];
        correct += most == target;
    }
    assert_int_equal(o.statistics.correct, correct);
    assert_true(near(o.block[1].gradient, sqrt(squares / (double)(N * C))));
    assert_true(o.block[0].gradient > 0);
    world_close(&o);
}

static void units_with_a_bias_far_below_zero_are_dead(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, named("vaswani"));
    run(&o);
    const struct block_statistics before = o.block[1];
    const size_t F = o.t.shape.F;
    assert_true(before.dead < 1 && before.zero > 0.2 && before.zero < 0.8);
    real *bias = tensor(&o, "layers.1.mlp.up.bias", NULL);
    for (size_t f = 0; f < F; f++)
        bias[f] = f % 3 ? 100 : -100; /* a third, and nobody else */
    run(&o);
    assert_true(near(o.block[1].dead, 1 / 3.0) && near(o.block[1].zero, 1 / 3.0));
    assert_true(o.block[0].dead < 0.3);
    world_close(&o);
}

static void attention_without_queries_looks_at_all_alike(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, named("translate"));
    run(&o);
    for (size_t l = 0; l < 4; l++) {
        assert_true(o.block[l].entropy > 0.1 && o.block[l].entropy < 0.9999);
        if (l >= 2)
            assert_true(o.block[l].cross_entropy > 0.1 &&
                        o.block[l].cross_entropy < 0.9999);
        else
            assert_true(isnan(o.block[l].cross_entropy) && isnan(o.block[l].cross));
    }
    const size_t C = o.t.shape.C;
    memset(tensor(&o, "encoder.layers.1.attention.qkv.weight", NULL), 0,
           C * C * sizeof(real));
    memset(tensor(&o, "encoder.layers.1.attention.qkv.bias", NULL), 0, C * sizeof(real));
    fill(&o, "layers.0.cross.query.weight", 0);
    fill(&o, "layers.0.cross.query.bias", 0);
    run(&o);
    assert_true(near(o.block[1].entropy, 1) && near(o.block[2].cross_entropy, 1));
    assert_true(o.block[2].entropy < 0.9999 && o.block[3].cross_entropy < 0.9999);
    world_close(&o);
}

static void to_be_examined_changes_no_bit_and_gives_the_same_numbers_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODEL_CASES; i++) {
        struct world o;
        world_open(&o, model_conf(&model_cases[i]));
        run(&o);
        const struct slice_result watched = o.result;
        const uint64_t correct = o.statistics.correct;
        struct block_statistics block[BLOCKS];
        memcpy(block, o.block, sizeof block);
        real *grad = malloc(o.t.count * sizeof *grad);
        memcpy(grad, o.grad, o.t.count * sizeof *grad);
        o.slice.statistics = NULL;
        run(&o);
        assert_memory_equal(grad, o.grad, o.t.count * sizeof *grad);
        assert_true(watched.loss == o.result.loss);
        o.slice.statistics = &o.statistics;
        memset(o.block, 0x55, (o.t.shape.E + o.t.shape.L) * sizeof *o.block);
        run(&o);
        assert_memory_equal(block, o.block, sizeof block);
        assert_int_equal(correct, o.statistics.correct);
        free(grad);
        world_close(&o);
    }
}

static int prepare(void **state)
{
    const char *name;
    (void)state;
    return gemm_start(NULL, &name) || rows_start(NULL, &name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_root_mean_square_is_one_at_any_length),
        T(entropy_is_one_when_all_keys_weigh_the_same_and_zero_for_one_key),
        T(of_equal_logits_the_first_is_the_guess),
        T(what_parts_add_and_the_stream_are_as_by_hand),
        T(the_guesses_and_the_last_gradient_are_those_of_the_logits),
        T(units_with_a_bias_far_below_zero_are_dead),
        T(attention_without_queries_looks_at_all_alike),
        T(to_be_examined_changes_no_bit_and_gives_the_same_numbers_again),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
