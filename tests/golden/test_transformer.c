/* The same models in PyTorch (generate.py): loss, logits and the gradient of every
 * tensor. Case files name their options as options.def does. */
#include "support/test.h"

#include <ctype.h>

#include "nn/sequences.h"
#include "nn/transformer.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { WORD = 64, SAMPLES = 4, TOKENS = 256 };

/* Relative to the norm of what is compared. */
static const double TOLERANCE = sizeof(real) == sizeof(double) ? 1e-7 : 1e-4;

struct golden {
    FILE *file;
    const char *name;
    struct conf_model conf;
    size_t vocabulary;
    struct slice slice;
    uint32_t lengths[SAMPLES], source_lengths[SAMPLES];
    uint32_t tokens[TOKENS], source[TOKENS];
    uint64_t samples[SAMPLES];
    double loss;
};

static int choice(const char *key, const char *text)
{
    const char *group = "", *wanted = strcmp(key, "norm_place") == 0 ? "place" : key;
#define CHOICES(name) group = #name;
#define VALUE(constant, word)                                                            \
    if (strcmp(group, wanted) == 0 && strcmp(text, word) == 0)                           \
        return (int)constant;
#define END(name)
#include "conf/choices.def"
#undef CHOICES
#undef VALUE
#undef END
    fail_msg("no such choice: %s", text);
    return 0;
}

