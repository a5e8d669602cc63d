#include "nn/attend.h"

#include "tensor/gemm.h"

/* Distance of the rows of weights; a multiple of 4, as counting dropout in parts wants.
 */
static size_t stride(size_t T)
{
    return (T + 15) / 16 * 16;
}

size_t attend_weights(size_t T)
{
    return T * stride(T);
}

/* A band is rows [first, last), which look at keys [0, last). */
static size_t band_last(size_t first, size_t T)
{
    return first + ATTEND_BAND < T ? first + ATTEND_BAND : T;
}

#define FOR_EACH_BAND(first, last, T)                                                    \
    for (size_t first = 0, last; first < (T) && (last = band_last(first, T), true);      \
         first = last)

/* a  <-  x * y^T, the bands of it that the mask leaves */
static void product_of_rows(real *a, const real *x, size_t ldx, const real *y, size_t ldy,
                            size_t T, size_t D)
{
    FOR_EACH_BAND(first, last, T)
    gemm_nt(a + first * stride(T), stride(T), x + first * ldx, ldx, y, ldy, last - first,
            last, D, 1, 0);
}

/* x [T,D]  <-  a * y */
static void product(real *x, size_t ldx, const real *a, const real *y, size_t ldy,
                    size_t T, size_t D)
{
    FOR_EACH_BAND(first, last, T)
    gemm_nn(x + first * ldx, ldx, a + first * stride(T), stride(T), y, ldy, last - first,
            D, last, 1, 0);
}

/* x [T,D]  <- or +=  a^T * y: keys [first, last) were looked at by rows from first on */
static void product_transposed(real *x, size_t ldx, const real *a, const real *y,
                               size_t ldy, bool add, size_t T, size_t D)
{
    FOR_EACH_BAND(first, last, T)
    gemm_tn(x + first * ldx, ldx, a + first * stride(T) + first, stride(T),
            y + first * ldy, ldy, last - first, D, T - first, 1, add);
}

/* y  <-  dropout(x), the bands of it; y may be x */
static void drop(real *y, const real *x, const struct attend *h)
{
    const size_t ld = stride(h->T);
    FOR_EACH_BAND(first, last, h->T)
    for (size_t t = first; t < last; t++)
        rows_dropout_part(y + t * ld, x + t * ld, t * ld, last, h->drop, h->site);
}

static real scale(const struct attend *h)
{
    return 1 / real_sqrt((real)h->D);
}

static void weigh(real *weights, const struct attend *h)
{
    product_of_rows(weights, h->q, h->ld, h->k, h->ld, h->T, h->D);
    rows_softmax_causal(weights, stride(h->T), h->T, scale(h));
}

void attend_forward(real *y, size_t ldy, const struct attend *h, real *weights)
{
    weigh(weights, h);
    if (h->drop > 0)
        drop(weights, weights, h);
    product(y, ldy, weights, h->v, h->ld, h->T, h->D);
}

void attend_backward(const struct attend_gradient *g, const real *dy, size_t ldy,
                     const struct attend *h, real *weights, real *dweights)
{
    const size_t T = h->T, D = h->D, ld = h->ld;
    weigh(weights, h);
    /* y = dropout(a) * v */
    const real *used = weights;
    if (h->drop > 0) {
        drop(dweights, weights, h);
        used = dweights;
    }
    product_transposed(g->dv, ld, used, dy, ldy, g->add, T, D);
    product_of_rows(dweights, dy, ldy, h->v, ld, T, D);
    if (h->drop > 0)
        drop(dweights, dweights, h);
    /* a = softmax(scale * q * k^T) */
    rows_softmax_causal_backward(dweights, weights, stride(T), T, scale(h));
    product(g->dq, ld, dweights, h->k, ld, T, D);
    product_transposed(g->dk, ld, dweights, h->q, ld, g->add, T, D);
}
