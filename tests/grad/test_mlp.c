#include "grad/layer.h"

#include "nn/mlp.h"

enum { N = 4, C = 5, F = 7, UP_MAX = 2 * F, INPUT = N * C };

struct ctx {
    struct conf_model conf;
    struct pass pass;
    real up[N * UP_MAX], hidden[N * F], dup[N * UP_MAX], dhidden[N * F];
};

/* Returns how many numbers input and weights are. */
static size_t weights(struct mlp *w, const real *x, const struct ctx *c)
{
    const size_t up = mlp_up(&c->conf, &c->pass.s), first = INPUT + up * C + C * F;
    real *at = (real *)x;
    *w = (struct mlp){.up = {.weight = at + INPUT},
                      .down = {.weight = at + INPUT + up * C}};
    if (!c->conf.bias)
        return first;
    w->up.bias = at + first;
    w->down.bias = at + first + up;
    return first + up + C;
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    struct mlp w;
    weights(&w, x, c);
    mlp_forward(y, (struct mlp_cache){c->up, c->hidden}, x, w, &c->pass, 0);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    struct mlp w, dw;
    weights(&w, x, c);
    weights(&dw, dx, c);
    const bool swiglu = c->conf.activation == ACTIVATION_SWIGLU;
    mlp_backward(dx, dw, dy, (struct mlp_cache){c->up, c->hidden}, x, w,
                 (struct mlp_scratch){c->dup, swiglu ? c->dhidden : c->dup}, &c->pass, 0);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    for (int activation = ACTIVATION_GELU; activation <= ACTIVATION_SWIGLU; activation++)
        for (int bias = 0; bias < 2; bias++) {
            struct ctx c = {
                .conf = {.activation = (enum conf_activation)activation, .bias = bias}};
            c.pass = (struct pass){
                .conf = &c.conf, .gemm = &layer_gemm, .s = {.C = C, .F = F}, .N = N};
            struct mlp w;
            static const real none[INPUT];
            const size_t nx = weights(&w, none, &c);
            if (!difference_works(c.conf.activation))
                continue;
            assert_derivative(nx, N * C, forward, backward, &c);
        }
}

RUN_LAYER(T(backward_is_the_derivative))
