/* Truths of the whole model, whatever its options. */
#include "support/test.h"

#include <pthread.h>

#include "base/mem.h"
#include "nn/decode.h"
#include "nn/sequences.h"
#include "nn/transformer.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { V = 29, T = 12, B = 3, ROWS = T + 5 + 9, SEED = 7 };

/* Of the sequences, and the rows before each. */
static const uint32_t lengths[B] = {T, 5, 9};
static const size_t first_row[B] = {0, T, T + 5};
/* Of their sources, for models with an encoder. */
enum { SOURCE_ROWS = 7 + T + 1 };
static const uint32_t source_lengths[B] = {7, T, 1};
static const size_t first_source[B] = {0, 7, 7 + T};

/* A model with scattered parameters, a workspace and a batch of B sequences. */
struct world {
    struct transformer t;
    struct workspace *w;
    real *theta, *grad, *other;
    uint32_t tokens[ROWS + B], source[SOURCE_ROWS];
    uint64_t samples[B];
    struct slice slice;
};

static void world_open(struct world *o, struct conf_model conf)
{
    assert_int_equal(0, transformer_init(&o->t, &conf, V));
    o->w = workspace_new(&o->t, ROWS, true);
    o->theta = calloc(3 * o->t.count, sizeof(real));
    o->grad = o->theta + o->t.count;
    o->other = o->grad + o->t.count;
    model_scatter(&o->t, o->theta, 0.4, SEED);
    model_tokens(o->tokens, ROWS + B, V, SEED);
    model_tokens(o->source, SOURCE_ROWS, V, SEED + 1);
    for (size_t b = 0; b < B; b++)
        o->samples[b] = 1000 + 17 * b;
    o->slice = (struct slice){.sequences = B,
                              .length = lengths,
                              .tokens = o->tokens,
                              .samples = o->samples,
                              .seed = SEED,
                              .step = 3,
                              .dropout = conf.dropout > 0};
    if (!conf.encoder_layers)
        return;
    o->slice.source_length = source_lengths;
    o->slice.source = o->source;
}

/* Sequence @b alone. */
static struct slice sequence(const struct world *o, size_t b)
{
    struct slice one = o->slice;
    one.sequences = 1;
    one.length += b;
    one.tokens += first_row[b] + b;
    one.samples += b;
    if (!one.source)
        return one;
    one.source_length += b;
    one.source += first_source[b];
    return one;
}

static void world_close(struct world *o)
{
    workspace_free(o->w);
    transformer_fini(&o->t);
    free(o->theta);
}

static double run(struct world *o, real *grad, struct slice slice)
{
    struct slice_result r;
    transformer_slice(&o->t, o->w, o->theta, grad, &slice, &r, NULL);
    assert_int_equal(sequences_of(slice.sequences, slice.length).N, r.targets);
    return r.loss;
}

static double norm(const real *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

/* |x - y| / |y| */
static double distance(const real *x, const real *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sqrt(sum) / norm(y, n);
}

static const double ROUNDING = sizeof(real) == sizeof(double) ? 1e-13 : 2e-5;

/* All cases, and then each third one wide. */
enum { THIRD = 3, CASES = MODEL_CASES + (MODEL_CASES + THIRD - 1) / THIRD };

#define FOR_CASES(o, cases)                                                              \
    for (size_t i_ = 0; i_ < (cases) && case_open(o, i_); world_close(o), i_++)
#define FOR_EACH_CASE(o) FOR_CASES(o, CASES)

static struct conf_model case_conf(size_t i)
{
    const bool wide = i >= MODEL_CASES;
    const struct model_case *c = &model_cases[wide ? (i - MODEL_CASES) * THIRD : i];
    const struct conf_model conf = model_conf(c);
    print_message("           %s%s, seed %d\n", c->name, wide ? ", wide" : "", SEED);
    return wide ? model_wide(conf) : conf;
}

static bool case_open(struct world *o, size_t i)
{
    world_open(o, case_conf(i));
    return true;
}

static void a_model_too_large_for_its_types_is_refused(void **state)
{
    (void)state;
    struct transformer t;
    struct conf_model conf = model_conf(&model_cases[0]);
    assert_int_not_equal(0, transformer_init(&t, &conf, 0));
    assert_int_not_equal(0, transformer_init(&t, &conf, (size_t)1 << 40));
    conf.width = 65536;
    assert_int_not_equal(0, transformer_init(&t, &conf, 1 << 20));
}

static void the_loss_at_the_start_is_the_logarithm_of_the_vocabulary(void **state)
{
    (void)state;
    struct world o;
    for (int init = INIT_GPT2; init <= INIT_HE; init++)
        for (size_t i = 0; i < MODEL_CASES; i++) {
            struct conf_model conf = model_conf(&model_cases[i]);
            conf.init = (enum conf_init)init;
            conf.init_depth_scale = i % 2;
            world_open(&o, conf);
            transformer_init_params(&o.t, o.theta, SEED);
            const double loss = run(&o, o.grad, o.slice) / ROWS;
            if (fabs(loss - log(V)) > 0.02 * log(V))
                fail_msg("%s, init %d: %g, not %g", model_cases[i].name, init, loss,
                         log(V));
            world_close(&o);
        }
}

static void the_same_call_gives_the_same_bits(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        memset(o.grad, 0x55, o.t.count * sizeof(real)); /* whatever was there before */
        const double first = run(&o, o.grad, o.slice);
        run(&o, o.other, sequence(&o, 1)); /* another slice in between */
        memset(o.other, 0xff, o.t.count * sizeof(real));
        const double second = run(&o, o.other, o.slice);
        assert_memory_equal(&first, &second, sizeof first);
        assert_memory_equal(o.grad, o.other, o.t.count * sizeof(real));
    }
}

