#include "support/rows_reference.h"

#include <math.h>
#include <string.h>

static const double A = 0.79788456080286535588; /* sqrt(2 / pi) */
static const double B = 0.044715;

double reference_gelu(double x)
{
    return x * 0.5 * erfc(-x * M_SQRT1_2);
}

double reference_gelu_slope(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

/* 1 + tanh(u) = 2 / (1 + exp(-2u)), without the cancellation on the left */
static double half_one_plus_tanh(double u)
{
    return 1 / (1 + exp(-2 * u));
}

double reference_gelu_tanh(double x)
{
    return x * half_one_plus_tanh(A * (x + B * x * x * x));
}

double reference_gelu_tanh_slope(double x)
{
    const double u = A * (x + B * x * x * x), du = A * (1 + 3 * B * x * x);
    const double cosh_u = cosh(u);
    return half_one_plus_tanh(u) + 0.5 * x * du / (cosh_u * cosh_u);
}

double reference_relu(double x)
{
    return x > 0 ? x : 0;
}

double reference_relu_slope(double x)
{
    return x > 0;
}

double reference_silu(double x)
{
    return x / (1 + exp(-x));
}

double reference_silu_slope(double x)
{
    const double s = 1 / (1 + exp(-x));
    return s + x * s / (1 + exp(x));
}

/* --- norms ------------------------------------------------------------------------ */

struct moments {
    double mean, rstd;
};

static struct moments moments(const real *x, size_t C, double eps, bool rms)
{
    double mean = 0, squares = 0;
    for (size_t c = 0; c < C && !rms; c++)
        mean += (double)x[c] / (double)C;
    for (size_t c = 0; c < C; c++)
        squares += ((double)x[c] - mean) * ((double)x[c] - mean) / (double)C;
    return (struct moments){mean, 1 / sqrt(squares + eps)};
}

void reference_norm(double *y, const real *x, const real *gain, const real *bias,
                    size_t N, size_t C, double eps, bool rms)
{
    for (size_t n = 0; n < N; n++) {
        const struct moments m = moments(x + n * C, C, eps, rms);
        for (size_t c = 0; c < C; c++)
            y[n * C + c] = ((double)x[n * C + c] - m.mean) * m.rstd * (double)gain[c] +
                           (bias ? (double)bias[c] : 0);
    }
}

/* The Jacobian of one row, multiplied out: with h = (x - mean) * rstd,
 * dh_i/dx_j = rstd * ((i == j) - 1/C - h_i h_j / C); rms has no 1/C. */
static double row_derivative(const real *x, const real *dy, const real *gain, size_t j,
                             size_t C, struct moments m, bool rms)
{
    const double h_j = ((double)x[j] - m.mean) * m.rstd;
    double sum = 0;
    for (size_t i = 0; i < C; i++) {
        const double h_i = ((double)x[i] - m.mean) * m.rstd;
        const double slope = (i == j) - (rms ? 0 : 1 / (double)C) - h_i * h_j / (double)C;
        sum += (double)dy[i] * (double)gain[i] * m.rstd * slope;
    }
    return sum;
}

void reference_norm_backward(double *dx, double *dgain, double *dbias, const real *dy,
                             const real *x, const real *gain, size_t N, size_t C,
                             double eps, bool rms)
{
    memset(dgain, 0, C * sizeof *dgain);
    memset(dbias, 0, C * sizeof *dbias);
    for (size_t n = 0; n < N; n++) {
        const real *x_n = x + n * C, *dy_n = dy + n * C;
        const struct moments m = moments(x_n, C, eps, rms);
        for (size_t c = 0; c < C; c++) {
            dx[n * C + c] = row_derivative(x_n, dy_n, gain, c, C, m, rms);
            dgain[c] += (double)dy_n[c] * ((double)x_n[c] - m.mean) * m.rstd;
            dbias[c] += (double)dy_n[c];
        }
    }
}

/* --- softmax ---------------------------------------------------------------------- */

/* y [n]  <-  softmax(scale * x [n]); returns log(sum of exp(scale * x)) */
static double softmax(double *y, const real *x, size_t n, double scale)
{
    double max = -INFINITY;
    long double total = 0; /* in double builds the kernels' own sums are in double */
    for (size_t i = 0; i < n; i++)
        max = fmax(max, scale * (double)x[i]);
    for (size_t i = 0; i < n; i++)
        total += exp(scale * (double)x[i] - max);
    for (size_t i = 0; i < n; i++)
        y[i] = exp(scale * (double)x[i] - max) / (double)total;
    return max + log((double)total);
}

void reference_softmax(double *y, const real *a, size_t ld, size_t first, size_t T,
                       size_t S, bool causal, double scale)
{
    for (size_t t = 0; t < T; t++) {
        const size_t n = causal ? first + t + 1 : S;
        softmax(y + t * ld, a + t * ld, n, scale);
        for (size_t j = n; j < S; j++)
            y[t * ld + j] = 0;
    }
}

void reference_softmax_backward(double *y, const real *da, const real *a, size_t ld,
                                size_t first, size_t T, size_t S, bool causal,
                                double scale)
{
    for (size_t t = 0; t < T; t++) {
        const size_t n = causal ? first + t + 1 : S;
        const real *a_t = a + t * ld, *da_t = da + t * ld;
        double dot = 0;
        for (size_t j = 0; j < n; j++)
            dot += (double)a_t[j] * (double)da_t[j];
        for (size_t j = 0; j < S; j++)
            y[t * ld + j] = j < n ? scale * (double)a_t[j] * ((double)da_t[j] - dot) : 0;
    }
}

double reference_cross_entropy(double *dlogits, const real *logits, size_t ld,
                               const uint32_t *targets, size_t n, size_t V, double s)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double *d = dlogits + i * ld;
        const real *x = logits + i * ld;
        long double expected = 0;
        loss += softmax(d, x, V, 1);
        for (size_t j = 0; j < V; j++) {
            const double wanted = (j == targets[i] ? 1 - s : 0) + s / (double)V;
            expected += (long double)wanted * (long double)x[j];
            d[j] -= wanted;
        }
        loss -= (double)expected;
    }
    return loss;
}

