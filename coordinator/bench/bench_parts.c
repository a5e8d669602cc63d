/* Parts of a slice that are not products of linear layers, each by itself, in memory of
 * its own: what they take within a slice, where other things lie in the caches, is about
 * that. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "coordinator/bench/bench_model.h"
#include "nn/attend.h"
#include "nn/heads.h"
#include "nn/loss.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "tensor/rows.h"

struct parts {
    const struct bench_model *m;
    struct pass pass;
    struct gemm gemm;
    real *x, *y, *z, *d; /* [N, widest] */
    real *logits;        /* [head_rows, V] */
    real *weights, *dweights;
    real *gain, *dgain; /* [widest] twice: gain and bias */
    real *mean, *rstd;  /* [N] */
    bool causal;        /* of look() */
};

static size_t widest(const struct bench_model *m)
{
    const struct shape *s = &m->t.shape;
    const size_t qkv = (s->H + 2 * s->G) * s->D, up = mlp_up(&m->t.conf, s);
    return qkv > up ? qkv : up;
}

/* --- the parts, forward and backward, once -------------------------------------------
 */

/* Queries, keys and values side by side, as self-attention has them; cross-attention, of
 * as many rows of the source, costs the same as one that is not causal. */
static void look(void *ctx)
{
    const struct parts *p = ctx;
    const struct shape *s = &p->pass.s;
    const size_t ld = (s->H + 2 * s->G) * s->D, k = s->H * s->D, v = (s->H + s->G) * s->D;
    const struct heads h = {.of = &p->pass.of,
                            .at = &p->pass.of,
                            .q = p->x,
                            .k = p->x + k,
                            .v = p->x + v,
                            .ldq = ld,
                            .ldk = ld,
                            .causal = p->causal};
    const struct heads_gradient g = {p->y, p->y + k, p->y + v};
    heads_forward(p->z, &h, p->weights, &p->pass);
    heads_backward(&g, p->d, &h, p->weights, p->dweights, &p->pass);
}

static void normalize(void *ctx)
{
    const struct parts *p = ctx;
    const struct conf_model *conf = &p->m->t.conf;
    const bool bias = conf->bias && conf->norm == NORM_LAYER;
    const size_t N = p->pass.N, C = p->pass.s.C;
    const struct norm w = {p->gain, bias ? p->gain + C : NULL},
                      dw = {p->dgain, bias ? p->dgain + C : NULL};
    const struct norm_cache cache = {p->mean, p->rstd};
    norm_forward(p->y, cache, p->x, w, conf, N, C);
    norm_backward(p->z, dw, p->d, cache, p->x, w, conf, N, C);
}

static void activate(void *ctx)
{
    const struct parts *p = ctx;
    const size_t n = p->pass.N * p->pass.s.F;
    switch (p->m->t.conf.activation) {
    case ACTIVATION_GELU:
        rows_gelu(p->y, p->x, n);
        rows_gelu_backward(p->z, p->d, p->x, n);
        return;
    case ACTIVATION_GELU_TANH:
        rows_gelu_tanh(p->y, p->x, n);
        rows_gelu_tanh_backward(p->z, p->d, p->x, n);
        return;
    case ACTIVATION_RELU:
        rows_relu(p->y, p->x, n);
        rows_relu_backward(p->z, p->d, p->x, n);
        return;
    case ACTIVATION_SWIGLU: /* gate and up lie one behind the other: widest is 2 F */
        rows_swiglu(p->y, p->x, p->x + n, n);
        rows_swiglu_backward(p->z, p->z + n, p->d, p->x, p->x + n, n);
        return;
    }
}

static void add_residual(void *ctx)
{
    const struct parts *p = ctx;
    const size_t n = p->pass.N * p->pass.s.C;
    rows_add_scaled(p->y, p->x, 0, n);
    rows_add_scaled(p->y, p->d, 0, n);
}

static void add_biases(void *ctx)
{
    const struct parts *p = ctx;
    for (size_t i = 0; i < p->m->t.tensors; i++) {
        const struct param_info *info = &p->m->t.info[i];
        if (!strstr(info->name, ".bias") || strstr(info->name, "norm"))
            continue;
        rows_add_bias(p->y, p->gain, p->pass.N, info->rows);
        rows_sum(p->dgain, p->y, p->pass.N, info->rows);
    }
}

static void drop(const struct parts *p, double probability, size_t width)
{
    for (int way = 0; way < 2 && probability > 0; way++)
        dropout_apply(p->y, p->x, &p->pass.dropout, probability, 0, &p->pass.of, width);
}

static void drop_residual(void *ctx)
{
    const struct parts *p = ctx;
    drop(p, p->m->t.conf.dropout_residual, p->pass.s.C);
}

static void drop_hidden(void *ctx)
{
    const struct parts *p = ctx;
    drop(p, p->m->t.conf.dropout_hidden, p->pass.s.F);
}

/* A block of rows; what it leaves of the logits is as good for the next time. */
static void lose(void *ctx)
{
    const struct parts *p = ctx;
    const size_t V = p->pass.s.V, block = head_rows(V), N = p->pass.N;
    rows_cross_entropy(p->logits, V, p->m->tokens, block < N ? block : N, V,
                       p->pass.smoothing, true);
}

