#include "grad/layer.h"

#include "nn/linear.h"

enum { N = 5, IN = 7, OUT = 3, WEIGHT = N * IN, BIAS = WEIGHT + OUT * IN };

struct ctx {
    bool bias;
};

static struct linear weights(const real *x, const struct ctx *c)
{
    real *at = (real *)x;
    return (struct linear){at + WEIGHT, c->bias ? at + BIAS : NULL};
}

static void forward(real *y, const real *x, void *ctx)
{
    linear_forward(y, x, weights(x, ctx), N, IN, OUT, &layer_gemm);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    linear_backward(dx, weights(dx, ctx), dy, x, weights(x, ctx), N, IN, OUT, &layer_gemm);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    struct ctx with = {true}, without = {false};
    assert_derivative(BIAS + OUT, N * OUT, forward, backward, &with);
    assert_derivative(BIAS, N * OUT, forward, backward, &without);
}

RUN_LAYER(T(backward_is_the_derivative))
