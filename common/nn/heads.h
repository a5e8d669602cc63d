/* heads.h - the heads of a layer look at all sequences of a slice, one after the other
 * (attend.h).
 *
 * Queries are rows of sequences `of`, keys and values rows of sequences `at`: the same
 * for self-attention, the source's for cross-attention.  Query head h reads key head
 * h * G / H (Ainslie 2023).
 *
 * Pure functions: no state, no allocation, any thread.
 */
#ifndef NN_HEADS_H
#define NN_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/pass.h"
#include "tensor/real.h"

struct heads {
    const struct sequences *of, *at;
    const real *q;     /* [of->N, H D], rows ldq apart */
    const real *k, *v; /* [at->N, G D], rows ldk apart */
    size_t ldq, ldk;
    const size_t *first; /* [of->B]: rows where sequences `at` begin; NULL: one behind the
                            other */
    bool causal;
    uint32_t site; /* of the dropout of head 0; the next ones follow */
    double *entropy; /* forward leaves that of the weights (measure.h); or NULL */
};

struct heads_gradient {
    real *dq, *dk, *dv; /* as q, k, v; overwritten */
};

/* y [of->N, C]; @weights: attend_weights() of the longest sequences */
void heads_forward(real *y, const struct heads *h, real *weights,
                   const struct pass *pass);

/* g  <-  dy [of->N, C] */
void heads_backward(const struct heads_gradient *g, const real *dy, const struct heads *h,
                    real *weights, real *dweights, const struct pass *pass);

#endif
