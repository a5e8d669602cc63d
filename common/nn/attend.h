/* attend.h - one head looks at one sequence: scaled dot-product attention (Vaswani 2017,
 * equation 1).
 *
 *      a = softmax(q * k^T / sqrt(D))          [T,S]     causal: a[t,j] = 0 for j > t
 *      y = dropout(a) * v                      [T,D]
 *
 * q, k, v, y are columns of larger matrices: rows apart, no copies.  The weights a are
 * never stored: backward computes them again, and a workspace holds those of one band of
 * one head: ATTEND_BAND x S numbers, or all of a sequence of up to ATTEND_SHORT.
 *
 * Products of up to ATTEND_SHORT rows and keys are those of rows.h.  Time in that of
 * OpenBLAS, measured on heads of 32 and 64 columns, v3 against its kernels for Haswell
 * and v4 against those for Cooperlake: 14 rows 0.3 to 0.6; causal ones of 64 rows 0.5 to
 * 0.6, of 256 rows 0.75 to 0.9; those that see everything are even from 32 rows on.
 *
 * Longer ones go to gemm.h, over bands of ATTEND_BAND rows; causal ones leave out the
 * columns that the mask would clear, close to half of the work for long sequences.  dk
 * and dv grow from band to band; since a product that adds goes on with its chain
 * (gemm.h; an even number of rows keeps the pairs of bfloat16 together), they have the
 * bits of one product over all rows.  Shapes of calls, and so bits, are a function of T,
 * S and D alone.
 *
 * Pure functions but for the room of the gemm: no allocation, any thread.
 */
#ifndef NN_ATTEND_H
#define NN_ATTEND_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/measure.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { ATTEND_SHORT = 256, ATTEND_BAND = 64 };

struct attend {
    const struct gemm *gemm;
    size_t T, S, D;        /* causal: S == T */
    bool causal;           /* row t looks at keys 0..t */
    const real *q, *k, *v; /* [T,D], [S,D], [S,D] */
    size_t ldq, ldk;       /* distances of the rows of q, and of k and v */
    real drop;             /* probability to drop a weight; 0: none */
    struct rows_dropout_site site;
    struct entropy *entropy; /* forward adds those of the weights; or NULL */
};

/* Numbers in a buffer for the weights of a band of one head, of at most T rows and S
 * keys: enough for all that are shorter, too. */
size_t attend_weights(size_t T, size_t S);

/* y [T,D], rows ldy apart  <-  q, k, v */
void attend_forward(real *y, size_t ldy, const struct attend *h, real *weights);

struct attend_gradient {
    real *dq, *dk, *dv; /* rows apart like those of q, k, v */
    bool add;           /* dk, dv: another query head has put its share there */
};

/* g  <-  dy [T,D], rows ldy apart */
void attend_backward(const struct attend_gradient *g, const real *dy, size_t ldy,
                     const struct attend *h, real *weights, real *dweights);

#endif
