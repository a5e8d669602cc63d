/* rows_reference.h - the row kernels by their definition, in double and one element after
 * the other: what the fast ones are tested against, and what the bench compares with.
 *
 * Same names as in rows.h with `reference_` for `rows_`; inputs are the kernels', results
 * are double.
 */
#ifndef SUPPORT_ROWS_REFERENCE_H
#define SUPPORT_ROWS_REFERENCE_H

#include "tensor/rows.h"

/* --- one number ------------------------------------------------------------------- */
double reference_gelu(double x);
double reference_gelu_slope(double x);
double reference_gelu_tanh(double x);
double reference_gelu_tanh_slope(double x);
double reference_relu(double x);
double reference_relu_slope(double x);
double reference_silu(double x);
double reference_silu_slope(double x);

/* --- rows ------------------------------------------------------------------------- */
void reference_norm(double *y, const real *x, const real *gain, const real *bias,
                    size_t N, size_t C, double eps, bool rms);
/* dgain, dbias [C] are overwritten */
void reference_norm_backward(double *dx, double *dgain, double *dbias, const real *dy,
                             const real *x, const real *gain, size_t N, size_t C,
                             double eps, bool rms);
void reference_softmax(double *y, const real *a, size_t ld, size_t first, size_t T,
                       size_t S, bool causal, double scale);
void reference_softmax_backward(double *y, const real *da, const real *a, size_t ld,
                                size_t first, size_t T, size_t S, bool causal,
                                double scale);
double reference_cross_entropy(double *dlogits, const real *logits, size_t ld,
                               const uint32_t *targets, size_t n, size_t V, double s);
void reference_dropout(double *y, const real *x, size_t first, size_t n, real p,
                       struct rows_dropout_site at);
void reference_rotate(double *y, const real *x, const real *cs, size_t D, bool inverse);
uint16_t reference_bfloat16(float x);
void reference_int8(double *y, const float *x, size_t n);

/* --- updates: the papers' formulas; theta, m, v in place ---------------------------- */
struct reference_adam {
    double rate, beta1, beta2, eps, decay, l2, scale;
    unsigned t; /* 1 for the first update */
};
void reference_adam(double *theta, double *m, double *v, const float *g, size_t n,
                    struct reference_adam a);
void reference_sgd(double *theta, double *velocity, const float *g, size_t n, double rate,
                   double momentum, double l2, double scale);

#endif