static void loss_without_gradient_is_the_same(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct slice_result r;
        o.slice.dropout = false;
        const double loss = run(&o, o.grad, o.slice);
        struct workspace *w = workspace_new(&o.t, ROWS, false);
        transformer_loss(&o.t, w, o.theta, &o.slice, &r);
        assert_memory_equal(&loss, &r.loss, sizeof loss);
        workspace_free(w);
        assert_true(workspace_bytes(&o.t, ROWS, false) <
                    workspace_bytes(&o.t, ROWS, true));
    }
}

/* Again, with blocks that are kept, or computed again. */
static double run_examined(struct world *o, real *grad, bool recompute,
                           struct slice_statistics *statistics)
{
    o->t.recompute = recompute;
    workspace_free(o->w);
    o->w = workspace_new(&o->t, ROWS, true);
    o->slice.statistics = statistics;
    const uint64_t before = mem_count();
    const double loss = run(o, grad, o->slice);
    assert_int_equal(before, mem_count());
    return loss;
}

static void blocks_computed_again_have_the_same_bits(void **state)
{
    (void)state;
    enum { BLOCKS = 6 };
    for (size_t i = 0; i < CASES; i++) {
        struct conf_model conf = case_conf(i);
        struct block_statistics block[2][BLOCKS] = {0};
        struct slice_statistics s[2] = {{.block = block[0]}, {.block = block[1]}};
        struct world o;
        conf.layers = 3;
        world_open(&o, conf);
        assert_true(o.t.shape.E + o.t.shape.L <= BLOCKS);
        const double kept = run_examined(&o, o.grad, false, &s[0]);
        const size_t bytes = workspace_bytes(&o.t, ROWS, true);
        const double again = run_examined(&o, o.other, true, &s[1]);
        assert_memory_equal(&kept, &again, sizeof kept);
        assert_memory_equal(o.grad, o.other, o.t.count * sizeof(real));
        assert_memory_equal(block[0], block[1], sizeof block[0]);
        assert_int_equal(s[0].correct, s[1].correct);
        assert_true(workspace_bytes(&o.t, ROWS, true) < bytes);
        world_close(&o);
    }
}

static void later_tokens_do_not_change_earlier_logits_by_one_bit(void **state)
{
    (void)state;
    static real before[ROWS * V], after[ROWS * V];
    struct world o;
    FOR_EACH_CASE(&o)
    {
        for (size_t t = 0; t < lengths[1]; t++) {
            transformer_logits(&o.t, o.w, o.theta, &o.slice, before);
            uint32_t *token = &o.tokens[first_row[1] + 1 + t]; /* of the second */
            *token = (*token + 1) % V;
            transformer_logits(&o.t, o.w, o.theta, &o.slice, after);
            const size_t row = first_row[1] + t;
            assert_memory_equal(before, after, row * V * sizeof(real));
            assert_memory_not_equal(before + row * V, after + row * V, V * sizeof(real));
            assert_memory_equal(before + first_row[2] * V, after + first_row[2] * V,
                                lengths[2] * V * sizeof(real));
        }
    }
}