/* --- dropout, rotation, bfloat16, int8 -----------------------------------------------
 */

void reference_dropout(double *y, const real *x, size_t first, size_t n, real p,
                       struct rows_dropout_site at)
{
    for (size_t i = 0; i < n; i++) {
        const struct philox_block counter = {
            {(uint32_t)((first + i) / 4), at.site, at.sample, at.step}};
        const uint32_t word = philox(at.key, counter).word[(first + i) % 4];
        const bool kept = (double)word >= floor((double)p * 0x1p32);
        y[i] = kept ? (double)x[i] / (1 - (double)p) : 0;
    }
}

void reference_rotate(double *y, const real *x, const real *cs, size_t D, bool inverse)
{
    for (size_t i = 0; i < D / 2; i++) {
        const double c = (double)cs[i], s = (double)cs[i + D / 2] * (inverse ? -1 : 1);
        const double a = (double)x[i], b = (double)x[i + D / 2];
        y[i] = a * c - b * s;
        y[i + D / 2] = a * s + b * c;
    }
}

static float from_bfloat16(uint32_t upper)
{
    const uint32_t bits = upper << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Of the two neighbours the nearer, of two equally near the even; past the largest
 * finite one the next would be 2^128. */
uint16_t reference_bfloat16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t low = bits >> 16;
    if (isnan(x))
        return (uint16_t)(low | 0x40);
    if (isinf(x))
        return (uint16_t)low;
    const double below = fabs((double)from_bfloat16(low));
    const double above =
        (low & 0x7fff) == 0x7f7f ? 0x1p128 : fabs((double)from_bfloat16(low + 1));
    const double to_below = fabs((double)x) - below, to_above = above - fabs((double)x);
    const bool up = to_above < to_below || (to_above == to_below && low % 2 == 1);
    return (uint16_t)(low + up);
}

static void reference_int8_block(double *y, const float *x, size_t n)
{
    double largest = 0, unit = 0x1p-124;
    bool broken = false;
    for (size_t i = 0; i < n; i++) {
        broken |= !isfinite(x[i]);
        largest = fmax(largest, fabs((double)x[i]));
    }
    while (!broken && rint(largest / unit) > 127)
        unit *= 2;
    for (size_t i = 0; i < n; i++)
        y[i] = broken || unit > 0x1p121 ? (double)NAN : rint((double)x[i] / unit) * unit;
}

void reference_int8(double *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += ROWS_BLOCK)
        reference_int8_block(y + i, x + i, n - i < ROWS_BLOCK ? n - i : ROWS_BLOCK);
}

/* --- updates ---------------------------------------------------------------------- */

void reference_adam(double *theta, double *m, double *v, const float *g, size_t n,
                    struct reference_adam a)
{
    for (size_t i = 0; i < n; i++) {
        const double g_i = a.scale * (double)g[i] + a.l2 * theta[i];
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * g_i;
        v[i] = a.beta2 * v[i] + (1 - a.beta2) * g_i * g_i;
        const double m_hat = m[i] / (1 - pow(a.beta1, a.t)),
                     v_hat = v[i] / (1 - pow(a.beta2, a.t));
        theta[i] -= a.rate * (m_hat / (sqrt(v_hat) + a.eps) + a.decay * theta[i]);
    }
}

void reference_sgd(double *theta, double *velocity, const float *g, size_t n, double rate,
                   double momentum, double l2, double scale)
{
    for (size_t i = 0; i < n; i++) {
        velocity[i] = momentum * velocity[i] + scale * (double)g[i] + l2 * theta[i];
        theta[i] -= rate * velocity[i];
    }
}
