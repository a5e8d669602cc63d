#include "nn/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/attend.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

/* Columns of qkv. */
static size_t columns(const struct shape *s)
{
    return (s->H + 2 * s->G) * s->D;
}

/* First columns of query head h and of the key and value heads it reads. */
static size_t query(size_t h, const struct shape *s)
{
    return h * s->D;
}

static size_t key(size_t h, const struct shape *s)
{
    return (s->H + h * s->G / s->H) * s->D;
}

static size_t value(size_t h, const struct shape *s)
{
    return key(h, s) + s->G * s->D;
}

/* Rotary positions turn the first H + G heads of each row: queries and keys. */
static void rotate(real *qkv, bool inverse, const struct pass *pass)
{
    const struct shape *s = &pass->s;
    if (!pass->angles)
        return;
    for (size_t n = 0; n < pass->N; n++) {
        const real *angles = pass->angles + (pass->start + n % pass->T) * s->D;
        for (size_t h = 0; h < s->H + s->G; h++)
            rows_rotate(qkv + n * columns(s) + h * s->D, angles, s->D, inverse);
    }
}

/* Head h of sequence b. */
static struct attend head(const real *qkv, size_t b, size_t h, const struct pass *pass,
                          size_t l)
{
    const struct shape *s = &pass->s;
    const real *qkv_b = qkv + b * pass->T * columns(s);
    struct attend head = {.T = pass->T,
                          .D = s->D,
                          .q = qkv_b + query(h, s),
                          .k = qkv_b + key(h, s),
                          .v = qkv_b + value(h, s),
                          .ld = columns(s),
                          .drop = (real)pass_drop(pass, pass->conf->dropout_attention)};
    if (head.drop > 0)
        head.site =
            dropout_at(&pass->dropout, dropout_site(l, s->H, DROPOUT_HEAD + h), b);
    return head;
}

/* One query looks at keys 0..start of its cache; @weights holds s.T numbers. */
static void look_back(real *y, const real *q, const real *keys, const real *values,
                      real *weights, const struct pass *pass)
{
    const size_t D = pass->s.D, ld = pass->s.G * D, T = pass->start + 1;
    gemm_nt(weights, T, q, D, keys, ld, 1, T, D, 1 / real_sqrt((real)D), 0);
    real most = weights[0], sum = 0;
    for (size_t t = 1; t < T; t++)
        most = weights[t] > most ? weights[t] : most;
    for (size_t t = 0; t < T; t++)
        sum += weights[t] = real_exp(weights[t] - most);
    gemm_nn(y, D, weights, T, values, ld, 1, D, T, 1 / sum, 0);
}

static void step(struct attention_cache cache, real *weights, const struct pass *pass)
{
    const struct shape *s = &pass->s;
    const size_t width = s->G * s->D;
    assert(pass->N == 1 && pass->start < s->T);
    memcpy(cache.keys + pass->start * width, cache.qkv + key(0, s), width * sizeof(real));
    memcpy(cache.values + pass->start * width, cache.qkv + value(0, s),
           width * sizeof(real));
    for (size_t h = 0; h < s->H; h++) {
        const size_t g = h * s->G / s->H;
        look_back(cache.mixed + h * s->D, cache.qkv + query(h, s), cache.keys + g * s->D,
                  cache.values + g * s->D, weights, pass);
    }
}

void attention_forward(real *y, struct attention_cache cache, const real *x,
                       struct attention w, struct attention_scratch scratch,
                       const struct pass *pass, size_t l)
{
    const size_t N = pass->N, C = pass->s.C;
    linear_forward(cache.qkv, x, w.qkv, N, C, columns(&pass->s));
    rotate(cache.qkv, false, pass);
    if (cache.keys)
        step(cache, scratch.weights, pass);
    else
        for (size_t b = 0; b < pass->B; b++)
            for (size_t h = 0; h < pass->s.H; h++) {
                const struct attend a = head(cache.qkv, b, h, pass, l);
                attend_forward(cache.mixed + b * pass->T * C + h * a.D, C, &a,
                               scratch.weights);
            }
    linear_forward(y, cache.mixed, w.output, N, C, C);
}

static void heads_backward(struct attention_cache cache, struct attention_scratch scratch,
                           const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    for (size_t b = 0; b < pass->B; b++)
        for (size_t h = 0; h < s->H; h++) {
            const struct attend a = head(cache.qkv, b, h, pass, l);
            real *dqkv_b = scratch.dqkv + b * pass->T * columns(s);
            const struct attend_gradient g = {.dq = dqkv_b + query(h, s),
                                              .dk = dqkv_b + key(h, s),
                                              .dv = dqkv_b + value(h, s),
                                              .add = h > 0 && key(h, s) == key(h - 1, s)};
            attend_backward(&g, scratch.dmixed + b * pass->T * s->C + h * a.D, s->C, &a,
                            scratch.weights, scratch.dweights);
        }
}

void attention_backward(real *dx, struct attention dw, const real *dy,
                        struct attention_cache cache, const real *x, struct attention w,
                        struct attention_scratch scratch, const struct pass *pass,
                        size_t l)
{
    const size_t N = pass->N, C = pass->s.C;
    /* y = output(mixed) */
    linear_backward(scratch.dmixed, dw.output, dy, cache.mixed, w.output, N, C, C);
    /* mixed = heads(rotate(qkv)) */
    heads_backward(cache, scratch, pass, l);
    rotate(scratch.dqkv, true, pass);
    /* qkv = qkv(x) */
    linear_backward(dx, dw.qkv, scratch.dqkv, x, w.qkv, N, C, columns(&pass->s));
}
