#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "coordinator/bench/bench_ceilings.h"
#include "coordinator/bench/bench_model.h"
#include "nn/loss.h"

enum { KINDS_MAX = 16, FORMS = 3 };

static const char *const forms[FORMS] = {"forward", "dgrad", "wgrad"};

/* Linear layers of one shape: y [M,out]  <-  x [M,in] * w [out,in]^T */
struct kind {
    char name[PARAM_NAME];
    size_t M, in, out;
    double times; /* in a slice */
};

/* "encoder.layers.3.mlp.up.weight" is "mlp.up". */
static void short_name(char name[PARAM_NAME], const struct param_info *info)
{
    const char *from = strstr(info->name, "layers.");
    from = from ? strchr(from + strlen("layers."), '.') : NULL;
    snprintf(name, PARAM_NAME, "%s", from ? from + 1 : info->name);
    char *end = strstr(name, ".weight");
    if (end)
        *end = '\0';
}

static void count_kind(struct kind *kinds, size_t *n, const struct param_info *info,
                       size_t rows)
{
    struct kind k = {.M = rows, .in = info->cols, .out = info->rows, .times = 1};
    short_name(k.name, info);
    for (size_t i = 0; i < *n; i++)
        if (strcmp(kinds[i].name, k.name) == 0) {
            kinds[i].times++;
            return;
        }
    if (*n < KINDS_MAX)
        kinds[(*n)++] = k;
}

/* How many; the head is the last. */
static size_t find_kinds(const struct bench_model *m, struct kind kinds[KINDS_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < m->t.tensors; i++) {
        const struct param_info *p = &m->t.info[i];
        if (p->cols &&
            (p->of.section == SECTION_ENCODER || p->of.section == SECTION_DECODER))
            count_kind(kinds, &n, p, m->rows);
    }
    const struct shape *s = &m->t.shape;
    const size_t block = head_rows(s->V), M = block < m->rows ? block : m->rows;
    kinds[n] = (struct kind){"head", M, s->C, s->V, (double)m->rows / (double)M};
    return n + 1;
}

struct product {
    const struct kind *kind;
    struct gemm gemm;
    int form;
    real *x, *y, *w;
};

static void multiply(void *ctx)
{
    const struct product *p = ctx;
    const size_t M = p->kind->M, in = p->kind->in, out = p->kind->out;
    switch (p->form) {
    case 0: /* y = x * w^T */
        gemm_nt(&p->gemm, p->y, out, p->x, in, p->w, in, M, out, in, false);
        return;
    case 1: /* dx = dy * w */
        gemm_nn(&p->gemm, p->x, in, p->y, out, p->w, in, M, in, out, false);
        return;
    default: /* dw = dy^T * x */
        gemm_tn(&p->gemm, p->w, in, p->y, out, p->x, in, out, in, M, false);
    }
}

/* Small: products of products stay numbers. */
static real *numbers(size_t n)
{
    real *x = mem_slab(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(i * 7919 % 1000) / 10000 - (real)0.05;
    return x;
}

static void say(struct bench *b, const struct product *p, bool bfloat16,
                struct spread seconds)
{
    const struct kind *k = p->kind;
    const double flops = 2.0 * (double)k->M * (double)k->in * (double)k->out;
    const struct spread rate = spread_rate(seconds, flops / 1e9);
    bench_say(
        b,
        (struct bench_row){.section = BENCH_PRODUCTS,
                           .threads = 1,
                           .value = rate,
                           .unit = BENCH_GFLOPS,
                           .share = 1e9 * rate.median / bench_ceiling_flops(b, bfloat16)},
        "%s, %s, %s", k->name, forms[p->form], bfloat16 ? "bfloat16" : "float32");
}

/* Seconds of all three in a slice. */
static double measure(struct bench *b, const struct kind *k, bool bfloat16)
{
    double seconds = 0;
    struct product p = {.kind = k,
                        .gemm = gemm_new(bfloat16 ? GEMM_BFLOAT16 : GEMM_REAL),
                        .x = numbers(k->M * k->in),
                        .y = numbers(k->M * k->out),
                        .w = numbers(k->in * k->out)};
    for (p.form = 0; p.form < FORMS; p.form++) {
        const struct spread s = bench_repeat(b, multiply, &p);
        say(b, &p, bfloat16, s);
        seconds += s.median;
    }
    mem_slab_free(p.x, k->M * k->in * sizeof *p.x);
    mem_slab_free(p.y, k->M * k->out * sizeof *p.y);
    mem_slab_free(p.w, k->in * k->out * sizeof *p.w);
    gemm_free(&p.gemm);
    return seconds * k->times;
}

static double flops_of(const struct kind *k)
{
    return 2.0 * FORMS * k->times * (double)k->M * (double)k->in * (double)k->out;
}

struct bench_products bench_products(struct bench *b, const struct bench_model *m)
{
    struct kind kinds[KINDS_MAX + 1];
    const size_t n = find_kinds(m, kinds);
    double seconds[2] = {0}, flops = 0;
    for (int bfloat16 = 0; bfloat16 < 2; bfloat16++) {
        log_info("measuring products in %s, %zu rows", bfloat16 ? "bfloat16" : "float32",
                 m->rows);
        for (size_t i = 0; i < n; i++)
            seconds[bfloat16] += measure(b, &kinds[i], bfloat16);
    }
    for (size_t i = 0; i < n; i++)
        flops += flops_of(&kinds[i]);
    return (struct bench_products){.seconds = seconds[m->t.precision == GEMM_BFLOAT16],
                                   .flops = flops,
                                   .faster = seconds[0] / seconds[1]};
}
