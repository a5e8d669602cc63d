#include "grad/layer.h"

#include "nn/attend.h"

/* more than two bands, the last one cut; rows further apart than D; heads for the
 * products of gemm.h, and of rows.h */
enum { T_MAX = 2 * ATTEND_BAND + 5, D_MAX = ROWS_UNIT, ODD = 6 };
static const size_t widths[] = {ODD, D_MAX};

/* for products of gemm.h whatever the head, the last band cut */
enum { LONGER = ATTEND_SHORT + 13 };
#ifdef REAL_DOUBLE
enum { LAST_PRECISION = GEMM_REAL };
#else
enum { LAST_PRECISION = GEMM_BFLOAT16 };
#endif

struct ctx {
    const struct gemm *gemm; /* NULL: the usual one */
    size_t T, S, D;
    bool causal;
    real drop;
    real *weights, *dweights;
};

static size_t ldq(const struct ctx *c)
{
    return c->D + 1;
}

static size_t ldk(const struct ctx *c)
{
    return 2 * c->D;
}

/* @x: rows of a query each, and then of a key and a value each. */
static struct attend head(const real *x, const struct ctx *c)
{
    return (struct attend){.gemm = c->gemm ? c->gemm : &layer_gemm,
                           .T = c->T,
                           .S = c->S,
                           .D = c->D,
                           .causal = c->causal,
                           .q = x,
                           .k = x + c->T * ldq(c),
                           .v = x + c->T * ldq(c) + c->D,
                           .ldq = ldq(c),
                           .ldk = ldk(c),
                           .drop = c->drop,
                           .site = {.key = {{1, 2}}, .site = 3, .sample = 4, .step = 5}};
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    const struct attend h = head(x, c);
    attend_forward(y, c->D, &h, c->weights);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    const struct attend h = head(x, c);
    real *dk = dx + c->T * ldq(c);
    const struct attend_gradient g = {.dq = dx, .dk = dk, .dv = dk + c->D};
    attend_backward(&g, dy, c->D, &h, c->weights, c->dweights);
}

static size_t numbers(const struct ctx *c)
{
    return c->T * ldq(c) + c->S * ldk(c);
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
    for (int i = 0; i < 2; i++) {
        struct ctx c = {
            .T = T, .S = S, .D = widths[i], .causal = causal, .drop = (real)drop};
        weights_new(&c);
        assert_derivative(numbers(&c), T * c.D, forward, backward_of_all, &c);
        free(c.weights);
    }
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
            for (size_t d = 0; d < h->D; d++)
                score += (double)h->q[t * h->ldq + d] * (double)h->k[j * h->ldk + d];
            sum += a[j] = exp(score / sqrt((double)h->D));
        }
        for (size_t d = 0; d < h->D; d++) {
            double mixed = 0;
            for (size_t j = 0; j < keys; j++)
                mixed += a[j] / sum * (double)h->v[j * h->ldk + d];
            y[t * h->D + d] = (real)mixed;
        }
    }
}

static void check_forward(struct ctx c)
{
    static real x[T_MAX * 3 * (D_MAX + 1)], y[T_MAX * D_MAX], expected[T_MAX * D_MAX];
    for (size_t i = 0; i < numbers(&c); i++)
        x[i] = (real)sin((double)(i * i));
    weights_new(&c);
    const struct attend h = head(x, &c);
    forward(y, x, &c);
    slowly(expected, &h);
    for (size_t i = 0; i < c.T * c.D; i++)
        assert_true(fabs((double)(y[i] - expected[i])) < 20 * (double)REAL_EPS);
    free(c.weights);
}