static void a_source_is_seen_whole_and_by_its_own_sequence_alone(void **state)
{
    (void)state;
    static real before[ROWS * V], after[ROWS * V];
    struct world o;
    FOR_EACH_CASE(&o)
    {
        for (size_t i = 0; o.slice.source && i < source_lengths[1]; i++) {
            transformer_logits(&o.t, o.w, o.theta, &o.slice, before);
            uint32_t *token = &o.source[first_source[1] + i]; /* of the second */
            *token = (*token + 1) % V;
            transformer_logits(&o.t, o.w, o.theta, &o.slice, after);
            const size_t first = first_row[1], end = first_row[2];
            assert_memory_equal(before, after, first * V * sizeof(real));
            for (size_t row = first; row < end; row++)
                assert_memory_not_equal(before + row * V, after + row * V,
                                        V * sizeof(real));
            assert_memory_equal(before + end * V, after + end * V,
                                (ROWS - end) * V * sizeof(real));
        }
    }
}

/* Long enough for three bands of attention (nn/attend.h). */
static void check_long_past(struct conf_model conf)
{
    enum { LONG = 2 * 64 + 9 };
    uint32_t tokens[LONG + 1];
    real *before = calloc(2 * LONG * V, sizeof *before), *after = before + LONG * V;
    struct transformer t;
    conf.context = LONG;
    assert_int_equal(0, transformer_init(&t, &conf, V));
    real *theta = calloc(t.count, sizeof *theta);
    model_scatter(&t, theta, 0.4, SEED);
    model_tokens(tokens, LONG + 1, V, SEED);
    struct workspace *w = workspace_new(&t, LONG, false);
    struct decoder *d = decoder_new(&t, 1, 0);
    const uint32_t length = LONG;
    const struct slice slice = {.sequences = 1, .length = &length, .tokens = tokens};
    transformer_logits(&t, w, theta, &slice, before);
    decoder_begin(d, theta, 1, NULL, NULL);
    for (size_t i = 0; i < LONG; i++)
        assert_true(distance(decoder_step(d, theta, &tokens[i]), before + i * V, V) <
                    ROUNDING);
    for (size_t i = LONG; i-- > 0;) { /* from the end: the rest stays as it was */
        tokens[i] = (tokens[i] + 1) % V;
        transformer_logits(&t, w, theta, &slice, after);
        assert_memory_equal(before, after, i * V * sizeof(real));
        assert_memory_not_equal(before + i * V, after + i * V, V * sizeof(real));
    }
    decoder_free(d);
    workspace_free(w);
    transformer_fini(&t);
    free(theta);
    free(before);
}

static void the_past_of_a_long_sequence_is_safe_too(void **state)
{
    (void)state;
    check_long_past(model_conf(&model_cases[2]));
    check_long_past(model_wide(model_conf(&model_cases[2])));
}

static void gradients_of_sequences_add_up_to_the_gradient_of_the_batch(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        const double whole = run(&o, o.grad, o.slice);
        double loss = 0;
        real *sum = calloc(o.t.count, sizeof *sum);
        for (size_t b = 0; b < B; b++) {
            loss += run(&o, o.other, sequence(&o, b));
            for (size_t i = 0; i < o.t.count; i++)
                sum[i] += o.other[i];
        }
        assert_true(fabs(loss - whole) < ROUNDING * whole);
        assert_true(distance(sum, o.grad, o.t.count) < ROUNDING);
        free(sum);
    }
}

static void dropout_depends_on_step_sample_and_seed(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, model_conf(&model_cases[8]));
    const double loss = run(&o, o.grad, o.slice);
    o.slice.step++;
    assert_true(run(&o, o.grad, o.slice) != loss);
    o.slice.step--;
    o.slice.seed++;
    assert_true(run(&o, o.grad, o.slice) != loss);
    o.slice.seed--;
    o.samples[1]++;
    assert_true(run(&o, o.grad, o.slice) != loss);
    o.samples[1]--;
    assert_true(run(&o, o.grad, o.slice) == loss);
    o.slice.dropout = false;
    assert_true(run(&o, o.grad, o.slice) != loss);
    world_close(&o);
}

/* Adam (Kingma, Ba 2015), as in its algorithm 1. */
static void adam(struct world *o, real *m, real *v, int step, double rate)
{
    for (size_t i = 0; i < o->t.count; i++) {
        const double g = (double)o->grad[i] / ROWS;
        m[i] = (real)(0.9 * (double)m[i] + 0.1 * g);
        v[i] = (real)(0.99 * (double)v[i] + 0.01 * g * g);
        const double mean = (double)m[i] / (1 - pow(0.9, step));
        const double square = (double)v[i] / (1 - pow(0.99, step));
        o->theta[i] -= (real)(rate * mean / (sqrt(square) + 1e-8));
    }
}

