#include "nn/attention.h"

#include <assert.h>
#include <string.h>

#include "nn/heads.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

/* Columns of qkv. */
static size_t columns(const struct shape *s)
{
    return (s->H + 2 * s->G) * s->D;
}

/* First columns of keys and values. */
static size_t keys(const struct shape *s)
{
    return s->H * s->D;
}

static size_t values(const struct shape *s)
{
    return (s->H + s->G) * s->D;
}

/* Rotary positions turn the first H + G heads of each row: queries and keys. */
static void rotate(real *qkv, bool inverse, const struct pass *pass)
{
    const struct shape *s = &pass->s;
    if (!pass->angles)
        return;
    FOR_EACH_ROW(pass->of, b, t, n)
    {
        const real *angles = pass->angles + (pass->start + t) * s->D;
        for (size_t h = 0; h < s->H + s->G; h++)
            rows_rotate(qkv + n * columns(s) + h * s->D, angles, s->D, inverse);
    }
}

static struct heads heads_of(const real *qkv, const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    return (struct heads){.of = &pass->of,
                          .at = &pass->of,
                          .q = qkv,
                          .k = qkv + keys(s),
                          .v = qkv + values(s),
                          .ldq = columns(s),
                          .ldk = columns(s),
                          .causal = !pass->encoder,
                          .site = pass_site(pass, DROPOUT_STREAM,
                                            dropout_number(l, s->H, DROPOUT_HEAD))};
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
    memcpy(cache.keys + pass->start * width, cache.qkv + keys(s), width * sizeof(real));
    memcpy(cache.values + pass->start * width, cache.qkv + values(s),
           width * sizeof(real));
    for (size_t h = 0; h < s->H; h++) {
        const size_t g = h * s->G / s->H;
        look_back(cache.mixed + h * s->D, cache.qkv + h * s->D, cache.keys + g * s->D,
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
    if (cache.keys) {
        step(cache, scratch.weights, pass);
    } else {
        const struct heads h = heads_of(cache.qkv, pass, l);
        heads_forward(cache.mixed, &h, scratch.weights, pass);
    }
    linear_forward(y, cache.mixed, w.output, N, C, C);
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
    const struct heads h = heads_of(cache.qkv, pass, l);
    real *dqkv = scratch.dqkv;
    const struct heads_gradient g = {dqkv, dqkv + keys(&pass->s), dqkv + values(&pass->s)};
    heads_backward(&g, scratch.dmixed, &h, scratch.weights, scratch.dweights, pass);
    rotate(scratch.dqkv, true, pass);
    /* qkv = qkv(x) */
    linear_backward(dx, dw.qkv, scratch.dqkv, x, w.qkv, N, C, columns(&pass->s));
}
