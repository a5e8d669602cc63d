#include "nn/attend.h"

#include <assert.h>


/* Distance of the rows of weights; a multiple of 4 too, as counting dropout in parts
 * wants. */
static size_t stride(size_t S)
{
    return (S + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT;
}

size_t attend_weights(size_t T, size_t S)
{
    return T * stride(S);
}

/* Products are those of rows.h, not of gemm.h. */
static bool is_short(const struct attend *h)
{
    return h->T <= ATTEND_SHORT && h->S <= ATTEND_SHORT && h->D % ROWS_UNIT == 0 &&
           h->D <= ROWS_HEAD_MAX;
}

/* A band is rows [first, last), which look at keys [0, keys). */
struct band {
    size_t first, last, keys;
};

static struct band band_at(size_t first, const struct attend *h)
{
    const size_t last = first + ATTEND_BAND < h->T ? first + ATTEND_BAND : h->T;
    return (struct band){first, last, h->causal ? last : h->S};
}

#define FOR_EACH_BAND(b, h)                                                              \
    for (struct band b = band_at(0, h); b.first < (h)->T; b = band_at(b.last, h))

/* a [T,S]  <-  x [T,D] * y [S,D]^T, the bands of it that the mask leaves */
static void product_of_rows(real *a, const real *x, size_t ldx, const real *y, size_t ldy,
                            const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (is_short(h)) {
        rows_scores(a, ld, x, ldx, y, ldy, h->T, h->S, h->D, h->causal);
        return;
    }
    FOR_EACH_BAND(b, h)
    gemm_nt(h->gemm, a + b.first * ld, ld, x + b.first * ldx, ldx, y, ldy, b.last - b.first,
            b.keys, h->D, false);
}

/* x [T,D]  <-  a [T,S] * y [S,D] */
static void product(real *x, size_t ldx, const real *a, const real *y, size_t ldy,
                    const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (is_short(h)) {
        rows_mix(x, ldx, a, ld, y, ldy, h->T, h->S, h->D, h->causal);
        return;
    }
    FOR_EACH_BAND(b, h)
    gemm_nn(h->gemm, x + b.first * ldx, ldx, a + b.first * ld, ld, y, ldy, b.last - b.first, h->D,
            b.keys, false);
}

/* x [S,D]  <- or +=  a^T * y [T,D]; causal: the keys of a band were looked at by rows
 * from its first on */
static void product_transposed(real *x, size_t ldx, const real *a, const real *y,
                               size_t ldy, bool add, const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (is_short(h)) {
        rows_mix_transposed(x, ldx, a, ld, y, ldy, h->T, h->S, h->D, h->causal, add);
        return;
    }
    if (!h->causal) {
        gemm_tn(h->gemm, x, ldx, a, ld, y, ldy, h->S, h->D, h->T, add);
        return;
    }
    FOR_EACH_BAND(b, h)
    gemm_tn(h->gemm, x + b.first * ldx, ldx, a + b.first * ld + b.first, ld, y + b.first * ldy,
            ldy, b.last - b.first, h->D, h->T - b.first, add);
}

/* rows_dropout decides that many elements at a time: parts of rows cost whole ones. */
enum { DROP_WHOLE = 128 };

/* y  <-  dropout(x), the bands of it; y may be x */
static void drop(real *y, const real *x, const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (ld <= DROP_WHOLE) { /* the rows lie one behind the other */
        rows_dropout(y, x, h->T * ld, h->drop, h->site);
        return;
    }
    FOR_EACH_BAND(b, h)
    for (size_t t = b.first; t < b.last; t++)
        rows_dropout_part(y + t * ld, x + t * ld, t * ld, b.keys, h->drop, h->site);
}

static real scale(const struct attend *h)
{
    return 1 / real_sqrt((real)h->D);
}

static void weigh(real *weights, const struct attend *h)
{
    assert(!h->causal || h->S == h->T);
    product_of_rows(weights, h->q, h->ldq, h->k, h->ldk, h);
    rows_softmax(weights, stride(h->S), h->T, h->S, h->causal, scale(h));
}

void attend_forward(real *y, size_t ldy, const struct attend *h, real *weights)
{
    weigh(weights, h);
    if (h->entropy)
        measure_weights(h->entropy, weights, stride(h->S), h->T, h->S, h->causal);
    if (h->drop > 0)
        drop(weights, weights, h);
    product(y, ldy, weights, h->v, h->ldk, h);
}

void attend_backward(const struct attend_gradient *g, const real *dy, size_t ldy,
                     const struct attend *h, real *weights, real *dweights)
{
    weigh(weights, h);
    /* y = dropout(a) * v */
    const real *used = weights;
    if (h->drop > 0) {
        drop(dweights, weights, h);
        used = dweights;
    }
    product_transposed(g->dv, h->ldk, used, dy, ldy, g->add, h);
    product_of_rows(dweights, dy, ldy, h->v, h->ldk, h);
    if (h->drop > 0)
        drop(dweights, dweights, h);
    /* a = softmax(scale * q * k^T) */
    rows_softmax_backward(dweights, weights, stride(h->S), h->T, h->S, h->causal,
                          scale(h));
    product(g->dq, h->ldq, dweights, h->k, h->ldk, h);
    product_transposed(g->dk, h->ldk, dweights, h->q, h->ldq, g->add, h);
}