static void one_batch_is_learnt_by_heart(void **state)
{
    (void)state;
    struct world o;
    FOR_CASES(&o, MODEL_CASES)
    {
        real *m = calloc(2 * o.t.count, sizeof *m), *v = m + o.t.count;
        o.slice.dropout = false;
        for (size_t b = 0; b < B; b++)
            o.tokens[first_row[b] + b] = (uint32_t)b + 1; /* tell them apart */
        transformer_init_params(&o.t, o.theta, SEED);
        double loss = 0;
        for (int step = 1; step <= 250; step++) {
            loss = run(&o, o.grad, o.slice) / ROWS;
            adam(&o, m, v, step, 1e-2);
        }
        /* without positions equal pasts of equal words cannot be told apart */
        if (loss > 0.05)
            fail_msg("loss %g after 250 steps", loss);
        free(m);
    }
}

/* Rows that are being written, each with its source and all it has read. */
enum { WRITTEN = 7 };
struct written {
    uint32_t source[WRITTEN], tokens[WRITTEN][T + 1];
    size_t n;
};

/* Each of @n rows goes on from one that is drawn. */
static void draw(struct written *w, uint32_t *parents, size_t n, uint32_t seed)
{
    const struct written before = *w;
    model_tokens(parents, n, w->n, seed);
    for (size_t i = 0; i < n; i++) {
        w->source[i] = before.source[parents[i]];
        memcpy(w->tokens[i], before.tokens[parents[i]], sizeof w->tokens[i]);
    }
    w->n = n;
}

/* What training says behind the first @length tokens of row @i. */
static const real *judge(struct world *o, const struct written *w, size_t i, size_t length)
{
    static real logits[T * V];
    const uint32_t rows = (uint32_t)length;
    struct slice one = o->slice;
    one.sequences = 1;
    one.length = &rows;
    one.tokens = w->tokens[i];
    if (one.source) {
        one.source_length += w->source[i];
        one.source += first_source[w->source[i]];
    }
    transformer_logits(&o->t, o->w, o->theta, &one, logits);
    return logits + (length - 1) * V;
}

static struct decoder *new_decoder(const struct world *o)
{
    return decoder_new(&o->t, WRITTEN, o->slice.source ? SOURCE_ROWS : 0);
}

/* Rows go on from others, several from one, some end; in the end all do, anew. */
static void generation_sees_what_training_sees(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct decoder *d = new_decoder(&o);
        for (uint32_t round = 0; round < 2; round++) {
            struct written w = {.source = {0, 1, 2}, .n = B};
            uint32_t read[WRITTEN], parents[WRITTEN];
            decoder_begin(d, o.theta, B, o.slice.source_length, o.slice.source);
            for (uint32_t t = 0; t < T; t++) {
                const uint32_t seed = 100 * round + t;
                model_tokens(read, w.n, V, seed);
                for (size_t i = 0; i < w.n; i++)
                    w.tokens[i][t] = read[i];
                const real *logits = decoder_step(d, o.theta, read);
                assert_int_equal(t + 1, decoder_length(d));
                for (size_t i = 0; i < w.n; i++)
                    assert_true(distance(logits + i * V, judge(&o, &w, i, t + 1), V) <
                                ROUNDING);
                draw(&w, parents, 1 + (seed * 5 + 3) % WRITTEN, seed);
                decoder_select(d, parents, w.n);
                assert_int_equal(w.n, decoder_rows(d));
            }
        }
        decoder_free(d);
    }
}

static void the_same_steps_give_the_same_bits(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct decoder *d[2] = {new_decoder(&o), new_decoder(&o)};
        const uint32_t parents[WRITTEN] = {2, 2, 0, 1, 1, 1, 0};
        decoder_begin(d[0], o.theta, 1, o.slice.source_length, o.slice.source);
        decoder_step(d[0], o.theta, o.tokens); /* something in between */
        for (size_t t = 0; t < T; t++) {
            const real *logits[2];
            for (size_t i = 0; i < 2; i++) {
                if (t == 0)
                    decoder_begin(d[i], o.theta, B, o.slice.source_length,
                                  o.slice.source);
                logits[i] = decoder_step(d[i], o.theta, o.tokens + t);
            }
            assert_memory_equal(logits[0], logits[1],
                                decoder_rows(d[0]) * V * sizeof(real));
            for (size_t i = 0; i < 2; i++)
                decoder_select(d[i], parents, WRITTEN);
        }
        decoder_free(d[0]);
        decoder_free(d[1]);
    }
}

/* One of several threads that compute the same. */
struct thread {
    pthread_t id;
    const struct world *o;
    real *grad;
};

