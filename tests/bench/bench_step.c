/* Forward and backward at four sizes: tokens per second, and the share of what this
 * machine's BLAS reaches in its best product.
 *
 *      bench_step [--threads N] [--slices N] [--repeats N] [--shape A|B|C|D|T]
 *                 [--compute bfloat16] [--context N] [--recompute 1]
 *
 * With --context a sequence has so many tokens and is a slice of its own; a batch has as
 * many tokens as without, or a sequence for each thread.
 *
 * A to D are those of tests/bench/peers.  T translates, too: sentences of 5 to 23 tokens,
 * dropout and smoothing as in training; tokens are those of the targets, there are as
 * many of the sources.
 *
 * Slices (default: one per thread) are dealt to the threads round robin.  A repeat is all
 * slices of a batch; the median repeat is shown.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/philox.h"
#include "nn/sequences.h"
#include "nn/transformer.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { THREADS_MAX = 64, REPEATS_MAX = 1000 };

/* @length: of every sequence; with an encoder the mean of sources and targets. */
static const struct shape_case {
    const char *name, *text;
    size_t layers, heads, width, ffn, context, length, batch, vocab;
    bool bias, encoder,
        even; /* even: all sequences are equally long, and nothing is dropped */
} shapes[] = {
    {"A", "nanoGPT on a CPU", 4, 4, 128, 512, 64, 64, 12, 65, false, false, true},
    {"B", "nanoGPT on a GPU", 6, 6, 384, 1536, 256, 256, 16, 65, false, false, true},
    {"C", "GPT-2 124M", 12, 12, 768, 3072, 1024, 64, 4, 50257, true, false, true},
    {"D", "translation, even", 4, 4, 128, 256, 32, 32, 128, 10000, true, true, true},
    {"T", "Transformer-Tiny", 4, 4, 128, 256, 64, 14, 293, 9712, true, true, false},
};

/* Sequences of all slices, as struct slice has them. */
struct batch {
    uint32_t *tokens, *lengths, *source, *source_lengths;
    uint64_t *samples;
};

struct bench {
    const struct shape_case *shape;
    size_t threads, slices, repeats;
    enum gemm_precision precision;
    bool recompute;
    struct transformer t;
    real *theta;
    struct batch batch;
};

struct thread {
    const struct bench *b;
    size_t number;
    pthread_t id;
    struct workspace *w;
    real *grad;
};

static struct conf_model conf_of(const struct shape_case *s)
{
    struct conf_model conf = {.layers = (uint32_t)s->layers,
                              .heads = (uint32_t)s->heads,
                              .kv_heads = (uint32_t)s->heads,
                              .width = (uint32_t)s->width,
                              .ffn = (uint32_t)s->ffn,
                              .context = (uint32_t)s->context,
                              .norm_eps = 1e-5,
                              .tied = true,
                              .bias = s->bias,
                              .init_std = 0.02};
    if (!s->encoder)
        return conf;
    conf.encoder_layers = conf.layers;
    conf.shared_source = true;
    conf.norm_place = PLACE_POST;
    conf.activation = ACTIVATION_RELU;
    conf.positions = POSITIONS_HALVES;
    conf.dropout_embed = conf.dropout_residual = s->even ? 0 : 0.3;
    return conf;
}

/* Slice @i. */
static struct slice slice_of(const struct bench *b, size_t i)
{
    const struct batch *all = &b->batch;
    const size_t first = b->shape->batch * i / b->slices,
                 end = b->shape->batch * (i + 1) / b->slices;
    struct slice slice = {.sequences = end - first,
                          .length = all->lengths + first,
                          .tokens =
                              all->tokens + first + sequences_of(first, all->lengths).N,
                          .samples = all->samples + first,
                          .seed = 1};
    if (!b->shape->encoder)
        return slice;
    slice.source_length = all->source_lengths + first;
    slice.source = all->source + sequences_of(first, all->source_lengths).N;
    slice.dropout = !b->shape->even;
    slice.smoothing = 0.1;
    return slice;
}

