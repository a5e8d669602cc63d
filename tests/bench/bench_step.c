/* Forward and backward at three sizes: tokens per second, and the share of what this
 * machine's BLAS reaches in its best product.
 *
 *      bench_step [--threads N] [--slices N] [--repeats N] [--shape A|B|C]
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
#include "nn/transformer.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { THREADS_MAX = 64, REPEATS_MAX = 1000 };

static const struct shape_case {
    const char *name, *text;
    size_t layers, heads, width, context, length, batch, vocab;
    bool bias;
} shapes[] = {
    {"A", "nanoGPT on a CPU", 4, 4, 128, 64, 64, 12, 65, false},
    {"B", "nanoGPT on a GPU", 6, 6, 384, 256, 256, 16, 65, false},
    {"C", "GPT-2 124M", 12, 12, 768, 1024, 64, 4, 50257, true},
};

struct bench {
    const struct shape_case *shape;
    size_t threads, slices, repeats;
    struct transformer t;
    real *theta;
    uint32_t *tokens, *lengths;
    uint64_t *samples;
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
    return (struct conf_model){.layers = (uint32_t)s->layers,
                               .heads = (uint32_t)s->heads,
                               .kv_heads = (uint32_t)s->heads,
                               .width = (uint32_t)s->width,
                               .ffn = (uint32_t)(4 * s->width),
                               .context = (uint32_t)s->context,
                               .norm_eps = 1e-5,
                               .tied = true,
                               .bias = s->bias,
                               .init_std = 0.02};
}

static size_t sequences(const struct bench *b, size_t slice)
{
    return b->shape->batch * (slice + 1) / b->slices -
           b->shape->batch * slice / b->slices;
}

static void *work(void *arg)
{
    struct thread *me = arg;
    const struct bench *b = me->b;
    for (size_t i = me->number; i < b->slices; i += b->threads) {
        const size_t first = b->shape->batch * i / b->slices;
        const struct slice slice = {.sequences = sequences(b, i),
                                    .length = b->lengths,
                                    .tokens = b->tokens + first * (b->shape->length + 1),
                                    .samples = b->samples + first};
        struct slice_result result;
        transformer_slice(&b->t, me->w, b->theta, me->grad, &slice, &result, NULL, NULL);
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

static void report(const struct bench *b, double *seconds, double peak)
{
    qsort(seconds, b->repeats, sizeof *seconds, by_size);
    const double median = seconds[b->repeats / 2];
    const double tokens = (double)(b->shape->batch * b->shape->length);
    const double flops = tokens * transformer_flops_per_token(&b->t, b->shape->length);
    printf("%s  %-17s %2zu threads %2zu slices  %8.1f ms (best %.1f)  %8.0f tokens/s  "
           "%6.1f GFLOP/s  %3.0f %% of peak\n",
           b->shape->name, b->shape->text, b->threads, b->slices, 1e3 * median,
           1e3 * seconds[0], tokens / median, flops / median / 1e9,
           100 * flops / median / (peak * (double)b->threads));
}

static void bench_shape(struct bench *b, double peak)
{
    const struct shape_case *s = b->shape;
    const struct conf_model conf = conf_of(s);
    struct thread threads[THREADS_MAX];
    double seconds[REPEATS_MAX];
    if (transformer_init(&b->t, &conf, s->vocab))
        exit(1);
    const size_t bytes = b->t.count * sizeof(real);
    b->theta = mem_slab(bytes);
    transformer_init_params(&b->t, b->theta, 1);
    b->tokens = mem_alloc(s->batch * (s->length + 1) * sizeof *b->tokens);
    b->samples = mem_zalloc(s->batch * sizeof *b->samples);
    b->lengths = mem_alloc(s->batch * sizeof *b->lengths);
    for (size_t i = 0; i < s->batch; i++)
        b->lengths[i] = (uint32_t)s->length;
    for (size_t i = 0; i < s->batch * (s->length + 1); i++)
        b->tokens[i] = (uint32_t)(i * 7919 % s->vocab);
    for (size_t i = 0; i < b->threads; i++)
        threads[i] = (struct thread){
            .b = b,
            .number = i,
            .w = workspace_new(&b->t, (s->batch / b->slices + 1) * s->length, true),
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
    mem_free(b->tokens);
    mem_free(b->lengths);
    mem_free(b->lengths);
    mem_free(b->samples);
    transformer_fini(&b->t);
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
    size_t threads = 1, slices = 0, repeats = 7;
    const char *shape = NULL, *blas, *rows;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            threads = number(argv[i + 1], THREADS_MAX);
        else if (strcmp(argv[i], "--slices") == 0)
            slices = number(argv[i + 1], 1024);
        else if (strcmp(argv[i], "--repeats") == 0)
            repeats = number(argv[i + 1], REPEATS_MAX);
        else if (strcmp(argv[i], "--shape") == 0)
            shape = argv[i + 1];
    }
    if (gemm_start(&blas) || rows_start(NULL, &rows))
        return 1;
    const double peak = gemm_peak_flops();
    printf("%s, rows %s, best product %.1f GFLOP/s a thread\n", blas, rows, peak / 1e9);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const size_t parts = slices ? slices : threads, batch = shapes[i].batch;
        struct bench b = {.shape = &shapes[i],
                          .threads = threads,
                          .slices = parts < batch ? parts : batch,
                          .repeats = repeats};
        if (!shape || strcmp(shape, shapes[i].name) == 0)
            bench_shape(&b, peak);
    }
    return 0;
}
