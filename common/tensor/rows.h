/* rows.h - everything element-wise or row-wise: norms, softmax, activations, dropout,
 * cross-entropy, and the moves between them.
 *
 * One source, compiled once per instruction set (x86-64-v2, -v3, -v4), chosen by
 * rows_start() for the CPU at hand: one program serves all x86-64 machines.  Results
 * depend on the arguments and on whether the set has a fused multiply-add, on nothing
 * else: not on addresses, threads, compiler or its flags.  So v3 and v4 give the same
 * bits, v2 gives others.  rows_sum_squares, rows_largest, dropout, bfloat16 and int8
 * are equal in all.
 *
 * Element-wise functions may be called on parts of a block, cut anywhere: the bits do not
 * change.  What is not a number stays so in all forward functions, in all of its row.
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
 * tests).  Returns the name through @name.  Once, before threads; until then v2 works.
 * ERR_RANGE (logged) when the CPU lacks the set or there is none of that name. */
int rows_start(const char *want, const char **name);

/* Flush tiny numbers to zero on the calling thread, alike everywhere: every thread that
 * computes calls it first. */
void rows_thread_start(void);

/* --- plain ------------------------------------------------------------------------ */

void rows_add(real *y, const real *x, size_t n); /* y += x */
void rows_scale(real *y, real factor, size_t n); /* y *= factor */
void rows_add_scaled(real *y, const real *x, real factor, size_t n); /* y += factor x */
/* y [N,C] += b [C] */
void rows_add_bias(real *y, const real *b, size_t N, size_t C);
/* db [C] += the sum of the rows of dy [N,C] */
void rows_sum(real *db, const real *dy, size_t N, size_t C);

/* --- norms ------------------------------------------------------------------------
 * layer   y = (x - mean) * rstd * gain + bias                        (Ba 2016)
 * rms     y = x * rstd * gain, rstd = 1 / sqrt(avg(x^2) + eps)       (Zhang 2019)
 *
 * bias, dbias may be NULL; rms does not use mean. */

/* y [N,C], mean [N], rstd [N]  <-  x [N,C] */
void rows_norm(real *y, real *mean, real *rstd, const real *x, const real *gain,
               const real *bias, size_t N, size_t C, real eps, bool rms);
/* dx [N,C]  <-  dy (dx may be dy);  dgain [C], dbias [C] += */
void rows_norm_backward(real *dx, real *dgain, real *dbias, const real *dy, const real *x,
                        const real *gain, const real *mean, const real *rstd, size_t N,
                        size_t C, bool rms);

/* --- activations ------------------------------------------------------------------
 * y [n] <- f(x [n]), y may be x; backward dx <- dy * f'(x), dx may be dy. */

void rows_gelu(real *y, const real *x, size_t n);
void rows_gelu_backward(real *dx, const real *dy, const real *x, size_t n);
void rows_gelu_tanh(real *y, const real *x, size_t n);
void rows_gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n);
void rows_relu(real *y, const real *x, size_t n);
void rows_relu_backward(real *dx, const real *dy, const real *x, size_t n);
/* y <- gate * sigmoid(gate) * up; dgate or dup may be dy */
void rows_swiglu(real *y, const real *gate, const real *up, size_t n);
void rows_swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate,
                          const real *up, size_t n);

/* --- attention weights ------------------------------------------------------------
 * Of [T,S], rows @ld apart, a multiple of ROWS_UNIT: all rows, or those of a larger
 * matrix from @first on.  Row t of them looks at n columns: S, or first + t + 1 when
 * @causal.  What follows them is never used and becomes 0, up to the first multiple of
 * ROWS_UNIT that is S or more. */

enum { ROWS_UNIT = 16 };

/* row t, in place  <-  softmax(scale * a[t, 0..n-1]);  scale > 0 */
void rows_softmax(real *a, size_t ld, size_t first, size_t T, size_t S, bool causal,
                  real scale);
/* da[t,j], in place  <-  scale * a[t,j] * (da[t,j] - sum_k a[t,k] da[t,k]) for j < n,
 * with @a as rows_softmax left it */
void rows_softmax_backward(real *da, const real *a, size_t ld, size_t first, size_t T,
                           size_t S, bool causal, real scale);

/* The products with them, where sequences are so short that calls of gemm.h cost more
 * than their arithmetic, or @causal, S == T, leaves little of a square to compute.  D is
 * a multiple of ROWS_UNIT, at most ROWS_HEAD_MAX.  An element is one chain of
 * multiply-adds: its bits depend on its row and column of the factors, not on T and S. */

enum { ROWS_HEAD_MAX = 128 };

/* a [T,S]  <-  x [T,D] * y [S,D]^T; what follows the columns that row t looks at is
 * undefined, as far as rows_softmax makes it 0 */
void rows_scores(real *a, size_t ld, const real *x, size_t ldx, const real *y, size_t ldy,
                 size_t T, size_t S, size_t D, bool causal);
