/* Is every backward kernel the derivative of its forward kernel?  For every instruction
 * set; the preset `double` makes it a proof rather than a hint. */
#include "support/sets.h"

#include "support/gradcheck.h"

enum { N = 3, C = 37, BLOCK = N * C, T = 21, LD = 32, ROWS = 2, V = 35 };

static void check_all_sets(const char *name, const struct gradcheck *g)
{
    FOR_EACH_SET(set)
    for (unsigned seed = 1; seed <= 3; seed++) {
        const double error = gradcheck(g, seed);
        if (!(error < GRADCHECK_TOLERANCE))
            fail_msg("%s %s, seed %u: relative error %.2e", set_names[set], name, seed,
                     error);
    }
}

/* --- activations: the context is a row of the table ------------------------------------
 */

struct activation {
    const char *name;
    void (*forward)(real *y, const real *x, size_t n);
    void (*backward)(real *dx, const real *dy, const real *x, size_t n);
    real steep; /* x is multiplied by it, to get beyond the middle of the curve */
    real apart; /* from 0: relu has no derivative there */
};

static void stretch(real z[BLOCK], const real *x, const struct activation *f)
{
    for (int i = 0; i < BLOCK; i++)
        z[i] = x[i] * f->steep + (i % 2 == 0 ? f->apart : -f->apart);
}

static void activation_forward(real *y, const real *x, void *ctx)
{
    const struct activation *f = ctx;
    real z[BLOCK];
    stretch(z, x, f);
    f->forward(y, z, BLOCK);
}

static void activation_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    const struct activation *f = ctx;
    real z[BLOCK];
    stretch(z, x, f);
    f->backward(dx, dy, z, BLOCK);
    for (int i = 0; i < BLOCK; i++)
        dx[i] *= f->steep;
}

static void activations_in_their_input(void **state)
{
    (void)state;
    static struct activation table[] = {
        {"gelu", rows_gelu, rows_gelu_backward, 3, 0},
        {"gelu_tanh", rows_gelu_tanh, rows_gelu_tanh_backward, 3, 0},
        {"relu", rows_relu, rows_relu_backward, (real)0.9, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct gradcheck g = {BLOCK, BLOCK, activation_forward, activation_backward,
                                    &table[i]};
        check_all_sets(table[i].name, &g);
    }
}

static void swiglu_forward(real *y, const real *x, void *ctx)
{
    (void)ctx;
    rows_swiglu(y, x, x + BLOCK, BLOCK);
}

static void swiglu_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    (void)ctx;
    rows_swiglu_backward(dx, dx + BLOCK, dy, x, x + BLOCK, BLOCK);
}

static void swiglu_in_gate_and_up(void **state)
{
    (void)state;
    const struct gradcheck g = {2 * BLOCK, BLOCK, swiglu_forward, swiglu_backward, NULL};
    check_all_sets("swiglu", &g);
}

/* --- norms: x is the input, then gain, then bias
 * ----------------------------------------- */

struct norm_ctx {
    bool rms, bias;
    real mean[N], rstd[N];
};

static const real EPS = (real)1e-5;

static void norm_forward(real *y, const real *x, void *ctx)
{
    struct norm_ctx *c = ctx;
    const real *gain = x + BLOCK, *bias = gain + C;
    rows_norm(y, c->mean, c->rstd, x, gain, c->bias ? bias : NULL, N, C, EPS, c->rms);
}

static void norm_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct norm_ctx *c = ctx;
    real *dgain = dx + BLOCK, *dbias = dgain + C;
    rows_norm_backward(dx, dgain, c->bias ? dbias : NULL, dy, x, x + BLOCK, c->mean,
                       c->rstd, N, C, c->rms);
}

static void norms_in_input_gain_and_bias(void **state)
{
    (void)state;
    struct norm_ctx cases[] = {{.bias = true}, {.bias = false}, {.rms = true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct gradcheck g = {BLOCK + 2 * C, BLOCK, norm_forward, norm_backward,
                                    &cases[i]};
        check_all_sets(cases[i].rms ? "rms" : "norm", &g);
    }
}

/* --- softmax, loss
 * ------------------------------------------------------------------------ */

static const real SCALE = (real)1.7;

static void softmax_forward(real *y, const real *x, void *ctx)
{
    (void)ctx;
    memcpy(y, x, T * LD * sizeof *y);
    rows_softmax(y, LD, 0, T, T, true, SCALE);
}

static void softmax_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    real a[T * LD];
    softmax_forward(a, x, ctx);
    memcpy(dx, dy, sizeof a);
    rows_softmax_backward(dx, a, LD, 0, T, T, true, SCALE);
}

