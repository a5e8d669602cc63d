#include "nn/block.h"

#include <math.h>
#include <string.h>

#include "tensor/rows.h"

/* What the two parts of all blocks have in common to work with. */
struct part {
    size_t l; /* block */
    int kind; /* PART_.. */
    const struct block *w;
    const struct block_scratch *scratch;
    const struct pass *pass;
};

static uint32_t site(const struct part *p)
{
    const size_t H = p->pass->s.H;
    if (p->kind == PART_CROSS)
        return pass_site(p->pass, DROPOUT_CROSS,
                         dropout_number(p->l, H, DROPOUT_ATTENTION));
    return pass_site(p->pass, DROPOUT_STREAM,
                     dropout_number(p->l, H, p->kind == PART_MLP ? DROPOUT_MLP
                                                                 : DROPOUT_ATTENTION));
}

static double drop(const struct part *p)
{
    return pass_drop(p->pass, p->pass->conf->dropout_residual);
}

/* y [N,C]  <-  dropout(x) */
static void apply_dropout(real *y, const real *x, const struct part *p)
{
    dropout_apply(y, x, &p->pass->dropout, drop(p), site(p), &p->pass->of,
                  p->pass->s.C);
}

/* y  <-  f(x) */
static void f_forward(real *y, struct block_cache *cache, const real *x,
                      const struct part *p)
{
    if (p->kind == PART_ATTENTION)
        attention_forward(y, cache->attention, x, p->w->attention, p->scratch->attention,
                          p->pass, p->l);
    else if (p->kind == PART_CROSS)
        cross_forward(y, cache->cross, x, p->w->cross, p->scratch->cross, p->pass, p->l);
    else
        mlp_forward(y, cache->mlp, x, p->w->mlp, p->pass, p->l);
}

static void f_backward(real *dx, const struct block *dw, const real *dy,
                       const struct block_cache *cache, const real *x,
                       const struct part *p)
{
    if (p->kind == PART_ATTENTION)
        attention_backward(dx, dw->attention, dy, cache->attention, x, p->w->attention,
                           p->scratch->attention, p->pass, p->l);
    else if (p->kind == PART_CROSS)
        cross_backward(dx, dw->cross, dy, cache->cross, x, p->w->cross, p->scratch->cross,
                       p->pass, p->l);
    else
        mlp_backward(dx, dw->mlp, dy, cache->mlp, x, p->w->mlp, p->scratch->mlp, p->pass,
                     p->l);
}

/* a, by which what goes past a part is multiplied. */
static real past(const struct pass *pass)
{
    const double E = (double)pass->s.E, L = (double)pass->s.L;
    if (pass->conf->norm_place != PLACE_DEEP)
        return 1;
    if (pass->encoder)
        return (real)(0.81 * pow(E * E * E * E * L, 1 / 16.0));
    return real_sqrt(real_sqrt((real)(E > 0 ? 3 * L : 2 * L)));
}

/* What a part adds to the stream [N,C] */
static void examine(const real *added, const struct part *p)
{
    struct block_statistics *s = pass_examined(p->pass, p->l);
    if (!s)
        return;
    const double rms = measure_rms(added, p->pass->N * p->pass->s.C);
    *(p->kind == PART_ATTENTION ? &s->attention
      : p->kind == PART_CROSS   ? &s->cross
                                : &s->mlp) = rms;
}

/* sum  <-  a x + dropout(f(in)) */
static void residual(struct block_cache *cache, const real *x, const real *in,
                     const struct part *p)
{
    real *sum = cache->part[p->kind].sum;
    f_forward(sum, cache, in, p);
    if (drop(p) > 0)
        apply_dropout(sum, sum, p);
    examine(sum, p);
    rows_add_scaled(sum, x, past(p->pass), p->pass->N * p->pass->s.C);
}