/* "layers 2", "norm rmsnorm"; false when @key is the first that is no option. */
static bool read_option(struct golden *g, const char *key)
{
    char text[WORD];
    if (strcmp(key, "seed") == 0)
        return false;
    assert_int_equal(1, fscanf(g->file, "%63s", text));
    const double value =
        isdigit((unsigned char)*text) ? strtod(text, NULL) : choice(key, text);
#define FIELD(place, field)                                                              \
    if (strcmp(key, #field) == 0)                                                        \
        return place.field = value, true;
    FIELD(g->conf, layers)
    FIELD(g->conf, encoder_layers)
    FIELD(g->conf, shared_source)
    FIELD(g->conf, heads)
    FIELD(g->conf, kv_heads)
    FIELD(g->conf, width)
    FIELD(g->conf, ffn)
    FIELD(g->conf, context)
    FIELD(g->conf, norm)
    FIELD(g->conf, norm_place)
    FIELD(g->conf, norm_eps)
    FIELD(g->conf, activation)
    FIELD(g->conf, positions)
    FIELD(g->conf, rope_theta)
    FIELD(g->conf, tied)
    FIELD(g->conf, bias)
    FIELD(g->conf, dropout_embed)
    FIELD(g->conf, dropout_attention)
    FIELD(g->conf, dropout_residual)
    FIELD(g->conf, dropout_hidden)
    FIELD(g->conf, dropout_word)
    FIELD((*g), vocabulary)
    FIELD(g->slice, sequences)
    FIELD(g->slice, smoothing)
#undef FIELD
    fail_msg("no such option: %s", key);
    return false;
}

static void read_number(struct golden *g, const char *format, void *value)
{
    assert_int_equal(1, fscanf(g->file, format, value));
}

static void expect_word(struct golden *g, const char *expected)
{
    char word[WORD];
    read_number(g, "%63s", word);
    assert_string_equal(expected, word);
}

/* "lengths 5 2 4"; returns their sum. */
static size_t read_lengths(struct golden *g, const char *name, uint32_t *lengths)
{
    size_t sum = 0;
    expect_word(g, name);
    for (size_t b = 0; b < g->slice.sequences; b++) {
        read_number(g, "%u", &lengths[b]);
        sum += lengths[b];
    }
    return sum;
}

static void read_tokens(struct golden *g, const char *name, uint32_t *tokens,
                        size_t count)
{
    expect_word(g, name);
    assert_in_range(count, 1, TOKENS);
    for (size_t i = 0; i < count; i++)
        read_number(g, "%u", &tokens[i]);
}

static void read_slice(struct golden *g)
{
    struct slice *s = &g->slice;
    read_number(g, "%lu", &s->seed);
    expect_word(g, "step");
    read_number(g, "%lu", &s->step);
    assert_in_range(s->sequences, 1, SAMPLES);
    expect_word(g, "samples");
    for (size_t b = 0; b < s->sequences; b++)
        read_number(g, "%lu", &g->samples[b]);
    const size_t rows = read_lengths(g, "lengths", g->lengths);
    read_tokens(g, "tokens", g->tokens, rows + s->sequences);
    if (g->conf.encoder_layers) {
        const size_t sources = read_lengths(g, "source_lengths", g->source_lengths);
        read_tokens(g, "source", g->source, sources);
        s->source_length = g->source_lengths;
        s->source = g->source;
    }
    s->length = g->lengths;
    s->tokens = g->tokens;
    s->samples = g->samples;
    s->dropout = true;
}

/* Everything up to the logits. */
static void golden_open(struct golden *g, const char *name)
{
    char path[512], key[WORD];
    snprintf(path, sizeof path, TEST_SOURCE "/golden/%s.txt", name);
    *g = (struct golden){.file = fopen(path, "r"), .name = name};
    assert_non_null(g->file);
    do
        read_number(g, "%63s", key);
    while (read_option(g, key));
    read_slice(g);
    expect_word(g, "loss");
    read_number(g, "%lf", &g->loss);
}

/* The numbers of tensor @name that follow in the file, against @ours. */
static void compare(struct golden *g, const char *name, const real *ours, size_t count)
{
    size_t n;
    double error = 0, norm = 0;
    expect_word(g, name);
    read_number(g, "%zu", &n);
    assert_int_equal(n, count);
    for (size_t i = 0; i < n; i++) {
        double golden;
        read_number(g, "%lf", &golden);
        error += ((double)ours[i] - golden) * ((double)ours[i] - golden);
        norm += golden * golden;
    }
    if (!(sqrt(error) <= TOLERANCE * sqrt(norm)))
        fail_msg("%s: %s differs by %g from %g", g->name, name, sqrt(error), sqrt(norm));
}

/* MurmurHash3's 32-bit finalizer, as in generate.py. */
static uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    return h ^ h >> 16;
}

static void fill(const struct transformer *t, real *theta)
{
    for (size_t n = 0; n < t->tensors; n++) {
        const struct param_info *info = &t->info[n];
        for (size_t i = info->first; i < info->first + info->count; i++)
            theta[i] = (float)((info->init == PARAM_ONE) +
                               0.3 * (2.0 * mix((uint32_t)i + 1) / 4294967296.0 - 1));
    }
}

static void check(const char *name)
{
    struct golden g;
    struct transformer t;
    struct slice_result r;
    golden_open(&g, name);
    assert_int_equal(0, transformer_init(&t, &g.conf, g.vocabulary));
    const size_t N = sequences_of(g.slice.sequences, g.lengths).N;
    struct workspace *w = workspace_new(&t, TOKENS, true);
    real *theta = calloc(2 * t.count + N * g.vocabulary, sizeof *theta);
    real *grad = theta + t.count, *logits = grad + t.count;
    fill(&t, theta);
    for (size_t i = 0; i < t.count; i++)
        grad[i] = NAN; /* is overwritten */

    transformer_slice(&t, w, theta, grad, &g.slice, &r, NULL);
    if (!(fabs(r.loss - g.loss) <= TOLERANCE * 0.1 * g.loss))
        fail_msg("%s: loss %.9g, not %.9g", name, r.loss, g.loss);
    transformer_logits(&t, w, theta, &g.slice, logits);
    compare(&g, "logits", logits, N * g.vocabulary);
    for (size_t i = 0; i < t.tensors; i++)
        compare(&g, t.info[i].name, grad + t.info[i].first, t.info[i].count);

    fclose(g.file);
    workspace_free(w);
    transformer_fini(&t);
    free(theta);
}

#define CHECK(...) check_all((const char *[]){__VA_ARGS__, NULL})

static void check_all(const char *const *names)
{
    for (; *names; names++)
        check(*names);
}

static void a_decoder_computes_what_pytorch_does(void **state)
{
    (void)state;
    CHECK("gpt2", "nanogpt", "llama", "vaswani", "post-rms", "blind", "post-learned",
          "drop-pre", "drop-post", "long", "one", "smooth", "smooth-post", "deep", "none",
          "unequal");
}

static void an_encoder_and_its_decoder_compute_what_pytorch_does(void **state)
{
    (void)state;
    CHECK("pair-drop", "pair-drop-post", "pair-llama", "pair-deep", "pair-none",
          "pair-long");
}

/* Of PyTorch's own layers, where the sequences are padded and masked. */
static void sequences_without_padding_are_pytorchs_padded_ones(void **state)
{
    (void)state;
    CHECK("padded", "padded-post", "pair-vaswani", "pair-pre", "pair-uneven",
          "pair-tied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_decoder_computes_what_pytorch_does),
        T(an_encoder_and_its_decoder_compute_what_pytorch_does),
        T(sequences_without_padding_are_pytorchs_padded_ones)};
    const char *name;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