/* --- their room ----------------------------------------------------------------------
 */

enum { BUFFERS = 11 };

struct buffer {
    real **at;
    size_t n;
};

static void list_buffers(struct buffer list[BUFFERS], struct parts *p)
{
    const struct shape *s = &p->pass.s;
    const size_t wide = widest(p->m), N = p->pass.N, T = p->pass.of.longest;
    const size_t block = head_rows(s->V), rows = block < N ? block : N;
    const struct buffer all[BUFFERS] = {{&p->x, N * wide},
                                        {&p->y, N * wide},
                                        {&p->z, N * wide},
                                        {&p->d, N * wide},
                                        {&p->logits, rows * s->V},
                                        {&p->weights, attend_weights(T, T)},
                                        {&p->gain, 2 * wide},
                                        {&p->dweights, attend_weights(T, T)},
                                        {&p->dgain, 2 * wide},
                                        {&p->mean, N},
                                        {&p->rstd, N}};
    memcpy(list, all, sizeof all);
}

static void parts_init(struct parts *p, const struct bench_model *m)
{
    struct buffer list[BUFFERS];
    const struct sequences of = sequences_of(m->slice.sequences, m->slice.length);
    *p = (struct parts){.m = m, .gemm = gemm_new(m->t.precision)};
    p->pass = (struct pass){.conf = &m->t.conf,
                            .s = m->t.shape,
                            .of = of,
                            .N = of.N,
                            .gemm = &p->gemm,
                            .smoothing = (real)m->slice.smoothing,
                            .dropout = {.on = true,
                                        .key = philox_key(1, PHILOX_DROPOUT),
                                        .samples = m->slice.samples}};
    list_buffers(list, p);
    for (size_t i = 0; i < BUFFERS; i++) {
        real *x = *list[i].at = mem_slab(list[i].n * sizeof *x);
        for (size_t k = 0; k < list[i].n; k++)
            x[k] = (real)(k * 7919 % 1000) / 1000 - (real)0.5;
    }
}

static void parts_fini(struct parts *p)
{
    struct buffer list[BUFFERS];
    list_buffers(list, p);
    for (size_t i = 0; i < BUFFERS; i++)
        mem_slab_free(*list[i].at, list[i].n * sizeof(real));
    gemm_free(&p->gemm);
}

/* --- how often -----------------------------------------------------------------------
 */

/* What has a residual around it: attention, cross-attention, mlp. */
static double sublayers(const struct shape *s)
{
    return (double)(s->L * (s->E ? 3 : 2) + 2 * s->E);
}

static double norms(const struct bench_model *m)
{
    const struct shape *s = &m->t.shape;
    const enum conf_place place = m->t.conf.norm_place;
    const double last = place == PLACE_PRE ? (s->E ? 2 : 1) : 0;
    return place == PLACE_NONE ? 0 : sublayers(s) + last;
}

struct part {
    const char *name;
    void (*once)(void *ctx);
    double times;
    bool causal;
};

static void say(struct bench *b, const char *name, struct spread seconds, double share)
{
    bench_say(b,
              (struct bench_row){.section = BENCH_SLICE,
                                 .threads = 1,
                                 .value = spread_scaled(seconds, 1e3),
                                 .unit = BENCH_MS,
                                 .share = share},
              "%s", name);
}

/* Returns its seconds in a slice. */
static double measure(struct bench *b, struct parts *p, const struct part *part,
                      double whole)
{
    if (!(part->times > 0))
        return 0;
    p->causal = part->causal;
    const struct spread s = spread_scaled(bench_repeat(b, part->once, p), part->times);
    say(b, part->name, s, s.median / whole);
    return s.median;
}

void bench_parts(struct bench *b, const struct bench_model *m, double whole,
                 double products)
{
    const struct shape *s = &m->t.shape;
    const struct conf_model *conf = &m->t.conf;
    const double blocks = (double)(s->L + s->E), rows = (double)m->rows,
                 block = fmin((double)head_rows(s->V), rows);
    const struct part parts[] = {
        {"attention, causal", look, (double)s->L, true},
        {"attention, of and to sources", look, s->E ? blocks : 0, false},
        {"norms", normalize, norms(m), false},
        {"activation", activate, blocks, false},
        {"residuals", add_residual, sublayers(s), false},
        {"biases", add_biases, conf->bias, false},
        {"dropout of residuals", drop_residual,
         conf->dropout_residual > 0 ? sublayers(s) : 0, false},
        {"dropout of hidden rows", drop_hidden, conf->dropout_hidden > 0 ? blocks : 0,
         false},
        {"softmax and loss of the head", lose, rows / block, false},
    };
    struct parts p;
    double left = whole - products;
    parts_init(&p, m);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        left -= measure(b, &p, &parts[i], whole);
    parts_fini(&p);
    if (left > 0) /* by themselves they may take longer */
        say(b, "the rest", (struct spread){left, left, left}, left / whole);
}
