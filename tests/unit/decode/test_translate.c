/* Translation by real models: scattered ones, and one that has learned three sentences.
 */
#include "support/test.h"

#include "base/err.h"
#include "decode/translate.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { END = 1, SENTENCES = 4, SOURCES = 3 + 9 + 1 + 4, ROWS = SOURCES + SENTENCES };

static const size_t source_n[SENTENCES] = {3, 9, 1, 4};
static const double ROUNDING = sizeof(real) == sizeof(double) ? 1e-12 : 2e-5;

struct world {
    struct transformer t;
    real *theta;
    uint32_t tokens[SOURCES];
    struct sentence sources[SENTENCES];
};

static void world_open(struct world *o, size_t model, size_t V, double spread)
{
    const struct conf_model conf = model_conf(&model_cases[model]);
    assert_int_equal(0, transformer_init(&o->t, &conf, V));
    o->theta = calloc(o->t.count, sizeof(real));
    model_scatter(&o->t, o->theta, spread, (uint32_t)model);
    model_tokens(o->tokens, SOURCES, V, 5);
    const uint32_t *at = o->tokens;
    for (size_t b = 0; b < SENTENCES; at += source_n[b++])
        o->sources[b] = (struct sentence){at, source_n[b]};
}

static void world_close(struct world *o)
{
    transformer_fini(&o->t);
    free(o->theta);
}

#define FOR_EACH_MODEL(o, V, spread)                                                     \
    for (size_t i_ = 0; i_ < MODEL_CASES; i_++)                                          \
        if (model_cases[i_].encoder)                                                     \
            for (bool once_ = (world_open(o, i_, V, spread), true); once_;               \
                 world_close(o), once_ = false)

static void run(const struct world *o, const struct translate_options *options,
                const struct sentence *sources, size_t B, struct translations *out)
{
    struct translator *tr = translator_new(&o->t, options, B, ROWS);
    assert_int_equal(0, translate(tr, o->theta, sources, B, out));
    translator_free(tr);
}

static void all_fini(struct translations *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        translations_fini(&t[i]);
}

/* --- against everything that could be said ------------------------------------------ */

enum { WORDS = 5, FAR = 4, ALL = 1 + 4 + 16 + 64 + 256 };

struct said {
    uint32_t tokens[FAR + 2]; /* the end, what is said, the end */
    size_t n;
    double score;
};

/* Number @i of the sequences of words that are no end, shorter ones first. */
static void number(struct said *s, size_t i)
{
    size_t of_length = 1;
    s->n = 0;
    for (; i >= of_length; of_length *= 4, s->n++)
        i -= of_length;
    s->tokens[0] = s->tokens[s->n + 1] = END;
    for (size_t k = 0; k < s->n; k++, i /= 4)
        s->tokens[k + 1] = (uint32_t)(i % 4 + (i % 4 >= END));
}

static void judge(const struct world *o, struct workspace *w, size_t b, struct said *s,
                  double alpha)
{
    const uint32_t length = (uint32_t)s->n + 1, source = (uint32_t)source_n[b] + 1;
    uint32_t tokens[16];
    memcpy(tokens, o->sources[b].tokens, source_n[b] * sizeof *tokens);
    tokens[source_n[b]] = END;
    struct slice_result r;
    transformer_loss(&o->t, w, o->theta,
                     &(struct slice){.sequences = 1,
                                     .length = &length,
                                     .tokens = s->tokens,
                                     .source_length = &source,
                                     .source = tokens},
                     &r);
    s->score = -r.loss / pow((double)length, alpha);
}

