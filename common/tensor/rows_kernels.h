/* rows_kernels.h - the source of the row kernels, compiled once per instruction set by
 * rows_v2.c, rows_v3.c and rows_v4.c with their own compiler flags.
 *
 * Reductions run in LANES partial sums that are added in a fixed order, so that the
 * compiler may use vectors without changing bits from call to call.  Contraction to fused
 * multiply-add is on in these files: which operations are fused is fixed when compiled,
 * so it is a property of the instruction set like the width of its vectors.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "tensor/rows_table.h"
#include "tensor/vector_math.h"

enum { LANES = 16 };

#define VECTOR _Pragma("omp simd")

static inline real add_lanes(real s[LANES])
{
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            s[i] += s[i + width];
    return s[0];
}

/* --- plain ------------------------------------------------------------------------- */

static void add(real *y, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void scale(real *y, real factor, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        y[i] *= factor;
}

static void add_bias(real *y, const real *b, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++)
        add(y + n * C, b, C);
}

static void sum(real *db, const real *dy, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++)
        add(db, dy + n * C, C);
}

/* --- norms ----------------------------------------------------------------------------
 */

static real row_sum(const real *x, size_t C)
{
    real s[LANES] = {0};
    size_t c = 0;
    for (; c + LANES <= C; c += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++)
        s[l] += x[c + (size_t)l];
    for (int l = 0; c < C; c++, l++)
        s[l] += x[c];
    return add_lanes(s);
}

static real row_sum_squares(const real *x, real mean, size_t C)
{
    real s[LANES] = {0};
    size_t c = 0;
    for (; c + LANES <= C; c += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++)
        s[l] += (x[c + (size_t)l] - mean) * (x[c + (size_t)l] - mean);
    for (int l = 0; c < C; c++, l++)
        s[l] += (x[c] - mean) * (x[c] - mean);
    return add_lanes(s);
}

static void norm(real *y, real *mean, real *rstd, const real *x, const real *gain,
                 const real *bias, size_t N, size_t C, real eps, bool rms)
{
    for (size_t n = 0; n < N; n++) {
        const real *x_n = x + n * C;
        real *y_n = y + n * C;
        const real m = rms ? 0 : row_sum(x_n, C) / (real)C;
        const real r = 1 / real_sqrt(row_sum_squares(x_n, m, C) / (real)C + eps);
        if (bias)
            VECTOR
        for (size_t c = 0; c < C; c++)
            y_n[c] = (x_n[c] - m) * r * gain[c] + bias[c];
        else VECTOR for (size_t c = 0; c < C; c++) y_n[c] = (x_n[c] - m) * r * gain[c];
        if (!rms)
            mean[n] = m;
        rstd[n] = r;
    }
}

/* With h = (x - mean) * rstd and dh = dy * gain, the chain rule through mean and rstd
 * gives  dx = rstd * (dh - avg(dh) - h * avg(dh * h)); rms has no mean, so no avg(dh). */
static void norm_backward(real *dx, real *dgain, real *dbias, const real *dy,
                          const real *x, const real *gain, const real *mean,
                          const real *rstd, size_t N, size_t C, bool rms)
{
    for (size_t n = 0; n < N; n++) {
        const real *x_n = x + n * C, *dy_n = dy + n * C;
        real *dx_n = dx + n * C;
        const real m = rms ? 0 : mean[n], r = rstd[n];

        real s[LANES] = {0}, sh[LANES] = {0};
        size_t c = 0;
        for (; c + LANES <= C; c += LANES)
            VECTOR
        for (int l = 0; l < LANES; l++) {
            const size_t i = c + (size_t)l;
            const real dh = dy_n[i] * gain[i];
            s[l] += dh;
            sh[l] += dh * ((x_n[i] - m) * r);
        }
        for (int l = 0; c < C; c++, l++) {
            const real dh = dy_n[c] * gain[c];
            s[l] += dh;
            sh[l] += dh * ((x_n[c] - m) * r);
        }
        const real avg_dh = rms ? 0 : add_lanes(s) / (real)C,
                   avg_dhh = add_lanes(sh) / (real)C;

        VECTOR
        for (size_t i = 0; i < C; i++) {
            const real h = (x_n[i] - m) * r, dy_i = dy_n[i];
            dgain[i] += dy_i * h;
            dx_n[i] = r * (dy_i * gain[i] - avg_dh - h * avg_dhh);
        }
        if (dbias)
            add(dbias, dy_n, C);
    }
}

/* --- activations ----------------------------------------------------------------------
 */