/* x [T,D]  <-  a [T,S] * y [S,D], with zeros in @a where row t does not look */
void rows_mix(real *x, size_t ldx, const real *a, size_t ld, const real *y, size_t ldy,
              size_t T, size_t S, size_t D, bool causal);
/* x [S,D]  <-, or += when @add,  a^T * y [T,D], with such an @a */
void rows_mix_transposed(real *x, size_t ldx, const real *a, size_t ld, const real *y,
                         size_t ldy, size_t T, size_t S, size_t D, bool causal, bool add);

/* --- dropout ----------------------------------------------------------------------
 * Element i of a block is kept with probability 1 - p and then divided by it, decided by
 * philox(key, (i / 4, site, sample, step))[i % 4] (inverted dropout, Srivastava 2014).
 * The same call is forward and backward.  y may be x.  p = 0 copies. */

struct rows_dropout_site {
    struct philox_key key;
    uint32_t site, sample, step;
};
void rows_dropout(real *y, const real *x, size_t n, real p, struct rows_dropout_site at);
/* The same for elements [first, first + n) of the block, y and x pointing at the first
 * of them; @first is a multiple of 4. */
void rows_dropout_part(real *y, const real *x, size_t first, size_t n, real p,
                       struct rows_dropout_site at);

/* --- loss -------------------------------------------------------------------------
 * The sum over rows of -sum_j w_j log softmax_j, in double, with w the target alone, or
 * smoothed (Szegedy 2016, section 7): w = (1 - s) onehot(target) + s / V.
 * logits [n,V], rows @ld apart, are used up: with @backward they become
 * d loss / d logits = softmax - w, without they are left undefined.  targets < V. */
double rows_cross_entropy(real *logits, size_t ld, const uint32_t *targets, size_t n,
                          size_t V, real smoothing, bool backward);

/* log sum_j exp(x_j) of x [n], n > 0, as precise as the loss: x_j minus it is the
 * logarithm of softmax_j. */
double rows_log_sum_exp(const real *x, size_t n);

/* --- rotary positions (Su 2021): halves, as in GPT-NeoX and Llama checkpoints -------
 * x [D]: (x[i], x[i + D/2]) rotated by angle[i]; cs [D] holds the cos and then the sin of
 * the D/2 angles.  @inverse turns back: the backward pass. */
void rows_rotate(real *x, const real *cs, size_t D, bool inverse);

/* --- bfloat16, round to nearest even; what is not a number stays so ---------------- */

void rows_round_bfloat16(float *x, size_t n);                   /* in place */
void rows_pack_bfloat16(uint16_t *y, const float *x, size_t n); /* rounds */
void rows_unpack_bfloat16(float *y, const uint16_t *x, size_t n);

/* --- int8: blocks of ROWS_BLOCK elements with one unit ------------------------------
 * x = q * u, |q| <= 127, u the smallest power of two for which that is so of the block's
 * largest, 2^-124 at least: numbers as in MXINT8 (Rouhani et al. 2023,
 * arXiv:2310.10537) in blocks twice as long.  q is rounded to nearest even, so an element
 * is off by u/2 at most, 1/127 of the largest.  A block with a number that is infinite,
 * none, or 127.5 * 2^121 and more becomes NAN, all of it.
 *
 * The first block begins at x; the last may be shorter.  What is rounded stays as it is:
 * unpack(pack(x)) is what round makes of x, and of that pack makes the same bytes. */

enum { ROWS_BLOCK = 64 };

void rows_round_int8(float *x, size_t n); /* in place */
/* Packed: block by block the exponent of u, as in a float, and the q.  @y may be @x. */
size_t rows_int8_bytes(size_t n);
void rows_pack_int8(uint8_t *y, const float *x, size_t n); /* rounds */
/* x may lie in the last bytes of y [n]. */
void rows_unpack_int8(float *y, const uint8_t *x, size_t n);

/* --- the optimizers' inner loops, on ranges (float masters; formulas in optim/) ----- */

struct rows_adam {
    float rate, eps;
    float rest1, rest2;             /* 1 - beta, rounded once: not 1 - (float)beta */
    float correction1, correction2; /* 1 - beta^t */
    float decay;                    /* adamw: theta -= rate * decay * theta */
    float l2;                       /* adam: gradient += l2 * theta */
    float scale;                    /* of the gradient: clip / targets */
};
void rows_adam(float *theta, float *m, float *v, const float *g, size_t n,
               struct rows_adam a);
void rows_sgd(float *theta, float *velocity, const float *g, size_t n, float rate,
              float momentum, float l2, float scale);
/* mean += rest * (x - mean) */
void rows_ema(float *mean, const float *x, size_t n, float rest);
double rows_sum_squares(const float *x, size_t n); /* in double */
/* The largest absolute value, 0 of none; what is not a number is passed over. */
double rows_largest(const float *x, size_t n);

#endif
