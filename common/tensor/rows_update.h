/* rows_update.h - inside rows_kernels.h: the optimizers' inner loops; float in all
 * builds.
 *
 * An element's result depends on that element alone, bit for bit: ranges may be cut
 * anywhere.
 */

/* The moving averages as m += (1 - beta) (g - m): the weights then add up to one, which
 * beta and 1 - beta, both rounded to float, do not.  Decay and step are added before they
 * are subtracted from theta, which is thus rounded once. */
static void adam(float *theta, float *m, float *v, const float *g, size_t n,
                 struct rows_adam a)
{
    const float shrink = a.rate * a.decay, step = a.rate / a.correction1,
                root = 1 / a.correction2;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const float g_i = muladd_float(a.l2, theta[i], a.scale * g[i]);
        m[i] = muladd_float(a.rest1, g_i - m[i], m[i]);
        v[i] = muladd_float(a.rest2, muladd_float(g_i, g_i, -v[i]), v[i]);
        const float move = step * m[i] / (sqrtf(v[i] * root) + a.eps);
        theta[i] -= muladd_float(shrink, theta[i], move);
    }
}

static void sgd(float *theta, float *velocity, const float *g, size_t n, float rate,
                float momentum, float l2, float factor)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const float g_i = muladd_float(l2, theta[i], factor * g[i]);
        velocity[i] = muladd_float(momentum, velocity[i], g_i);
        theta[i] = muladd_float(-rate, velocity[i], theta[i]);
    }
}

static void ema(float *mean, const float *x, size_t n, float rest)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        mean[i] = muladd_float(rest, x[i] - mean[i], mean[i]);
}

/* The square of a float is exact in double, so all instruction sets agree. */
static double sum_squares(const float *x, size_t n)
{
    double s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++)
            s[l] += (double)x[i + (size_t)l] * (double)x[i + (size_t)l];
    }
    for (int l = 0; i < n; i++, l++)
        s[l] += (double)x[i] * (double)x[i];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++)
            s[l] += s[l + width];
    return s[0];
}

static double largest(const float *x, size_t n)
{
    float s[LANES] = {0}, most = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++)
            s[l] = fabsf(x[i + (size_t)l]) > s[l] ? fabsf(x[i + (size_t)l]) : s[l];
    }
    for (int l = 0; i < n; i++, l++)
        s[l] = fabsf(x[i]) > s[l] ? fabsf(x[i]) : s[l];
    for (int l = 0; l < LANES; l++)
        most = s[l] > most ? s[l] : most;
    return most;
}