/* gelu(x) = x * Phi(x), Phi the normal distribution (Hendrycks, Gimpel 2016) */
static void gelu(real *y, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * vector_phi(x[i]);
}

/* y = x * Phi(x)  =>  dy/dx = Phi(x) + x * phi(x) */
static void gelu_backward(real *dx, const real *dy, const real *x, size_t n)
{
    const real inverse_sqrt_2pi = (real)0.39894228040143267794;
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const real density = inverse_sqrt_2pi * vector_exp((real)-0.5 * x[i] * x[i]);
        dx[i] = dy[i] * (vector_phi(x[i]) + x[i] * density);
    }
}

static const real GELU_A = (real)0.79788456080286535588; /* sqrt(2 / pi) */
static const real GELU_B = (real)0.044715;

/* y = x * sigmoid(2 u), u = a (x + b x^3): the same as x/2 (1 + tanh u) */
static void gelu_tanh(real *y, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const real u = GELU_A * (x[i] + GELU_B * x[i] * x[i] * x[i]);
        y[i] = x[i] * vector_sigmoid(2 * u);
    }
}

/* y = x s(2u)  =>  dy/dx = s + x * 2 s (1 - s) du/dx */
static void gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const real u = GELU_A * (x[i] + GELU_B * x[i] * x[i] * x[i]);
        const real du = GELU_A * (1 + 3 * GELU_B * x[i] * x[i]);
        const real s = vector_sigmoid(2 * u);
        dx[i] = dy[i] * (s + x[i] * 2 * s * (1 - s) * du);
    }
}

static void relu(real *y, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}

static void relu_backward(real *dx, const real *dy, const real *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        dx[i] = x[i] > 0 ? dy[i] : 0;
}

static void swiglu(real *y, const real *gate, const real *up, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++)
        y[i] = gate[i] * vector_sigmoid(gate[i]) * up[i];
}

/* y = g s(g) u  =>  dy/dg = u (s + g s (1 - s)),  dy/du = g s */
static void swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate,
                            const real *up, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const real g = gate[i], s = vector_sigmoid(g), dy_i = dy[i], u = up[i];
        dgate[i] = dy_i * u * (s + g * s * (1 - s));
        dup[i] = dy_i * g * s;
    }
}

/* --- attention weights
 * ------------------------------------------------------------------ */

static real row_max(const real *x, size_t n)
{
    real s[LANES];
    for (int l = 0; l < LANES; l++)
        s[l] = x[0];
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++)
        s[l] = x[i + (size_t)l] > s[l] ? x[i + (size_t)l] : s[l];
    for (int l = 0; i < n; i++, l++)
        s[l] = x[i] > s[l] ? x[i] : s[l];
    real max = s[0];
    for (int l = 1; l < LANES; l++)
        max = s[l] > max ? s[l] : max;
    return max;
}

/* x <- exp(scale * (x - max)); returns the sum */
static real row_exp(real *x, real max, real factor, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++) {
        const real e = vector_exp(factor * (x[i + (size_t)l] - max));
        x[i + (size_t)l] = e;
        s[l] += e;
    }
    for (int l = 0; i < n; i++, l++) {
        x[i] = vector_exp(factor * (x[i] - max));
        s[l] += x[i];
    }
    return add_lanes(s);
}

static real row_dot(const real *x, const real *y, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++)
        s[l] += x[i + (size_t)l] * y[i + (size_t)l];
    for (int l = 0; i < n; i++, l++)
        s[l] += x[i] * y[i];
    return add_lanes(s);
}

static void softmax_causal(real *a, size_t ld, size_t T, real factor)
{
    assert(factor > 0);
    for (size_t t = 0; t < T; t++) {
        real *a_t = a + t * ld;
        const real total = row_exp(a_t, row_max(a_t, t + 1), factor, t + 1);
        scale(a_t, 1 / total, t + 1);
        memset(a_t + t + 1, 0, (T - t - 1) * sizeof *a_t);
    }
}

static void softmax_causal_backward(real *da, const real *a, size_t ld, size_t T,
                                    real factor)
{
    for (size_t t = 0; t < T; t++) {
        const real *a_t = a + t * ld;
        real *da_t = da + t * ld;
        const real dot = row_dot(a_t, da_t, t + 1);
        VECTOR
        for (size_t j = 0; j <= t; j++)
            da_t[j] = factor * a_t[j] * (da_t[j] - dot);
        memset(da_t + t + 1, 0, (T - t - 1) * sizeof *da_t);
    }
}

/* --- dropout
 * ------------------------------------------------------------------------------ */

