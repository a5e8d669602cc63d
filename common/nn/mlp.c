#include "nn/mlp.h"

#include <assert.h>

#include "tensor/rows.h"

size_t mlp_up(const struct conf_model *conf, const struct shape *s)
{
    return conf->activation == ACTIVATION_SWIGLU ? 2 * s->F : s->F;
}

/* hidden [N,F]  <-  f(up) */
static void activate(real *hidden, const real *up, const struct pass *pass)
{
    const size_t N = pass->N, F = pass->s.F;
    switch (pass->conf->activation) {
    case ACTIVATION_GELU:
        rows_gelu(hidden, up, N * F);
        return;
    case ACTIVATION_GELU_TANH:
        rows_gelu_tanh(hidden, up, N * F);
        return;
    case ACTIVATION_RELU:
        rows_relu(hidden, up, N * F);
        return;
    case ACTIVATION_SWIGLU:
        for (size_t n = 0; n < N; n++)
            rows_swiglu(hidden + n * F, up + 2 * n * F, up + (2 * n + 1) * F, F);
        return;
    }
    assert(!"activation is one of its choices");
}

/* dup  <-  dhidden [N,F] * f'(up) */
static void activate_backward(real *dup, const real *dhidden, const real *up,
                              const struct pass *pass)
{
    const size_t N = pass->N, F = pass->s.F;
    switch (pass->conf->activation) {
    case ACTIVATION_GELU:
        rows_gelu_backward(dup, dhidden, up, N * F);
        return;
    case ACTIVATION_GELU_TANH:
        rows_gelu_tanh_backward(dup, dhidden, up, N * F);
        return;
    case ACTIVATION_RELU:
        rows_relu_backward(dup, dhidden, up, N * F);
        return;
    case ACTIVATION_SWIGLU:
        for (size_t n = 0; n < N; n++)
            rows_swiglu_backward(dup + 2 * n * F, dup + (2 * n + 1) * F, dhidden + n * F,
                                 up + 2 * n * F, up + (2 * n + 1) * F, F);
        return;
    }
    assert(!"activation is one of its choices");
}

/* What is dropped of hidden [N,F], forward and backward. */
static void drop_hidden(real *hidden, const struct pass *pass, size_t l)
{
    const double p = pass_drop(pass, pass->conf->dropout_hidden);
    if (p > 0)
        dropout_apply(hidden, hidden, &pass->dropout, p,
                      pass_site(pass, DROPOUT_HIDDEN, l), &pass->of, pass->s.F);
}

void mlp_forward(real *y, struct mlp_cache cache, const real *x, struct mlp w,
                 const struct pass *pass, size_t l)
{
    const size_t N = pass->N, C = pass->s.C, F = pass->s.F;
    linear_forward(cache.up, x, w.up, N, C, mlp_up(pass->conf, &pass->s), pass->gemm);
    activate(cache.hidden, cache.up, pass);
    if (pass_examined(pass, l))
        measure_hidden(pass_examined(pass, l), cache.hidden, N, F);
    drop_hidden(cache.hidden, pass, l);
    linear_forward(y, cache.hidden, w.down, N, F, C, pass->gemm);
}

void mlp_backward(real *dx, struct mlp dw, const real *dy, struct mlp_cache cache,
                  const real *x, struct mlp w, struct mlp_scratch scratch,
                  const struct pass *pass, size_t l)
{
    const size_t N = pass->N, C = pass->s.C, F = pass->s.F;
    /* y = down(hidden) */
    linear_backward(scratch.dhidden, dw.down, dy, cache.hidden, w.down, N, F, C,
                    pass->gemm);
    drop_hidden(scratch.dhidden, pass, l);
    /* hidden = f(up) */
    activate_backward(scratch.dup, scratch.dhidden, cache.up, pass);
    /* up = up(x) */
    linear_backward(dx, dw.up, scratch.dup, x, w.up, N, C, mlp_up(pass->conf, &pass->s),
                    pass->gemm);
}
