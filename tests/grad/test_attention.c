#include "grad/layer.h"

#include "nn/attend.h"
#include "nn/attention.h"
#include "nn/positions.h"

enum { B = 2, T = 5, C = 8, H = 4, D = 2, N = T + 2, COLUMNS_MAX = 3 * C, INPUT = N * C };

static const uint32_t lengths[B] = {2, T};

struct ctx {
    struct conf_model conf;
    struct pass pass;
    real qkv[N * COLUMNS_MAX], mixed[N * C];
    real dqkv[N * COLUMNS_MAX], dmixed[N * C];
    real *weights, *dweights;
    real angles[T * D];
};

static size_t columns(const struct ctx *c)
{
    return (H + 2 * c->pass.s.G) * D;
}

static size_t take(real **at, real **field, size_t n)
{
    *field = *at;
    *at += n;
    return n;
}

/* Returns how many numbers input and weights are. */
static size_t weights(struct attention *w, const real *x, const struct ctx *c)
{
    real *at = (real *)x + INPUT;
    *w = (struct attention){0};
    size_t n = INPUT;
    n += take(&at, &w->qkv.weight, columns(c) * C);
    n += take(&at, &w->output.weight, C * C);
    if (c->conf.bias) {
        n += take(&at, &w->qkv.bias, columns(c));
        n += take(&at, &w->output.bias, C);
    }
    return n;
}

static struct attention_cache cache(struct ctx *c)
{
    return (struct attention_cache){.qkv = c->qkv, .mixed = c->mixed};
}

static struct attention_scratch scratch(struct ctx *c)
{
    return (struct attention_scratch){c->weights, c->dweights, c->dqkv, c->dmixed};
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    struct attention w;
    weights(&w, x, c);
    attention_forward(y, cache(c), x, w, scratch(c), &c->pass, 1);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    struct attention w, dw;
    weights(&w, x, c);
    weights(&dw, dx, c);
    attention_backward(dx, dw, dy, cache(c), x, w, scratch(c), &c->pass, 1);
}

static void check(size_t G, bool bias, bool rotary, double drop)
{
    static const uint64_t samples[B] = {5, 9};
    struct ctx c = {.conf = {.bias = bias, .dropout_attention = drop}};
    c.pass = (struct pass){.conf = &c.conf,
                           .gemm = &layer_gemm,
                           .s = {.H = H, .G = G, .C = C, .D = D, .T = T},
                           .of = sequences_of(B, lengths),
                           .N = N,
                           .dropout = {.on = true, .key = {{1, 2}}, .samples = samples},
                           .angles = rotary ? c.angles : NULL};
    positions_angles(c.angles, T, D, 100);
    c.weights = calloc(2 * attend_weights(T, T), sizeof(real));
    c.dweights = c.weights + attend_weights(T, T);
    struct attention w;
    static const real none[INPUT];
    const size_t nx = weights(&w, none, &c);
    assert_derivative(nx, N * C, forward, backward, &c);
    free(c.weights);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    for (size_t G = 1; G <= H; G *= 2)
        for (int rotary = 0; rotary < 2; rotary++) {
            check(G, true, rotary, 0);
            check(G, false, rotary, 0.25);
        }
}

RUN_LAYER(T(backward_is_the_derivative))
