#include "nn/attend.h"

#include <assert.h>

/* Distance of the rows of weights; a multiple of 4 too, as counting dropout in parts
 * wants. */
static size_t stride(size_t S)
{
    return (S + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t attend_weights(size_t T, size_t S)
{
    const size_t whole = least(T, ATTEND_SHORT) * stride(least(S, ATTEND_SHORT)),
                 band = least(T, ATTEND_BAND) * stride(S);
    return whole > band ? whole : band;
}

/* Products are those of rows.h, not of gemm.h. */
static bool is_short(const struct attend *h)
{
    return h->T <= ATTEND_SHORT && h->S <= ATTEND_SHORT && h->D % ROWS_UNIT == 0 &&
           h->D <= ROWS_HEAD_MAX;
}

/* A band is rows [first, last), which look at keys [0, keys).  A short head is one. */
struct band {
    size_t first, last, keys;
};

static struct band band_at(size_t first, const struct attend *h)
{
    const size_t last = is_short(h) ? h->T : least(first + ATTEND_BAND, h->T);
    return (struct band){first, last, h->causal ? last : h->S};
}

static size_t rows(const struct band *b)
{
    return b->last - b->first;
}

#define FOR_EACH_BAND(b, h)                                                              \
    for (struct band b = band_at(0, h); b.first < (h)->T; b = band_at(b.last, h))

/* a [rows,keys]  <-  x [T,D] * y [S,D]^T */
static void product_of_rows(real *a, const real *x, size_t ldx, const real *y, size_t ldy,
                            const struct band *b, const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (is_short(h))
        rows_scores(a, ld, x, ldx, y, ldy, h->T, h->S, h->D, h->causal);
    else
        gemm_nt(h->gemm, a, ld, x + b->first * ldx, ldx, y, ldy, rows(b), b->keys, h->D,
                false);
}

/* The band's rows of x [T,D]  <-  a [rows,keys] * y [S,D] */
static void product(real *x, size_t ldx, const real *a, const real *y, size_t ldy,
                    const struct band *b, const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (is_short(h))
        rows_mix(x, ldx, a, ld, y, ldy, h->T, h->S, h->D, h->causal);
    else
        gemm_nn(h->gemm, x + b->first * ldx, ldx, a, ld, y, ldy, rows(b), h->D, b->keys,
                false);
}

/* x [S,D]  <- or +=  a^T [keys,rows] * the band's rows of y [T,D].  The chain of an
 * element of x goes through all rows in order, from the first that looks at its key:
 * keys from @met on have not been met by the bands before. */
static void product_transposed(real *x, size_t ldx, const real *a, const real *y,
                               size_t ldy, bool add, const struct band *b,
                               const struct attend *h)
{
    const size_t ld = stride(h->S), met = b->first == 0 ? 0 : h->causal ? b->first : h->S;
    const real *y_b = y + b->first * ldy;
    if (is_short(h)) {
        rows_mix_transposed(x, ldx, a, ld, y, ldy, h->T, h->S, h->D, h->causal, add);
        return;
    }
    gemm_tn(h->gemm, x, ldx, a, ld, y_b, ldy, met, h->D, rows(b), true);
    gemm_tn(h->gemm, x + met * ldx, ldx, a + met, ld, y_b, ldy, b->keys - met, h->D,
            rows(b), add);
}

/* rows_dropout decides that many elements at a time: parts of rows cost whole ones. */
enum { DROP_WHOLE = 128 };

/* Row t and those up to the next multiple of ATTEND_BAND look at no more keys. */
static size_t keys_near(size_t t, const struct attend *h)
{
    return h->causal ? least(t / ATTEND_BAND * ATTEND_BAND + ATTEND_BAND, h->T) : h->S;
}

/* y  <-  dropout(x), of a band; y may be x.  Weight (t, j) is element t * ld + j. */
static void drop(real *y, const real *x, const struct band *b, const struct attend *h)
{
    const size_t ld = stride(h->S);
    if (ld <= DROP_WHOLE) { /* the rows lie one behind the other */
        rows_dropout_part(y, x, b->first * ld, rows(b) * ld, h->drop, h->site);
        return;
    }
    for (size_t t = b->first; t < b->last; t++, y += ld, x += ld)
        rows_dropout_part(y, x, t * ld, keys_near(t, h), h->drop, h->site);
}

static real scale(const struct attend *h)
{
    return 1 / real_sqrt((real)h->D);
}

static void weigh(real *weights, const struct band *b, const struct attend *h)
{
    product_of_rows(weights, h->q, h->ldq, h->k, h->ldk, b, h);
    rows_softmax(weights, stride(h->S), b->first, rows(b), b->keys, h->causal, scale(h));
}

void attend_forward(real *y, size_t ldy, const struct attend *h, real *weights)
{
    assert(!h->causal || h->S == h->T);
    FOR_EACH_BAND(b, h)
    {
        weigh(weights, &b, h);
        if (h->entropy)
            measure_weights(h->entropy, weights, stride(h->S), b.first, rows(&b), b.keys,
                            h->causal);
        if (h->drop > 0)
            drop(weights, weights, &b, h);
        product(y, ldy, weights, h->v, h->ldk, &b, h);
    }
}

static void backward_band(const struct attend_gradient *g, const real *dy, size_t ldy,
                          const struct band *b, const struct attend *h, real *weights,
                          real *dweights)
{
    weigh(weights, b, h);
    /* y = dropout(a) * v */
    const real *used = weights;
    if (h->drop > 0) {
        drop(dweights, weights, b, h);
        used = dweights;
    }
    product_transposed(g->dv, h->ldk, used, dy, ldy, g->add, b, h);
    product_of_rows(dweights, dy, ldy, h->v, h->ldk, b, h);
    if (h->drop > 0)
        drop(dweights, dweights, b, h);
    /* a = softmax(scale * q * k^T) */
    rows_softmax_backward(dweights, weights, stride(h->S), b->first, rows(b), b->keys,
                          h->causal, scale(h));
    product(g->dq, h->ldq, dweights, h->k, h->ldk, b, h);
    product_transposed(g->dk, h->ldk, dweights, h->q, h->ldq, g->add, b, h);
}

void attend_backward(const struct attend_gradient *g, const real *dy, size_t ldy,
                     const struct attend *h, real *weights, real *dweights)
{
    assert(!h->causal || h->S == h->T);
    FOR_EACH_BAND(b, h)
    backward_band(g, dy, ldy, &b, h, weights, dweights);
}
