#include "grad/layer.h"

#include "nn/norm.h"

enum { N = 4, C = 9, GAIN = N * C, BIAS = GAIN + C };

struct ctx {
    struct conf_model conf;
    bool bias;
    real mean[N], rstd[N];
};

static struct norm weights(const real *x, const struct ctx *c)
{
    real *at = (real *)x;
    return (struct norm){at + GAIN, c->bias ? at + BIAS : NULL};
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    norm_forward(y, (struct norm_cache){c->mean, c->rstd}, x, weights(x, c), &c->conf, N,
                 C);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    norm_backward(dx, weights(dx, c), dy, (struct norm_cache){c->mean, c->rstd}, x,
                  weights(x, c), &c->conf, N, C);
}

static void check(enum conf_norm norm, bool bias, double eps)
{
    struct ctx c = {.conf = {.norm = norm, .norm_eps = eps}, .bias = bias};
    assert_derivative(bias ? BIAS + C : BIAS, N * C, forward, backward, &c);
}

static void backward_of_layernorm_is_the_derivative(void **state)
{
    (void)state;
    check(NORM_LAYER, true, 1e-5);
    check(NORM_LAYER, false, 1e-5);
    check(NORM_LAYER, true, 0.5); /* a term lost with eps would hide behind a small one */
}

static void backward_of_rmsnorm_is_the_derivative(void **state)
{
    (void)state;
    check(NORM_RMS, false, 1e-5);
    check(NORM_RMS, false, 0.5);
}

RUN_LAYER(T(backward_of_layernorm_is_the_derivative),
          T(backward_of_rmsnorm_is_the_derivative))
