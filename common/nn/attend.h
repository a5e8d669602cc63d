/* attend.h - one head looks at one sequence: causal scaled dot-product attention
 * (Vaswani 2017, equation 1).
 *
 *      a = softmax(q * k^T / sqrt(D)), a[t,j] = 0 for j > t        [T,T]
 *      y = dropout(a) * v                                          [T,D]
 *
 * q, k, v, y are columns of larger matrices: rows `ld` apart, no copies.  The weights a
 * are never stored: backward computes them again, so a workspace holds T x T numbers for
 * one head, not for B * H of them.
 *
 * Products go over bands of ATTEND_BAND rows and leave out the columns that the mask
 * would clear, close to half of the work for long sequences.  The band is a constant:
 * shapes of calls, and so bits, are a function of T and D alone.
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_ATTEND_H
#define NN_ATTEND_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/real.h"
#include "tensor/rows.h"

enum { ATTEND_BAND = 64 };

struct attend {
    size_t T, D;
    const real *q, *k, *v; /* [T,D] each */
    size_t ld;             /* distance of their rows */
    real drop;             /* probability to drop a weight; 0: none */
    struct rows_dropout_site site;
};

/* Numbers in a buffer for the weights of one head. */
size_t attend_weights(size_t T);

/* y [T,D], rows ldy apart  <-  q, k, v */
void attend_forward(real *y, size_t ldy, const struct attend *h, real *weights);

struct attend_gradient {
    real *dq, *dk, *dv; /* [T,D], rows ld apart like q, k, v */
    bool add;           /* dk, dv: another query head has put its share there */
};

/* g  <-  dy [T,D], rows ldy apart */
void attend_backward(const struct attend_gradient *g, const real *dy, size_t ldy,
                     const struct attend *h, real *weights, real *dweights);

#endif
