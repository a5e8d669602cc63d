/* rows.h - everything element-wise or row-wise: norms, softmax, activations, dropout,
 * cross-entropy, and the moves between them.
 *
 * One source, compiled once per instruction set (x86-64-v2, -v3, -v4), chosen by
 * rows_start() for the CPU at hand: one program serves all x86-64 machines.  Reductions
 * have a fixed shape per instruction set, so results depend on the set (its name is part
 * of the numerics fingerprint) and on nothing else: not on addresses, not on threads.
 *
 * Pure functions, any thread, no allocation.  `y <- x` overwrites, `+=` adds.  Arguments
 * may alias only where it says so.
 */
#ifndef TENSOR_ROWS_H
#define TENSOR_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/philox.h"
#include "tensor/real.h"

/* Choose the kernels for this CPU; @want NULL for the best, or "v2", "v3", "v4" (for
 * tests; ERR_RANGE if the CPU lacks it).  Returns the name through @name.  Once, before
 * threads. */
int rows_start(const char *want, const char **name);

/* Flush tiny numbers to zero on the calling thread, alike everywhere: every thread that
 * computes calls it first. */
void rows_thread_start(void);

/* --- plain ------------------------------------------------------------------------- */
void rows_add(real *y, const real *x, size_t n);                /* y += x */
void rows_scale(real *y, real factor, size_t n);                /* y *= factor */
void rows_add_bias(real *y, const real *b, size_t N, size_t C); /* y [N,C] += b [C] */
void rows_sum(real *db, const real *dy, size_t N,
              size_t C); /* db [C] += columns of dy [N,C] */

/* --- norms --------------------------------------------------------------------------
 * layer:  y = (x - mean) * rstd * gain + bias      (Ba 2016)
 * rms:    y = x * rstd * gain, rstd = 1 / sqrt(avg(x^2) + eps)      (Zhang 2019); mean
 * unused bias, dbias may be NULL. dx [N,C] <-, dgain, dbias +=. */
void rows_norm(real *y, real *mean, real *rstd, const real *x, const real *gain,
               const real *bias, size_t N, size_t C, real eps, bool rms);
void rows_norm_backward(real *dx, real *dgain, real *dbias, const real *dy, const real *x,
                        const real *gain, const real *mean, const real *rstd, size_t N,
                        size_t C, bool rms);

/* --- activations ---------------------------------------------------------------------
 * y [n] <- f(x [n]); backward dx <- dy * f'(x) (dx may be dy). */
void rows_gelu(real *y, const real *x, size_t n);
void rows_gelu_backward(real *dx, const real *dy, const real *x, size_t n);
void rows_gelu_tanh(real *y, const real *x, size_t n);
void rows_gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n);
void rows_relu(real *y, const real *x, size_t n);
void rows_relu_backward(real *dx, const real *dy, const real *x, size_t n);
/* y <- gate * sigmoid(gate) * up */
void rows_swiglu(real *y, const real *gate, const real *up, size_t n);
void rows_swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate,
                          const real *up, size_t n);

/* --- attention weights ----------------------------------------------------------------
 * a [T,T], rows ld apart, in place: row t <- softmax(scale * a[t, 0..t]), zeros after t.
 */
void rows_softmax_causal(real *a, size_t ld, size_t T, real scale);
/* da in place: da[t,j] <- scale * a[t,j] * (da[t,j] - sum_k a[t,k] da[t,k]) for j <= t, 0
 * after */
void rows_softmax_causal_backward(real *da, const real *a, size_t ld, size_t T,
                                  real scale);

/* --- dropout ---------------------------------------------------------------------------
 * Element i of a block is kept with probability 1 - p and then divided by it, decided by
 * philox(key, (i / 4, site, sample, step))[i % 4] (inverted dropout, Srivastava 2014).
 * The same call is forward and backward. y may be x.  p = 0 copies. */
struct rows_dropout_site {
    struct philox_key key;
    uint32_t site, sample, step;
};
void rows_dropout(real *y, const real *x, size_t n, real p, struct rows_dropout_site at);
/* rows i0 = row * C + column: the block may be visited in pieces starting at element
 * @first (multiple of 4) */
void rows_dropout_part(real *y, const real *x, size_t first, size_t n, real p,
                       struct rows_dropout_site at);

/* --- loss
 * -------------------------------------------------------------------------------- logits
 * [n,V], rows ld apart, in place <- d loss / d logits = softmax - onehot(target) when
 * @backward; returns the sum over rows of -log softmax[target], in double. */
double rows_cross_entropy(real *logits, size_t ld, const uint32_t *targets, size_t n,
                          size_t V, bool backward);

/* --- rotary positions (Su 2021): halves, as in GPT-NeoX and Llama checkpoints
 * ---------------- x [D]: (x[i], x[i + D/2]) rotated by angle[i]; cs [D] holds cos then
 * sin of the D/2 angles; inverse for backward. */
void rows_rotate(real *x, const real *cs, size_t D, bool inverse);

/* --- bfloat16, round to nearest even; NaN stays NaN
 * ------------------------------------------- */
void rows_round_bfloat16(float *x, size_t n);                   /* in place */
void rows_pack_bfloat16(uint16_t *y, const float *x, size_t n); /* rounds */
void rows_unpack_bfloat16(float *y, const uint16_t *x, size_t n);

/* --- the optimizers' inner loops, on ranges (float masters; formulas in optim/)
 * ---------------- */
struct rows_adam {
    float rate, beta1, beta2, eps;
    float correction1, correction2; /* 1 - beta^t */
    float decay;                    /* adamw: theta *= 1 - rate * decay */
    float l2;                       /* adam: gradient += l2 * theta */
    float scale;                    /* of the gradient: clip / targets */
};
void rows_adam(float *theta, float *m, float *v, const float *g, size_t n,
               struct rows_adam a);
void rows_sgd(float *theta, float *velocity, const float *g, size_t n, float rate,
              float momentum, float l2, float scale);
double rows_sum_squares(const float *x, size_t n); /* in double */

#endif
