#include "nn/attention.h"

#include <assert.h>
#include <string.h>

#include "nn/heads.h"
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
    return (struct heads){
        .of = &pass->of,
        .at = &pass->of,
        .q = qkv,
        .k = qkv + keys(s),
        .v = qkv + values(s),
        .ldq = columns(s),
        .ldk = columns(s),
        .causal = !pass->encoder,
        .site = pass_site(pass, DROPOUT_STREAM, dropout_number(l, s->H, DROPOUT_HEAD))};
}

/* In generation: keys and values of the rows join those before, and each row looks at all
 * that lies behind it, itself included. */
static struct heads heads_back(const real *qkv, const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    const struct look *past = pass->past;
    const size_t width = 2 * s->G * s->D;
    real *kv = look_kv(past, s, l);
    assert(past->of.B == pass->N);
    for (size_t n = 0; n < pass->N; n++)
        memcpy(kv + (past->first[n] + pass->start) * width,
               qkv + n * columns(s) + keys(s), width * sizeof *kv);
    return (struct heads){.of = &past->of,
                          .at = &past->at,
                          .first = past->first,
                          .q = qkv,
                          .k = kv,
                          .v = kv + s->G * s->D,
                          .ldq = columns(s),
                          .ldk = width};
}

void attention_forward(real *y, struct attention_cache cache, const real *x,
                       struct attention w, struct attention_scratch scratch,
                       const struct pass *pass, size_t l)
{
    const size_t N = pass->N, C = pass->s.C;
    linear_forward(cache.qkv, x, w.qkv, N, C, columns(&pass->s), pass->gemm);
    rotate(cache.qkv, false, pass);
    struct heads h =
        pass->past ? heads_back(cache.qkv, pass, l) : heads_of(cache.qkv, pass, l);
    if (pass_examined(pass, l))
        h.entropy = &pass_examined(pass, l)->entropy;
    heads_forward(cache.mixed, &h, scratch.weights, pass);
    linear_forward(y, cache.mixed, w.output, N, C, C, pass->gemm);
}

void attention_backward(real *dx, struct attention dw, const real *dy,
                        struct attention_cache cache, const real *x, struct attention w,
                        struct attention_scratch scratch, const struct pass *pass,
                        size_t l)
{
    const size_t N = pass->N, C = pass->s.C;
    /* y = output(mixed) */
    linear_backward(scratch.dmixed, dw.output, dy, cache.mixed, w.output, N, C, C,
                    pass->gemm);
    /* mixed = heads(rotate(qkv)) */
    const struct heads h = heads_of(cache.qkv, pass, l);
    real *dqkv = scratch.dqkv;
    const struct heads_gradient g = {dqkv, dqkv + keys(&pass->s),
                                     dqkv + values(&pass->s)};
    heads_backward(&g, scratch.dmixed, &h, scratch.weights, scratch.dweights, pass);
    rotate(scratch.dqkv, true, pass);
    /* qkv = qkv(x) */
    linear_backward(dx, dw.qkv, scratch.dqkv, x, w.qkv, N, C, columns(&pass->s),
                    pass->gemm);
}