static void *work(void *arg)
{
    struct thread *me = arg;
    const struct bench *b = me->b;
    for (size_t i = me->number; i < b->slices; i += b->threads) {
        const struct slice slice = slice_of(b, i);
        struct slice_result result;
        transformer_slice(&b->t, me->w, b->theta, me->grad, &slice, &result, NULL);
    }
    return NULL;
}

static double repeat(struct bench *b, struct thread *threads)
{
    const double start = clock_seconds();
    for (size_t i = 1; i < b->threads; i++)
        if (pthread_create(&threads[i].id, NULL, work, &threads[i]))
            abort();
    work(&threads[0]);
    for (size_t i = 1; i < b->threads; i++)
        pthread_join(threads[i].id, NULL);
    return clock_seconds() - start;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Rows of the largest slice, of targets or of sources. */
static size_t rows_most(const struct bench *b)
{
    size_t most = 0;
    for (size_t i = 0; i < b->slices; i++) {
        const struct slice s = slice_of(b, i);
        const size_t rows = sequences_of(s.sequences, s.length).N;
        const size_t sources =
            s.source ? sequences_of(s.sequences, s.source_length).N : 0;
        most = rows > most ? rows : most;
        most = sources > most ? sources : most;
    }
    return most;
}

static void report(const struct bench *b, double *seconds, double peak)
{
    qsort(seconds, b->repeats, sizeof *seconds, by_size);
    const double median = seconds[b->repeats / 2];
    const double tokens = (double)sequences_of(b->shape->batch, b->batch.lengths).N;
    const double flops = tokens * transformer_flops_per_token(&b->t, b->shape->length);
    printf("%s  %-17s context %4zu  %2zu threads %2zu slices  %8.1f ms (best %.1f)  "
           "%8.0f tokens/s  %6.1f GFLOP/s  %3.0f %% of peak  %4.0f MiB a thread\n",
           b->shape->name, b->shape->text, b->shape->context, b->threads, b->slices,
           1e3 * median, 1e3 * seconds[0], tokens / median, flops / median / 1e9,
           100 * flops / median / (peak * (double)b->threads),
           (double)workspace_bytes(&b->t, rows_most(b), true) / (1 << 20));
}

/* Number @i in [0, most]. */
static uint32_t drawn(uint32_t most, size_t i, uint32_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    return philox(key, (struct philox_block){{(uint32_t)i}}).word[0] % (most + 1);
}

/* [batch]: the shape's, or of three dice around it. */
static uint32_t *lengths_new(const struct shape_case *s, uint32_t seed)
{
    uint32_t *lengths = mem_alloc(s->batch * sizeof *lengths);
    for (size_t i = 0; i < s->batch; i++) {
        lengths[i] = (uint32_t)s->length;
        for (size_t die = 0; die < 3 && !s->even; die++)
            lengths[i] = lengths[i] - 3 + drawn(6, 3 * i + die, seed);
    }
    return lengths;
}

static uint32_t *tokens_new(const struct shape_case *s, size_t n)
{
    uint32_t *tokens = mem_alloc(n * sizeof *tokens);
    for (size_t i = 0; i < n; i++)
        tokens[i] = (uint32_t)(i * 7919 % s->vocab);
    return tokens;
}

static struct batch batch_new(const struct shape_case *s)
{
    struct batch made = {.lengths = lengths_new(s, 1),
                         .source_lengths = lengths_new(s, 2),
                         .samples = mem_zalloc(s->batch * sizeof *made.samples)};
    made.tokens = tokens_new(s, sequences_of(s->batch, made.lengths).N + s->batch);
    made.source = tokens_new(s, sequences_of(s->batch, made.source_lengths).N);
    for (size_t i = 0; i < s->batch; i++)
        made.samples[i] = i;
    return made;
}

static void batch_free(struct batch *b)
{
    mem_free(b->tokens);
    mem_free(b->lengths);
    mem_free(b->source);
    mem_free(b->source_lengths);
    mem_free(b->samples);
}

static void bench_shape(struct bench *b, double peak)
{
    const struct shape_case *s = b->shape;
    const struct conf_model conf = conf_of(s);
    struct thread threads[THREADS_MAX];
    double seconds[REPEATS_MAX];
    if (transformer_init(&b->t, &conf, s->vocab))
        exit(1);
    b->t.precision = b->precision;
    b->t.recompute = b->recompute;
    const size_t bytes = b->t.count * sizeof(real);
    b->theta = mem_slab(bytes);
    transformer_init_params(&b->t, b->theta, 1);
    b->batch = batch_new(s);
    for (size_t i = 0; i < b->threads; i++)
        threads[i] = (struct thread){.b = b,
                                     .number = i,
                                     .w = workspace_new(&b->t, rows_most(b), true),
                                     .grad = mem_slab(bytes)};
    repeat(b, threads); /* touches all memory */
    for (size_t i = 0; i < b->repeats; i++)
        seconds[i] = repeat(b, threads);
    report(b, seconds, peak);
    for (size_t i = 0; i < b->threads; i++) {
        workspace_free(threads[i].w);
        mem_slab_free(threads[i].grad, bytes);
    }
    mem_slab_free(b->theta, bytes);
    batch_free(&b->batch);
    transformer_fini(&b->t);
}

/* The same model, looking further. */
static struct shape_case stretched(struct shape_case s, size_t context, size_t threads)
{
    const size_t sequences = s.length * s.batch / context;
    s.context = s.length = context;
    s.batch = sequences > threads ? sequences : threads;
    return s;
}

static size_t number(const char *text, size_t most)
{
    const unsigned long value = strtoul(text, NULL, 10);
    if (value < 1 || value > most) {
        fprintf(stderr, "bench_step: expected 1 to %zu, not %s\n", most, text);
        exit(64);
    }
    return value;
}

int main(int argc, char **argv)
{
    size_t threads = 1, slices = 0, repeats = 7, context = 0, recompute = 0;
    const char *shape = NULL, *blas, *rows;
    enum gemm_precision precision = GEMM_REAL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            threads = number(argv[i + 1], THREADS_MAX);
        else if (strcmp(argv[i], "--slices") == 0)
            slices = number(argv[i + 1], 1024);
        else if (strcmp(argv[i], "--repeats") == 0)
            repeats = number(argv[i + 1], REPEATS_MAX);
        else if (strcmp(argv[i], "--context") == 0)
            context = number(argv[i + 1], 65536);
        else if (strcmp(argv[i], "--recompute") == 0)
            recompute = number(argv[i + 1], 1);
        else if (strcmp(argv[i], "--shape") == 0)
            shape = argv[i + 1];
        else if (strcmp(argv[i], "--compute") == 0)
            precision = strcmp(argv[i + 1], "bfloat16") ? GEMM_REAL : GEMM_BFLOAT16;
    }
    if (gemm_start(NULL, &blas) || rows_start(NULL, &rows))
        return 1;
    const double peak = gemm_peak_flops();
    printf("%s, rows %s, best product %.1f GFLOP/s a thread\n", blas, rows, peak / 1e9);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shape && strcmp(shape, shapes[i].name) != 0)
            continue;
        const struct shape_case as =
            context ? stretched(shapes[i], context, threads) : shapes[i];
        const size_t parts = slices ? slices : context ? as.batch : threads;
        struct bench b = {.shape = &as,
                          .threads = threads,
                          .slices = parts < as.batch ? parts : as.batch,
                          .repeats = repeats,
                          .precision = precision,
                          .recompute = recompute};
        bench_shape(&b, peak);
    }
    return 0;
}