static void attention_weights_in_the_scores(void **state)
{
    (void)state;
    const struct gradcheck g = {T * LD, T * LD, softmax_forward, softmax_backward, NULL};
    check_all_sets("softmax", &g);
}

static const uint32_t targets[ROWS] = {0, V - 1};

static void loss_forward(real *y, const real *x, void *ctx)
{
    const real *smoothing = ctx;
    real logits[ROWS * V];
    memcpy(logits, x, sizeof logits);
    y[0] = (real)rows_cross_entropy(logits, V, targets, ROWS, V, *smoothing, false);
}

static void loss_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    const real *smoothing = ctx;
    memcpy(dx, x, ROWS * V * sizeof *dx);
    rows_cross_entropy(dx, V, targets, ROWS, V, *smoothing, true);
    rows_scale(dx, dy[0], ROWS * V);
}

static void the_loss_in_the_logits(void **state)
{
    (void)state;
    real smoothing[] = {0, (real)0.1, (real)0.9};
    for (size_t i = 0; i < sizeof smoothing / sizeof *smoothing; i++) {
        const struct gradcheck g = {ROWS * V, 1, loss_forward, loss_backward, smoothing + i};
        check_all_sets("cross-entropy", &g);
    }
}

/* --- linear ones
 * -------------------------------------------------------------------------- */

enum { D = 34 };

static void rotate(real *y, const real *x, bool inverse)
{
    real cs[D];
    for (int i = 0; i < D / 2; i++) {
        cs[i] = (real)cos(i + 1);
        cs[i + D / 2] = (real)sin(i + 1);
    }
    memcpy(y, x, D * sizeof *y);
    rows_rotate(y, cs, D, inverse);
}

static void rotate_forward(real *y, const real *x, void *ctx)
{
    (void)ctx;
    rotate(y, x, false);
}

static void rotate_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    (void)ctx;
    (void)x;
    rotate(dx, dy, true);
}

static void rotation_backward_is_the_inverse(void **state)
{
    (void)state;
    const struct gradcheck g = {D, D, rotate_forward, rotate_backward, NULL};
    check_all_sets("rotate", &g);
}

static void dropout_forward(real *y, const real *x, void *ctx)
{
    rows_dropout(y, x, BLOCK, (real)0.3, *(const struct rows_dropout_site *)ctx);
}

static void dropout_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    (void)x;
    dropout_forward(dx, dy, ctx);
}

static void dropout_backward_is_the_same_call(void **state)
{
    (void)state;
    struct rows_dropout_site site = {.key = {{1, 2}}, .step = 3};
    const struct gradcheck g = {BLOCK, BLOCK, dropout_forward, dropout_backward, &site};
    check_all_sets("dropout", &g);
}

static void bias_forward(real *y, const real *x, void *ctx)
{
    (void)ctx;
    memset(y, 0, BLOCK * sizeof *y);
    rows_add_bias(y, x, N, C);
}

static void bias_backward(real *dx, const real *dy, const real *x, void *ctx)
{
    (void)ctx;
    (void)x;
    rows_sum(dx, dy, N, C);
}

static void the_sum_of_rows_is_the_derivative_of_adding_a_bias(void **state)
{
    (void)state;
    const struct gradcheck g = {C, BLOCK, bias_forward, bias_backward, NULL};
    check_all_sets("bias", &g);
}

RUN(T(activations_in_their_input), T(swiglu_in_gate_and_up),
    T(norms_in_input_gain_and_bias), T(attention_weights_in_the_scores),
    T(the_loss_in_the_logits), T(rotation_backward_is_the_inverse),
    T(dropout_backward_is_the_same_call),
    T(the_sum_of_rows_is_the_derivative_of_adding_a_bias))