static const real *part_forward(struct block_cache *cache, const real *x,
                                const struct part *p)
{
    struct part_cache *c = &cache->part[p->kind];
    const struct conf_model *conf = p->pass->conf;
    const size_t N = p->pass->N, C = p->pass->s.C;
    c->x = x;
    if (conf->norm_place == PLACE_PRE) {
        norm_forward(c->normed, c->norm, x, p->w->norm[p->kind], conf, N, C);
        residual(cache, x, c->normed, p);
        return c->sum;
    }
    residual(cache, x, x, p);
    if (conf->norm_place == PLACE_NONE)
        return c->sum;
    norm_forward(c->normed, c->norm, c->sum, p->w->norm[p->kind], conf, N, C);
    return c->normed;
}

/* @dy, or in @room what dropout leaves of it */
static const real *undropped(real *room, const real *dy, const struct part *p)
{
    if (drop(p) == 0)
        return dy;
    apply_dropout(room, dy, p);
    return room;
}

static void part_backward_pre(real *dx, const struct block *dw,
                              const struct block_cache *cache, const struct part *p)
{
    const struct part_cache *c = &cache->part[p->kind];
    const size_t N = p->pass->N, C = p->pass->s.C;
    real *a = p->scratch->a, *dnormed = p->scratch->b;
    /* sum = x + dropout(f(normed)) */
    f_backward(dnormed, dw, undropped(a, dx, p), cache, c->normed, p);
    /* normed = norm(x) */
    norm_backward(a, dw->norm[p->kind], dnormed, c->norm, c->x, p->w->norm[p->kind],
                  p->pass->conf, N, C);
    rows_add(dx, a, N * C);
}

/* Also without norms: then sum is the output. */
static void part_backward_post(real *dx, const struct block *dw,
                               const struct block_cache *cache, const struct part *p)
{
    const struct part_cache *c = &cache->part[p->kind];
    const size_t N = p->pass->N, C = p->pass->s.C;
    real *dsum = p->scratch->a, *b = p->scratch->b;
    /* normed = norm(sum) */
    if (p->pass->conf->norm_place == PLACE_NONE)
        memcpy(dsum, dx, N * C * sizeof *dx);
    else
        norm_backward(dsum, dw->norm[p->kind], dx, c->norm, c->sum, p->w->norm[p->kind],
                      p->pass->conf, N, C);
    /* sum = a x + dropout(f(x)) */
    f_backward(dx, dw, undropped(b, dsum, p), cache, c->x, p);
    rows_add_scaled(dx, dsum, past(p->pass), N * C);
}

static bool has(const struct block *w, int kind)
{
    return kind != PART_CROSS || w->cross.query.weight;
}

const real *block_output(const struct block_cache *cache, const struct pass *pass)
{
    const struct part_cache *last = &cache->part[PART_MLP];
    const enum conf_place place = pass->conf->norm_place;
    return place == PLACE_PRE || place == PLACE_NONE ? last->sum : last->normed;
}

const real *block_forward(struct block_cache *cache, const real *x, const struct block *w,
                          const struct block_scratch *scratch, const struct pass *pass,
                          size_t l)
{
    for (int kind = 0; kind < PARTS; kind++) {
        const struct part p = {l, kind, w, scratch, pass};
        if (has(w, kind))
            x = part_forward(cache, x, &p);
    }
    if (pass_examined(pass, l))
        pass_examined(pass, l)->stream = measure_rms(x, pass->N * pass->s.C);
    return x;
}

void block_backward(real *dx, const struct block *dw, const struct block_cache *cache,
                    const struct block *w, const struct block_scratch *scratch,
                    const struct pass *pass, size_t l)
{
    if (pass_examined(pass, l))
        pass_examined(pass, l)->gradient = measure_rms(dx, pass->N * pass->s.C);
    for (int kind = PARTS - 1; kind >= 0; kind--) {
        const struct part p = {l, kind, w, scratch, pass};
        if (!has(w, kind))
            continue;
        if (pass->conf->norm_place == PLACE_PRE)
            part_backward_pre(dx, dw, cache, &p);
        else
            part_backward_post(dx, dw, cache, &p);
    }
}