static int best_first(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

static void a_wide_beam_finds_the_same_of_a_model(void **state)
{
    (void)state;
    static struct said all[ALL];
    struct world o;
    size_t model = 0;
    FOR_EACH_MODEL(&o, WORDS, 0.6)
    {
        const double alpha = (double)(model++ % 3) / 2;
        struct workspace *w = workspace_new(&o.t, 12, false);
        struct translate_options options = translate_defaults(END);
        options.beam.beam = options.best = ALL;
        options.beam.alpha = alpha;
        options.beam.shortest = 0;
        options.longest = FAR;
        struct translations got[SENTENCES];
        run(&o, &options, o.sources, SENTENCES, got);
        for (size_t b = 0; b < SENTENCES; b++) {
            for (size_t i = 0; i < ALL; i++) {
                number(&all[i], i);
                judge(&o, w, b, &all[i], alpha);
            }
            qsort(all, ALL, sizeof *all, best_first);
            assert_int_equal(ALL, got[b].n);
            for (size_t i = 0; i < ALL; i++) {
                struct said s = {.n = got[b].at[i].n, .tokens = {END}};
                assert_true(fabs(got[b].at[i].score - all[i].score) <
                            ROUNDING * (1 + fabs(all[i].score)));
                memcpy(s.tokens + 1, got[b].at[i].tokens, s.n * sizeof *s.tokens);
                s.tokens[s.n + 1] = END;
                judge(&o, w, b, &s, alpha); /* its score is that of what is said */
                assert_true(fabs(got[b].at[i].score - s.score) <
                            ROUNDING * (1 + fabs(s.score)));
            }
        }
        all_fini(got, SENTENCES);
        workspace_free(w);
    }
}

/* --- batches ------------------------------------------------------------------------ */

static void a_batch_is_its_sentences(void **state)
{
    (void)state;
    enum { V = 29 };
    struct world o;
    FOR_EACH_MODEL(&o, V, 0.4)
    {
        struct translate_options options = translate_defaults(END);
        options.beam.beam = options.best = 4;
        struct translations together[SENTENCES], alone;
        run(&o, &options, o.sources, SENTENCES, together);
        for (size_t b = 0; b < SENTENCES; b++) {
            run(&o, &options, &o.sources[b], 1, &alone);
            assert_int_equal(alone.n, together[b].n);
            for (size_t i = 0; i < alone.n; i++) {
                const struct translation x = alone.at[i], y = together[b].at[i];
                assert_true(fabs(x.score - y.score) < ROUNDING * (1 + fabs(x.score)));
                assert_int_equal(x.n, y.n);
                assert_memory_equal(x.tokens, y.tokens, x.n * sizeof *x.tokens);
            }
            translations_fini(&alone);
        }
        all_fini(together, SENTENCES);
    }
}

static void the_same_batch_gives_the_same_bits(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_MODEL(&o, 29, 0.4)
    {
        const struct translate_options options = translate_defaults(END);
        struct translations first[SENTENCES], again[SENTENCES], other;
        run(&o, &options, o.sources, SENTENCES, first);
        struct translator *tr = translator_new(&o.t, &options, SENTENCES, ROWS);
        assert_int_equal(0, translate(tr, o.theta, &o.sources[1], 1, &other));
        assert_int_equal(0, translate(tr, o.theta, o.sources, SENTENCES, again));
        for (size_t b = 0; b < SENTENCES; b++) {
            assert_memory_equal(&first[b].at->score, &again[b].at->score, sizeof(double));
            assert_int_equal(first[b].at->n, again[b].at->n);
        }
        translator_free(tr);
        translations_fini(&other);
        all_fini(first, SENTENCES);
        all_fini(again, SENTENCES);
    }
}

/* --- limits ------------------------------------------------------------------------- */

static void lengths_are_kept(void **state)
{
    (void)state;
    struct world o;
    static const struct {
        double ratio;
        size_t longest, of_four; /* of the sentence of four tokens and its end */
    } cases[] = {{0, 0, 0},   {0, 3, 3},    {1.5, 1, 8},
                 {0.5, 0, 2}, {0, 200, 11}, {9, 0, 11}};
    FOR_EACH_MODEL(&o, 7, 0.4)
    {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct translate_options options = translate_defaults(END);
            options.ratio = cases[i].ratio;
            options.longest = cases[i].longest;
            options.best = 5;
            options.beam.shortest = 100; /* as long as may be */
            struct translations got;
            run(&o, &options, &o.sources[3], 1, &got);
            assert_in_range(got.n, 1, 5);
            for (size_t k = 0; k < got.n; k++)
                assert_int_equal(cases[i].of_four, got.at[k].n);
            translations_fini(&got);
        }
    }
}