static void forward_is_what_the_definition_says(void **state)
{
    (void)state;
    static const struct ctx cases[] = {{.T = T_MAX, .S = T_MAX, .causal = true},
                                       {.T = T_MAX, .S = T_MAX},
                                       {.T = T_MAX, .S = 3},
                                       {.T = 3, .S = T_MAX}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        for (int i = 0; i < 2; i++) {
            struct ctx c = cases[n];
            c.D = widths[i];
            check_forward(c);
        }
}

/* Products of rows.h and of gemm.h meet at ATTEND_SHORT. */
static void a_row_more_than_short_changes_next_to_nothing(void **state)
{
    (void)state;
    enum { LONG = ATTEND_SHORT + 1, D = D_MAX };
    static real x[LONG * 3 * (D + 1)], y[2][LONG * D];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (real)sin((double)(i * i));
    struct ctx c = {.T = LONG, .S = LONG, .D = D, .causal = true};
    weights_new(&c);
    struct attend h = head(x, &c);
    attend_forward(y[0], D, &h, c.weights);
    h.T = h.S = ATTEND_SHORT;
    attend_forward(y[1], D, &h, c.weights);
    for (size_t i = 0; i < ATTEND_SHORT * D; i++)
        assert_true(fabs((double)(y[0][i] - y[1][i])) < 20 * (double)REAL_EPS);
    free(c.weights);
}

/* All weights at once: y, dx  <-  x, dy, as attend does in bands.  What the mask clears
 * is multiplied as zeros, which leaves a sum as it was. */
static void whole(real *y, real *dx, const real *dy, const real *x, const struct ctx *c)
{
    const struct attend h = head(x, c);
    const struct gemm *g = c->gemm;
    const size_t T = h.T, S = h.S, D = h.D,
                 ld = (S + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT;
    const real scale = 1 / real_sqrt((real)D);
    real *a = calloc(3 * T * ld, sizeof *a), *used = a + T * ld, *da = used + T * ld;
    real *dq = dx, *dk = dx + T * h.ldq, *dv = dk + D;
    gemm_nt(g, a, ld, h.q, h.ldq, h.k, h.ldk, T, S, D, false);
    rows_softmax(a, ld, 0, T, S, h.causal, scale);
    rows_dropout(used, a, T * ld, h.drop, h.site);
    gemm_nn(g, y, D, used, ld, h.v, h.ldk, T, D, S, false);
    gemm_tn(g, dv, h.ldk, used, ld, dy, D, S, D, T, false);
    gemm_nt(g, da, ld, dy, D, h.v, h.ldk, T, S, D, false);
    rows_dropout(da, da, T * ld, h.drop, h.site);
    rows_softmax_backward(da, a, ld, 0, T, S, h.causal, scale);
    gemm_nn(g, dq, h.ldq, da, ld, h.k, h.ldk, T, D, S, false);
    gemm_tn(g, dk, h.ldk, da, ld, h.q, h.ldq, S, D, T, false);
    free(a);
}

static void check_bits(struct ctx c)
{
    enum { Y = LONGER * D_MAX, X = LONGER * 3 * (D_MAX + 1) };
    static real x[X], dy[Y], y[2][Y], dx[2][X];
    for (size_t i = 0; i < X; i++)
        x[i] = (real)sin((double)(i * i));
    for (size_t i = 0; i < Y; i++)
        dy[i] = (real)cos((double)(i * i));
    memset(dx, 0, sizeof dx);
    weights_new(&c);
    forward(y[0], x, &c);
    backward(dx[0], dy, x, &c);
    free(c.weights);
    whole(y[1], dx[1], dy, x, &c);
    assert_memory_equal(y[0], y[1], c.T * c.D * sizeof **y);
    assert_memory_equal(dx[0], dx[1], numbers(&c) * sizeof **dx);
}

static void bands_have_the_bits_of_products_over_whole_matrices(void **state)
{
    (void)state;
    static const struct ctx cases[] = {
        {.T = LONGER, .S = LONGER, .D = D_MAX, .causal = true},
        {.T = LONGER, .S = LONGER, .D = D_MAX},
        {.T = LONGER, .S = 40, .D = D_MAX},
        {.T = 40, .S = LONGER, .D = D_MAX},
        {.T = T_MAX, .S = T_MAX, .D = ODD, .causal = true},
        {.T = T_MAX, .S = ATTEND_BAND, .D = ODD}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        for (int drop = 0; drop < 2; drop++)
            for (int p = GEMM_REAL; p <= LAST_PRECISION; p++) {
                struct gemm gemm = gemm_new((enum gemm_precision)p);
                struct ctx c = cases[n];
                c.gemm = &gemm;
                c.drop = (real)0.3 * (real)drop;
                check_bits(c);
                gemm_free(&gemm);
            }
}

/* A head of a context of 64k would otherwise need 17 GB. */
static void room_for_weights_grows_with_keys_alone(void **state)
{
    (void)state;
    assert_int_equal(attend_weights(3, 5), 3 * ROWS_UNIT);
    assert_int_equal(attend_weights(ATTEND_SHORT, ATTEND_SHORT),
                     ATTEND_SHORT * ATTEND_SHORT);
    assert_int_equal(attend_weights(300, 300), ATTEND_SHORT * ATTEND_SHORT);
    assert_int_equal(attend_weights(4096, 4096), ATTEND_BAND * 4096);
    assert_int_equal(attend_weights(65536, 65536), ATTEND_BAND * 65536);
}

RUN_LAYER(T(forward_is_what_the_definition_says),
          T(a_row_more_than_short_changes_next_to_nothing),
          T(bands_have_the_bits_of_products_over_whole_matrices),
          T(room_for_weights_grows_with_keys_alone), T(backward_is_the_derivative))
