/* rows_activation.h - inside rows_kernels.h: element-wise functions and their slopes. */

/* y = x * Phi(x), Phi the normal distribution (Hendrycks, Gimpel 2016) */
static void gelu(real *y, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * vector_phi(x[i], vector_bell(x[i]));
}

/* y = x * Phi(x)  =>  dy/dx = Phi(x) + x * bell(x) / sqrt(2 pi) */
static void gelu_backward(real *dx, const real *dy, const real *x, size_t n)
{
    const real inverse_sqrt_2pi = (real)0.39894228040143267794;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const real bell = vector_bell(x[i]);
        const real slope = muladd(x[i] * inverse_sqrt_2pi, bell, vector_phi(x[i], bell));
        dx[i] = dy[i] * slope;
    }
}

static const real GELU_A = (real)0.79788456080286535588; /* sqrt(2 / pi) */
static const real GELU_B = (real)0.044715;

/* y = x * s(2u), s = sigmoid, u = a (x + b x^3): the same as x/2 (1 + tanh u) */
static void gelu_tanh(real *y, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const real u = GELU_A * x[i] * muladd(GELU_B * x[i], x[i], 1);
        y[i] = x[i] * vector_sigmoid(2 * u);
    }
}

/* y = x * s(2u)  =>  dy/dx = s + x * 2 s (1 - s) du/dx, with 1 - s = e * s, e = exp(-2u):
 * subtracted from 1 it would lose its digits */
static void gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const real u = GELU_A * x[i] * muladd(GELU_B * x[i], x[i], 1);
        const real du = GELU_A * muladd(3 * GELU_B * x[i], x[i], 1);
        const real e = vector_exp(-2 * u), s = 1 / (1 + e);
        dx[i] = dy[i] * muladd(2 * x[i] * s, e * s * du, s);
    }
}

static void relu(real *y, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_backward(real *dx, const real *dy, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        dx[i] = x[i] > 0 ? dy[i] : 0;
}

/* y = g * s(g) * u (Shazeer 2020) */
static void swiglu(real *y, const real *gate, const real *up, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = gate[i] * vector_sigmoid(gate[i]) * up[i];
}

/* y = g * s(g) * u  =>  dy/dg = u * (s + g s (1 - s)),  dy/du = g * s;  1 - s as above */
static void swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate,
                            const real *up, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const real g = gate[i], e = vector_exp(-g), s = 1 / (1 + e);
        const real dy_i = dy[i], u = up[i];
        dgate[i] = dy_i * u * muladd(g * s, e * s, s);
        dup[i] = dy_i * (g * s);
    }
}