/* Words are compared as integers: keep when word >= p * 2^32. */
static void dropout_part(real *y, const real *x, size_t first, size_t n, real p,
                         struct rows_dropout_site at)
{
    assert(first % 4 == 0 && p < 1);
    if (!(p > 0)) {
        if (y != x)
            memcpy(y, x, n * sizeof *y);
        return;
    }
    const uint32_t threshold = (uint32_t)((double)p * 4294967296.0);
    const real kept = 1 / (1 - p);
    enum { BLOCKS = 16 }; /* counters computed side by side */
    for (size_t i = 0; i < n; i += 4 * BLOCKS) {
        uint32_t word[4][BLOCKS];
        VECTOR
        for (uint32_t b = 0; b < BLOCKS; b++) {
            const struct philox_block r =
                philox(at.key, (struct philox_block){{(uint32_t)((first + i) / 4) + b,
                                                      at.site, at.sample, at.step}});
            word[0][b] = r.word[0];
            word[1][b] = r.word[1];
            word[2][b] = r.word[2];
            word[3][b] = r.word[3];
        }
        const size_t end = n - i < 4 * BLOCKS ? n - i : 4 * BLOCKS;
        for (size_t k = 0; k < end; k++)
            y[i + k] = word[k % 4][k / 4] >= threshold ? x[i + k] * kept : 0;
    }
}

/* --- loss
 * -------------------------------------------------------------------------------- */

static double cross_entropy(real *logits, size_t ld, const uint32_t *targets, size_t n,
                            size_t V, bool backward)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        real *row = logits + i * ld;
        const real max = row_max(row, V), at_target = row[targets[i]];
        const real total = row_exp(row, max, 1, V);
        loss += log((double)total) + (double)max - (double)at_target;
        if (backward) {
            scale(row, 1 / total, V);
            row[targets[i]] -= 1;
        }
    }
    return loss;
}

/* --- rotary positions
 * ---------------------------------------------------------------------- */

static void rotate(real *x, const real *cs, size_t D, bool inverse)
{
    const size_t half = D / 2;
    const real sign = inverse ? -1 : 1;
    VECTOR
    for (size_t i = 0; i < half; i++) {
        const real a = x[i], b = x[i + half], c = cs[i], s = sign * cs[i + half];
        x[i] = a * c - b * s;
        x[i + half] = b * c + a * s;
    }
}

/* --- bfloat16
 * -------------------------------------------------------------------------------- */

/* The upper half after adding what makes it round to nearest, ties to even. */
static inline uint32_t round_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t rounded = u + 0x7fff + ((u >> 16) & 1);
    return (u & 0x7fffffff) > 0x7f800000 ? u | 0x400000 : rounded;
}

static void round_bfloat16(float *x, size_t n)
{
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = round_bits(x[i]) & 0xffff0000;
        memcpy(&x[i], &u, sizeof u);
    }
}

static void pack_bfloat16(uint16_t *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (uint16_t)(round_bits(x[i]) >> 16);
}

static void unpack_bfloat16(float *y, const uint16_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)x[i] << 16;
        memcpy(&y[i], &u, sizeof u);
    }
}

/* --- optimizers
 * ------------------------------------------------------------------------------- */

static void adam(float *theta, float *m, float *v, const float *g, size_t n,
                 struct rows_adam a)
{
    const float shrink = 1 - a.rate * a.decay, step = a.rate / a.correction1,
                root = 1 / a.correction2;
    VECTOR
    for (size_t i = 0; i < n; i++) {
        const float g_i = a.scale * g[i] + a.l2 * theta[i];
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * g_i;
        v[i] = a.beta2 * v[i] + (1 - a.beta2) * (g_i * g_i);
        theta[i] = shrink * theta[i] - step * m[i] / (sqrtf(v[i] * root) + a.eps);
    }
}

static void sgd(float *theta, float *velocity, const float *g, size_t n, float rate,
                float momentum, float l2, float factor)
{
    VECTOR
    for (size_t i = 0; i < n; i++) {
        velocity[i] = momentum * velocity[i] + factor * g[i] + l2 * theta[i];
        theta[i] -= rate * velocity[i];
    }
}

static double sum_squares(const float *x, size_t n)
{
    double s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        VECTOR
    for (int l = 0; l < LANES; l++)
        s[l] += (double)x[i + (size_t)l] * (double)x[i + (size_t)l];
    for (int l = 0; i < n; i++, l++)
        s[l] += (double)x[i] * (double)x[i];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++)
            s[k] += s[k + width];
    return s[0];
}

const struct rows_table ROWS_TABLE = {
#define ROW(result, name, parameters, arguments) .name = name,
#include "tensor/rows.def"
#undef ROW
};