static void *compute(void *arg)
{
    struct thread *me = arg;
    struct slice_result r;
    struct workspace *w = workspace_new(&me->o->t, ROWS, true);
    transformer_slice(&me->o->t, w, me->o->theta, me->grad, &me->o->slice, &r, NULL);
    workspace_free(w);
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct thread threads[2];
        run(&o, o.other, o.slice);
        for (size_t i = 0; i < 2; i++) {
            threads[i] =
                (struct thread){.o = &o, .grad = calloc(o.t.count, sizeof(real))};
            assert_int_equal(0,
                             pthread_create(&threads[i].id, NULL, compute, &threads[i]));
        }
        for (size_t i = 0; i < 2; i++) {
            pthread_join(threads[i].id, NULL);
            assert_memory_equal(o.other, threads[i].grad, o.t.count * sizeof(real));
            free(threads[i].grad);
        }
    }
}

struct cover {
    size_t end, told;
};

static void note(void *ctx, size_t first, size_t count)
{
    struct cover *c = ctx;
    assert_true(count > 0);
    assert_int_equal(c->end, first + count); /* next to the one before */
    c->end = first;
    c->told++;
}

static void ranges_are_told_once_and_last_layer_first(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct slice_result r;
        struct cover c = {.end = o.t.count};
        transformer_slice(&o.t, o.w, o.theta, o.grad, &o.slice, &r,
                          &(struct transformer_watch){.done = note, .ctx = &c});
        assert_int_equal(0, c.end);
        size_t layers = 0; /* those that have tensors */
        for (size_t n = 0; n < o.t.tensors; n++)
            layers += n == 0 || o.t.info[n].layer != o.t.info[n - 1].layer;
        assert_int_equal(layers, c.told);
    }
}

static void copy(void *ctx, size_t first, size_t count)
{
    struct world *o = ctx;
    memcpy(o->other + first, o->grad + first, count * sizeof(real));
}

/* Parameters come as they are asked for; what has not come is not a number. */
struct late {
    const real *theta;
    real *here;
    size_t end;
};

static void bring(void *ctx, size_t first, size_t count)
{
    struct late *l = ctx;
    assert_true(count > 0);
    assert_int_equal(l->end, first); /* next to the one before */
    memcpy(l->here + first, l->theta + first, count * sizeof *l->here);
    l->end += count;
}

static void parameters_are_needed_in_vector_order_and_not_read_before(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct slice_result r;
        struct late l = {.theta = o.theta, .here = malloc(o.t.count * sizeof(real))};
        for (size_t i = 0; i < o.t.count; i++)
            l.here[i] = (real)NAN;
        const double loss = run(&o, o.other, o.slice);
        transformer_slice(&o.t, o.w, l.here, o.grad, &o.slice, &r,
                          &(struct transformer_watch){.needed = bring, .ctx = &l});
        assert_int_equal(o.t.count, l.end);
        assert_true(r.loss == loss);
        assert_memory_equal(o.grad, o.other, o.t.count * sizeof(real));
        free(l.here);
    }
}

static void a_range_is_final_when_it_is_told(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        struct slice_result r;
        transformer_slice(&o.t, o.w, o.theta, o.grad, &o.slice, &r,
                          &(struct transformer_watch){.done = copy, .ctx = &o});
        assert_memory_equal(o.grad, o.other, o.t.count * sizeof(real));
    }
}

static void a_slice_allocates_nothing(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_CASE(&o)
    {
        const uint64_t before = mem_count();
        run(&o, o.grad, o.slice);
        assert_int_equal(before, mem_count());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_model_too_large_for_its_types_is_refused),
        T(the_loss_at_the_start_is_the_logarithm_of_the_vocabulary),
        T(the_same_call_gives_the_same_bits),
        T(loss_without_gradient_is_the_same),
        T(blocks_computed_again_have_the_same_bits),
        T(later_tokens_do_not_change_earlier_logits_by_one_bit),
        T(a_source_is_seen_whole_and_by_its_own_sequence_alone),
        T(the_past_of_a_long_sequence_is_safe_too),
        T(threads_do_not_disturb_each_other),
        T(gradients_of_sequences_add_up_to_the_gradient_of_the_batch),
        T(dropout_depends_on_step_sample_and_seed),
        T(one_batch_is_learnt_by_heart),
        T(generation_sees_what_training_sees),
        T(the_same_steps_give_the_same_bits),
        T(ranges_are_told_once_and_last_layer_first),
        T(parameters_are_needed_in_vector_order_and_not_read_before),
        T(a_range_is_final_when_it_is_told),
        T(a_slice_allocates_nothing),
    };
    const char *name;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
