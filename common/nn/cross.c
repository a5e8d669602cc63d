#include "nn/cross.h"

#include "nn/heads.h"
#include "tensor/rows.h"

/* Columns of q, and of k and v together. */
static size_t query_columns(const struct shape *s)
{
    return s->H * s->D;
}

static size_t kv_columns(const struct shape *s)
{
    return 2 * s->G * s->D;
}

/* In generation: keys and values made once are looked at by all rows, again and again. */
static struct heads heads_kept(struct cross_cache cache, const struct pass *pass,
                               size_t l)
{
    const struct shape *s = &pass->s;
    const struct look *sources = pass->sources;
    const real *kv = look_kv(sources, s, l);
    return (struct heads){.of = &sources->of,
                          .at = &sources->at,
                          .first = sources->first,
                          .q = cache.q,
                          .k = kv,
                          .v = kv + s->G * s->D,
                          .ldq = query_columns(s),
                          .ldk = kv_columns(s)};
}

static struct heads heads_of(struct cross_cache cache, const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    return (struct heads){
        .of = &pass->of,
        .at = pass->source,
        .q = cache.q,
        .k = cache.kv,
        .v = cache.kv + s->G * s->D,
        .ldq = query_columns(s),
        .ldk = kv_columns(s),
        .site = pass_site(pass, DROPOUT_CROSS, dropout_number(l, s->H, DROPOUT_HEAD))};
}

void cross_source(real *kv, struct cross w, const struct pass *pass)
{
    linear_forward(kv, pass->memory, w.kv, pass->source->N, pass->s.C,
                   kv_columns(&pass->s), pass->gemm);
}

void cross_forward(real *y, struct cross_cache cache, const real *x, struct cross w,
                   struct cross_scratch scratch, const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    const size_t N = pass->N, C = s->C;
    linear_forward(cache.q, x, w.query, N, C, query_columns(s), pass->gemm);
    if (!pass->sources)
        cross_source(cache.kv, w, pass);
    struct heads h =
        pass->sources ? heads_kept(cache, pass, l) : heads_of(cache, pass, l);
    if (pass_examined(pass, l))
        h.entropy = &pass_examined(pass, l)->cross_entropy;
    heads_forward(cache.mixed, &h, scratch.weights, pass);
    linear_forward(y, cache.mixed, w.output, N, C, C, pass->gemm);
}

void cross_backward(real *dx, struct cross dw, const real *dy, struct cross_cache cache,
                    const real *x, struct cross w, struct cross_scratch scratch,
                    const struct pass *pass, size_t l)
{
    const struct shape *s = &pass->s;
    const size_t N = pass->N, M = pass->source->N, C = s->C;
    /* y = output(mixed) */
    linear_backward(scratch.dmixed, dw.output, dy, cache.mixed, w.output, N, C, C,
                    pass->gemm);
    /* mixed = heads(q, kv) */
    const struct heads h = heads_of(cache, pass, l);
    const struct heads_gradient g = {scratch.dq, scratch.dkv, scratch.dkv + s->G * s->D};
    heads_backward(&g, scratch.dmixed, &h, scratch.weights, scratch.dweights, pass);
    /* kv = kv(memory), q = query(x) */
    linear_backward(scratch.share, dw.kv, scratch.dkv, pass->memory, w.kv, M, C,
                    kv_columns(s), pass->gemm);
    rows_add(scratch.dmemory, scratch.share, M * C);
    linear_backward(dx, dw.query, scratch.dq, x, w.query, N, C, query_columns(s),
                    pass->gemm);
}
