#include "nn/heads.h"

#include <assert.h>

#include "nn/attend.h"

/* Head h of sequence b; its first columns, and the rows before it. */
struct place {
    size_t b, h;
    size_t query, key;      /* first columns */
    size_t row, source_row; /* first rows */
};

/* Heads of a sequence, then the next sequence. */
static bool next(struct place *p, const struct heads *h, const struct shape *s)
{
    if (++p->h == s->H) {
        p->h = 0;
        p->row += h->of->length[p->b];
        p->source_row += h->at->length[p->b];
        p->b++;
    }
    p->query = p->h * s->D;
    p->key = p->h * s->G / s->H * s->D;
    return p->b < h->of->B;
}

static struct attend attend_at(const struct place *p, const struct heads *h,
                               const struct pass *pass)
{
    const size_t source_row = h->first ? h->first[p->b] : p->source_row;
    struct attend a = {.gemm = pass->gemm,
                       .T = h->of->length[p->b],
                       .S = h->at->length[p->b],
                       .D = pass->s.D,
                       .causal = h->causal,
                       .q = h->q + p->row * h->ldq + p->query,
                       .k = h->k + source_row * h->ldk + p->key,
                       .v = h->v + source_row * h->ldk + p->key,
                       .ldq = h->ldq,
                       .ldk = h->ldk,
                       .drop = (real)pass_drop(pass, pass->conf->dropout_attention)};
    if (a.drop > 0)
        a.site = dropout_at(&pass->dropout, h->site + (uint32_t)p->h, p->b);
    return a;
}

/* Of longer sequences these many rows: the processor sees by itself how it goes on. */
enum { FETCH_ROWS = 32, LINE = 64 / sizeof(real) };

/* Rows of one head that will soon be read, or written. */
static void fetch(const real *x, size_t ld, size_t rows, size_t D)
{
    for (size_t t = 0; t < rows && t < FETCH_ROWS; t++)
        for (size_t d = 0; d < D; d += LINE)
            __builtin_prefetch(x + t * ld + d);
}

/* While one head computes, what the next one reads comes from the memory it was written
 * to long ago; @g, @dy: of backward, or NULL. */
static void fetch_next(struct place p, const struct heads *h, const struct pass *pass,
                       const struct heads_gradient *g, const real *dy)
{
    const size_t C = pass->s.C, D = pass->s.D;
    if (!next(&p, h, &pass->s))
        return;
    const size_t T = h->of->length[p.b], S = h->at->length[p.b];
    const size_t query = p.row * h->ldq + p.query, key = p.source_row * h->ldk + p.key;
    fetch(h->q + query, h->ldq, T, D);
    fetch(h->k + key, h->ldk, S, D);
    fetch(h->v + key, h->ldk, S, D);
    if (!g)
        return;
    fetch(dy + p.row * C + p.query, C, T, D);
    fetch(g->dq + query, h->ldq, T, D);
    fetch(g->dk + key, h->ldk, S, D);
    fetch(g->dv + key, h->ldk, S, D);
}

void heads_forward(real *y, const struct heads *h, real *weights, const struct pass *pass)
{
    const size_t C = pass->s.C;
    struct place p = {0};
    struct entropy entropy = {0};
    assert(h->of->B == h->at->B);
    do {
        struct attend a = attend_at(&p, h, pass);
        a.entropy = h->entropy ? &entropy : NULL;
        fetch_next(p, h, pass, NULL, NULL);
        attend_forward(y + p.row * C + p.query, C, &a, weights);
    } while (next(&p, h, &pass->s));
    if (h->entropy)
        *h->entropy = measure_entropy(&entropy);
}

void heads_backward(const struct heads_gradient *g, const real *dy, const struct heads *h,
                    real *weights, real *dweights, const struct pass *pass)
{
    const size_t C = pass->s.C, shared = pass->s.H / pass->s.G;
    struct place p = {0};
    do {
        const struct attend a = attend_at(&p, h, pass);
        fetch_next(p, h, pass, g, dy);
        const size_t key = p.source_row * h->ldk + p.key;
        const struct attend_gradient one = {.dq = g->dq + p.row * h->ldq + p.query,
                                            .dk = g->dk + key,
                                            .dv = g->dv + key,
                                            .add = p.h % shared > 0};
        attend_backward(&one, dy + p.row * C + p.query, C, &a, weights, dweights);
    } while (next(&p, h, &pass->s));
}