static void a_broken_model_is_an_error(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, MODEL_CASES - 1, 7, 0.4);
    const struct translate_options options = translate_defaults(END);
    struct translator *tr = translator_new(&o.t, &options, SENTENCES, ROWS);
    struct translations got[SENTENCES];
    for (size_t i = 0; i < o.t.count; i++)
        o.theta[i] = (real)NAN;
    assert_int_equal(ERR_DATA, translate(tr, o.theta, o.sources, SENTENCES, got));
    translator_free(tr);
    world_close(&o);
}

/* --- what was learned --------------------------------------------------------------- */

enum { PAIRS = 3, WORDS_LEARNED = 12 };
static const uint32_t pair_length[PAIRS] = {4, 6, 3}, pair_source[PAIRS] = {3, 4, 2};
static const uint32_t pair_tokens[] = {END, 2, 3, 4,   END, END, 5, 6,
                                       5,   7, 8, END, END, 9,   2, END};
static const uint32_t pair_sources[] = {10, 11, END, 11, 10, 3, END, 4, END};

static void learn(struct world *o)
{
    const struct slice slice = {.sequences = PAIRS,
                                .length = pair_length,
                                .tokens = pair_tokens,
                                .source_length = pair_source,
                                .source = pair_sources};
    struct workspace *w = workspace_new(&o->t, 13, true);
    real *g = calloc(3 * o->t.count, sizeof *g), *m = g + o->t.count, *v = m + o->t.count;
    for (int step = 1; step <= 150; step++) { /* Adam */
        struct slice_result r;
        transformer_slice(&o->t, w, o->theta, g, &slice, &r, NULL);
        for (size_t i = 0; i < o->t.count; i++) {
            m[i] = (real)0.9 * m[i] + (real)0.1 * g[i];
            v[i] = (real)0.99 * v[i] + (real)0.01 * g[i] * g[i];
            const double mean = (double)m[i] / (1 - pow(0.9, step)),
                         square = (double)v[i] / (1 - pow(0.99, step));
            o->theta[i] -= (real)(1e-2 * mean / (sqrt(square) + 1e-8));
        }
    }
    free(g);
    workspace_free(w);
}

static void sentences_learned_by_heart_are_translated(void **state)
{
    (void)state;
    struct world o;
    FOR_EACH_MODEL(&o, WORDS_LEARNED, 0)
    {
        transformer_init_params(&o.t, o.theta, 3);
        learn(&o);
        const struct sentence sources[PAIRS] = {
            {pair_sources, 2}, {pair_sources + 3, 3}, {pair_sources + 7, 1}};
        for (size_t beam = 1; beam <= 5; beam += 4) {
            struct translate_options options = translate_defaults(END);
            struct translations got[PAIRS];
            options.beam.beam = beam;
            run(&o, &options, sources, PAIRS, got);
            const uint32_t *want = pair_tokens;
            for (size_t b = 0; b < PAIRS; want += pair_length[b++] + 1) {
                assert_int_equal(pair_length[b] - 1, got[b].at->n);
                assert_memory_equal(want + 1, got[b].at->tokens,
                                    got[b].at->n * sizeof *want);
            }
            all_fini(got, PAIRS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_wide_beam_finds_the_same_of_a_model),
        T(a_batch_is_its_sentences),
        T(the_same_batch_gives_the_same_bits),
        T(lengths_are_kept),
        T(a_broken_model_is_an_error),
        T(sentences_learned_by_heart_are_translated),
    };
    const char *name;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
