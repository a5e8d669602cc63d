/* A slice's sources become hypotheses: those of decode/translate.h, sentence by sentence. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "decode/translate.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"
#include "worker/translating.h"

enum { V = 17, END = 1, B = 70 /* more than one bundle */, LONGEST = 5 };

static const struct conf_translate conf = {.beam = 3, .alpha = 1, .max_length = 7};
static struct transformer model;
static float *theta;
static uint32_t source[B * (LONGEST + 1)], source_length[B], tokens[2 * B], length[B];
static size_t rows;

/* Sources of 1 to LONGEST words, each with its end. */
static int prepare(void **state)
{
    (void)state;
    const char *name;
    const struct conf_model m = model_conf(&model_cases[15]);
    assert_true(m.encoder_layers > 0);
    log_init("", LOG_ERROR);
    if (gemm_start(NULL, &name) || rows_start(NULL, &name) || transformer_init(&model, &m, V))
        return 1;
    theta = calloc(model.count, sizeof *theta);
    model_scatter(&model, theta, 0.4, 3);
    uint32_t words[B * LONGEST];
    model_tokens(words, B * LONGEST, V, 4);
    for (size_t b = 0; b < B; b++) {
        const size_t n = 1 + words[b] % LONGEST;
        for (size_t i = 0; i < n; i++)
            source[rows + i] = words[b * LONGEST + i] == END ? 2 : words[b * LONGEST + i];
        source[rows + n] = END;
        rows += source_length[b] = (uint32_t)n + 1;
        length[b] = 1;
        tokens[2 * b] = tokens[2 * b + 1] = END;
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    free(theta);
    return 0;
}

static void each_sentence_becomes_what_it_becomes_alone(void **state)
{
    (void)state;
    const struct slice slice = {.sequences = B,
                                .length = length,
                                .tokens = tokens,
                                .source_length = source_length,
                                .source = source};
    struct translate_options o = translate_defaults(END);
    o.beam.beam = conf.beam;
    o.longest = conf.max_length;
    struct translator *alone = translator_new(&model, &o, 1, LONGEST + 1);
    struct translating *t = translating_new(&model, &conf, rows);
    struct hypotheses h;
    for (int again = 0; again < 2; again++) { /* what was before does not matter */
        assert_int_equal(translating_slice(t, theta, &slice, &h), ERR_OK);
        const uint32_t *at = h.tokens, *words = source;
        for (size_t b = 0; b < B; b++) {
            const struct sentence s = {words, source_length[b] - 1};
            struct translations one;
            assert_int_equal(translate(alone, theta, &s, 1, &one), ERR_OK);
            assert_int_equal(h.lengths[b], one.at[0].n);
            assert_memory_equal(at, one.at[0].tokens, one.at[0].n * sizeof *at);
            at += h.lengths[b];
            words += source_length[b];
            translations_fini(&one);
        }
        assert_int_equal(h.words, at - h.tokens);
        hypotheses_fini(&h);
    }
    translating_free(t);
    translator_free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(each_sentence_becomes_what_it_becomes_alone)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
