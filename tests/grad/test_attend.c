#include "grad/layer.h"

#include "nn/attend.h"

/* more than two bands, the last one cut; and rows further apart than D */
enum { T_MAX = 2 * ATTEND_BAND + 5, D = 6, LD = 3 * D };

struct ctx {
    size_t T;
    real drop;
    real *weights, *dweights;
};

static struct attend head(const real *qkv, const struct ctx *c)
{
    return (struct attend){.T = c->T,
                           .D = D,
                           .q = qkv,
                           .k = qkv + D,
                           .v = qkv + 2 * D,
                           .ld = LD,
                           .drop = c->drop,
                           .site = {.key = {{1, 2}}, .site = 3, .sample = 4, .step = 5}};
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    const struct attend h = head(x, c);
    attend_forward(y, D, &h, c->weights);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    const struct attend h = head(x, c);
    const struct attend_gradient g = {.dq = dx, .dk = dx + D, .dv = dx + 2 * D};
    attend_backward(&g, dy, D, &h, c->weights, c->dweights);
}

static void check(size_t length, double drop)
{
    struct ctx c = {.T = length, .drop = (real)drop};
    c.weights = malloc(2 * attend_weights(length) * sizeof(real));
    c.dweights = c.weights + attend_weights(length);
    for (size_t i = 0; i < 2 * attend_weights(length); i++)
        c.weights[i] = NAN; /* nothing may be read that was not written */
    assert_derivative(length * LD, length * D, forward, backward, &c);
    free(c.weights);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 13, ATTEND_BAND, ATTEND_BAND + 1, T_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check(lengths[i], 0);
        check(lengths[i], 0.3);
    }
}

/* The definition, one number after the other. */
static void slowly(real *y, const struct attend *h)
{
    for (size_t t = 0; t < h->T; t++) {
        double a[T_MAX], sum = 0;
        for (size_t j = 0; j <= t; j++) {
            double score = 0;
            for (size_t d = 0; d < D; d++)
                score += (double)h->q[t * LD + d] * (double)h->k[j * LD + d];
            sum += a[j] = exp(score / sqrt(D));
        }
        for (size_t d = 0; d < D; d++) {
            double mixed = 0;
            for (size_t j = 0; j <= t; j++)
                mixed += a[j] / sum * (double)h->v[j * LD + d];
            y[t * D + d] = (real)mixed;
        }
    }
}

static void forward_is_what_the_definition_says(void **state)
{
    (void)state;
    static real qkv[T_MAX * LD], y[T_MAX * D], expected[T_MAX * D];
    struct ctx c = {.T = T_MAX};
    c.weights = malloc(attend_weights(T_MAX) * sizeof(real));
    for (size_t i = 0; i < T_MAX * LD; i++)
        qkv[i] = (real)sin((double)(i * i));
    const struct attend h = head(qkv, &c);
    forward(y, qkv, &c);
    slowly(expected, &h);
    for (size_t i = 0; i < T_MAX * D; i++)
        assert_true(fabs((double)(y[i] - expected[i])) < 20 * (double)REAL_EPS);
    free(c.weights);
}

RUN_LAYER(T(forward_is_what_the_definition_says), T(backward_is_the_derivative))
