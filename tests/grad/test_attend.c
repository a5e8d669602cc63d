#include "grad/layer.h"

#include "nn/attend.h"

/* more than two bands, the last one cut; and rows further apart than D */
enum { T_MAX = 2 * ATTEND_BAND + 5, D = 6, LDQ = D + 1, LDK = 2 * D };

struct ctx {
    size_t T, S;
    bool causal;
    real drop;
    real *weights, *dweights;
};

/* @x: rows of a query each, and then of a key and a value each. */
static struct attend head(const real *x, const struct ctx *c)
{
    return (struct attend){.T = c->T,
                           .S = c->S,
                           .D = D,
                           .causal = c->causal,
                           .q = x,
                           .k = x + c->T * LDQ,
                           .v = x + c->T * LDQ + D,
                           .ldq = LDQ,
                           .ldk = LDK,
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
    real *dk = dx + c->T * LDQ;
    const struct attend_gradient g = {.dq = dx, .dk = dk, .dv = dk + D};
    attend_backward(&g, dy, D, &h, c->weights, c->dweights);
}

static size_t numbers(const struct ctx *c)
{
    return c->T * LDQ + c->S * LDK;
}

static void weights_new(struct ctx *c)
{
    const size_t n = attend_weights(c->T, c->S);
    c->weights = malloc(2 * n * sizeof(real));
    c->dweights = c->weights + n;
    for (size_t i = 0; i < 2 * n; i++)
        c->weights[i] = NAN; /* nothing may be read that was not written */
}

/* Backward writes what belongs to a head; what lies between its rows stays 0. */
static void backward_of_all(real *dx, const real *dy, const real *x, void *ctx)
{
    memset(dx, 0, numbers(ctx) * sizeof *dx);
    backward(dx, dy, x, ctx);
}

static void check(size_t T, size_t S, bool causal, double drop)
{
    struct ctx c = {.T = T, .S = S, .causal = causal, .drop = (real)drop};
    weights_new(&c);
    assert_derivative(numbers(&c), T * D, forward, backward_of_all, &c);
    free(c.weights);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 13, ATTEND_BAND, ATTEND_BAND + 1, T_MAX};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    for (size_t i = 0; i < LENGTHS; i++)
        for (int drop = 0; drop < 2; drop++) {
            check(lengths[i], lengths[i], true, 0.3 * drop);
            check(lengths[i], lengths[LENGTHS - 1 - i], false, 0.3 * drop);
        }
}

/* The definition, one number after the other. */
static void slowly(real *y, const struct attend *h)
{
    for (size_t t = 0; t < h->T; t++) {
        double a[T_MAX], sum = 0;
        const size_t keys = h->causal ? t + 1 : h->S;
        for (size_t j = 0; j < keys; j++) {
            double score = 0;
            for (size_t d = 0; d < D; d++)
                score += (double)h->q[t * LDQ + d] * (double)h->k[j * LDK + d];
            sum += a[j] = exp(score / sqrt(D));
        }
        for (size_t d = 0; d < D; d++) {
            double mixed = 0;
            for (size_t j = 0; j < keys; j++)
                mixed += a[j] / sum * (double)h->v[j * LDK + d];
            y[t * D + d] = (real)mixed;
        }
    }
}

static void forward_is_what_the_definition_says(void **state)
{
    (void)state;
    static real x[T_MAX * (LDQ + LDK)], y[T_MAX * D], expected[T_MAX * D];
    static const struct ctx cases[] = {{.T = T_MAX, .S = T_MAX, .causal = true},
                                       {.T = T_MAX, .S = T_MAX},
                                       {.T = T_MAX, .S = 3},
                                       {.T = 3, .S = T_MAX}};
    for (size_t i = 0; i < T_MAX * (LDQ + LDK); i++)
        x[i] = (real)sin((double)(i * i));
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct ctx c = cases[n];
        weights_new(&c);
        const struct attend h = head(x, &c);
        forward(y, x, &c);
        slowly(expected, &h);
        for (size_t i = 0; i < c.T * D; i++)
            assert_true(fabs((double)(y[i] - expected[i])) < 20 * (double)REAL_EPS);
        free(c.weights);
    }
}

RUN_LAYER(T(forward_is_what_the_definition_says), T(backward_is_the_derivative))
