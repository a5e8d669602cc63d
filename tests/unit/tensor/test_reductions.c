/* Norms, attention weights and the loss: kernels that reduce a row. */
#include "support/sets.h"

#include "support/rows_reference.h"

enum { LONGEST = 67, ROWS = 3, DISTANCE = 80 };

static const double EPS = 1e-5;

static void expect(double units, double most, int set, const char *what, size_t n)
{
    if (!(units <= most))
        fail_msg("%s %s: size and seed %zu: error %.2f of %.1f units", set_names[set],
                 what, n, units, most);
}

/* --- norms -------------------------------------------------------------------------- */

struct norm_case {
    real *x, *gain, *bias, *dy;
    size_t N, C;
};

static struct norm_case norm_case(size_t N, size_t C)
{
    const uint32_t seed = (uint32_t)C;
    struct norm_case c = {random_reals(N * C, 2, seed),
                          random_reals(C, 1, seed + 1),
                          random_reals(C, 1, seed + 2),
                          random_reals(N * C, 1, seed + 3),
                          N,
                          C};
    for (size_t i = 0; i < N * C; i++)
        c.x[i] += 1; /* a mean worth subtracting */
    return c;
}

static void norm_case_free(struct norm_case c)
{
    free(c.x);
    free(c.gain);
    free(c.bias);
    free(c.dy);
}

static void check_norm(int set, struct norm_case c, const real *bias, bool rms)
{
    const size_t n = c.N * c.C;
    real *y = malloc(n * sizeof *y), *mean = malloc(c.N * sizeof *y),
         *rstd = malloc(c.N * sizeof *y);
    double *want = malloc(n * sizeof *want);
    rows_norm(y, rms ? NULL : mean, rstd, c.x, c.gain, bias, c.N, c.C, (real)EPS, rms);
    reference_norm(want, c.x, c.gain, bias, c.N, c.C, EPS, rms);
    expect(worst_error(y, want, n, 1), 8, set, rms ? "rms" : "norm", c.C);
    free(y);
    free(mean);
    free(rstd);
    free(want);
}

static void norms_follow_their_definitions_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t C = 2; C <= LONGEST; C++) { /* one channel has no variance */
        const struct norm_case c = norm_case(ROWS, C);
        check_norm(set, c, c.bias, false);
        check_norm(set, c, NULL, false);
        check_norm(set, c, NULL, true);
        norm_case_free(c);
    }
}

static void check_norm_backward(int set, struct norm_case c, bool rms)
{
    const size_t n = c.N * c.C, C = c.C;
    real *y = malloc(n * sizeof *y), *dx = malloc(n * sizeof *y), *dgain, *dbias;
    real mean[ROWS], rstd[ROWS];
    double *want = malloc(n * sizeof *want), want_gain[LONGEST], want_bias[LONGEST];
    rows_norm(y, mean, rstd, c.x, c.gain, c.bias, c.N, C, (real)EPS, rms);
    reference_norm_backward(want, want_gain, want_bias, c.dy, c.x, c.gain, c.N, C, EPS,
                            rms);
    dgain = random_reals(C, 1, 20); /* results are added to these */
    dbias = random_reals(C, 1, 21);
    for (size_t i = 0; i < C; i++) {
        want_gain[i] += (double)dgain[i];
        want_bias[i] += (double)dbias[i];
    }
    rows_norm_backward(dx, dgain, rms ? NULL : dbias, c.dy, c.x, c.gain, mean, rstd, c.N,
                       C, rms);
    /* Two channels have next to no derivative: terms of size rstd cancel. */
    const double size = 1 + (double)fmax((double)rstd[0], fmax(rstd[1], rstd[2]));
    expect(worst_error(dx, want, n, size), 10, set, "dx", C);
    expect(worst_error(dgain, want_gain, C, ROWS), 8, set, "dgain", C);
    if (!rms)
        expect(worst_error(dbias, want_bias, C, ROWS), 1, set, "dbias", C);
    free(y);
    free(dx);
    free(dgain);
    free(dbias);
    free(want);
}

static void their_derivatives_follow_the_jacobian_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t C = 2; C <= LONGEST; C++) {
        const struct norm_case c = norm_case(ROWS, C);
        check_norm_backward(set, c, false);
        check_norm_backward(set, c, true);
        norm_case_free(c);
    }
}

static void the_derivative_may_overwrite_what_it_came_from(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t C = 2; C <= LONGEST; C++) {
        const struct norm_case c = norm_case(ROWS, C);
        real y[ROWS * LONGEST], dx[ROWS * LONGEST], mean[ROWS], rstd[ROWS];
        real sums[4][LONGEST] = {{0}};
        rows_norm(y, mean, rstd, c.x, c.gain, c.bias, ROWS, C, (real)EPS, false);
        rows_norm_backward(dx, sums[0], sums[1], c.dy, c.x, c.gain, mean, rstd, ROWS, C,
                           false);
        rows_norm_backward(c.dy, sums[2], sums[3], c.dy, c.x, c.gain, mean, rstd, ROWS, C,
                           false);
        assert_memory_equal(c.dy, dx, ROWS * C * sizeof *dx);
        assert_memory_equal(sums[0], sums[2], 2 * sizeof sums[0]);
        norm_case_free(c);
    }
}

/* --- attention weights ----------------------------------------------------------------
 */

/* The smallest distance of rows of n weights. */
static size_t distance(size_t n)
{
    return (n + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT;
}

/* Scores [T,S] of rows from @first on, ld apart, with traps after what a row looks at. */
static real *scores_of(size_t ld, size_t first, size_t T, size_t S, bool causal,
                       double spread, uint32_t seed)
{
    real *a = random_reals(ld * T, spread, seed);
    for (size_t t = 0; t < T; t++)
        for (size_t j = causal ? first + t + 1 : S; j < ld; j++)
            a[t * ld + j] = (real)NAN;
    return a;
}

static real *scores(size_t ld, size_t T, double spread, uint32_t seed)
{
    return scores_of(ld, 0, T, T, true, spread, seed);
}

static void assert_zeros_then_traps(const real *a, size_t ld, size_t T, size_t S)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t j = S; j < distance(S); j++)
            assert_true(a[t * ld + j] == 0);
        for (size_t j = distance(S); j < ld; j++)
            assert_true(isnan(a[t * ld + j]));
    }
}

static void check_softmax(int set, size_t first, size_t T, size_t S, bool causal,
                          size_t ld)
{
    const double factor = 0.125;
    real *a = scores_of(ld, first, T, S, causal, 40, (uint32_t)T),
         *da = scores_of(ld, first, T, S, causal, 1, (uint32_t)T + 1);
    double *want = malloc(ld * T * sizeof *want);
    reference_softmax(want, a, ld, first, T, S, causal, factor);
    rows_softmax(a, ld, first, T, S, causal, (real)factor);
    assert_zeros_then_traps(a, ld, T, S);
    for (size_t t = 0; t < T; t++)
        expect(worst_error(a + t * ld, want + t * ld, S, 0), 8, set, "softmax", T);

    reference_softmax_backward(want, da, a, ld, first, T, S, causal, factor);
    rows_softmax_backward(da, a, ld, first, T, S, causal, (real)factor);
    assert_zeros_then_traps(da, ld, T, S);
    for (size_t t = 0; t < T; t++)
        expect(worst_error(da + t * ld, want + t * ld, S, 0.01), 10, set, "dsoftmax", T);
    free(a);
    free(da);
    free(want);
}

static void attention_weights_follow_their_definition_and_never_read_the_future(void **s)
{
    (void)s;
    FOR_EACH_SET(set)
    for (size_t T = 1; T <= LONGEST; T++) {
        check_softmax(set, 0, T, T, true, distance(T));
        check_softmax(set, T / 2, T - T / 2, T, true, distance(T));
        check_softmax(set, 0, T, T, true, distance(T) + ROWS_UNIT);
        check_softmax(set, 0, 3, T, false, distance(T));
        check_softmax(set, 0, T, 3, false, distance(T) + ROWS_UNIT);
    }
}

static void a_row_of_attention_has_the_same_bits_whatever_the_length(void **state)
{
    (void)state;
    enum { T = 67 };
    const size_t ld = distance(T);
    FOR_EACH_SET(set)
    {
        real *whole = scores(ld, T, 20, 3);
        rows_softmax(whole, ld, 0, T, T, true, 1);
        for (size_t part = 1; part < T; part++) {
            real *a = scores(ld, T, 20, 3);
            rows_softmax(a, ld, 0, part, part, true, 1);
            for (size_t t = 0; t < part; t++)
                assert_memory_equal(a + t * ld, whole + t * ld, (t + 1) * sizeof *a);
            free(a);
        }
        free(whole);
    }
}

static void bands_of_rows_have_the_bits_of_the_whole(void **state)
{
    (void)state;
    enum { T = 67, BAND = 20 };
    const size_t ld = distance(T);
    FOR_EACH_SET(set)
    {
        real *a[2], *da[2];
        for (int i = 0; i < 2; i++) {
            a[i] = scores(ld, T, 20, 3);
            da[i] = scores(ld, T, 1, 4);
        }
        rows_softmax(a[0], ld, 0, T, T, true, 1);
        rows_softmax_backward(da[0], a[0], ld, 0, T, T, true, 1);
        for (size_t first = 0; first < T; first += BAND) {
            const size_t rows = first + BAND < T ? BAND : T - first;
            real *band = a[1] + first * ld, *dband = da[1] + first * ld;
            rows_softmax(band, ld, first, rows, T, true, 1);
            rows_softmax_backward(dband, band, ld, first, rows, T, true, 1);
        }
        assert_memory_equal(a[0], a[1], T * ld * sizeof **a);
        assert_memory_equal(da[0], da[1], T * ld * sizeof **da);
        for (int i = 0; i < 2; i++) {
            free(a[i]);
            free(da[i]);
        }
    }
}

static void weights_of_large_scores_are_safe_and_add_up_to_one(void **state)
{
    (void)state;
    enum { T = 40 };
    const size_t ld = distance(T);
    FOR_EACH_SET(set)
    {
        real *a = scores(ld, T, 1e4, 9);
        rows_softmax(a, ld, 0, T, T, true, 1);
        for (size_t t = 0; t < T; t++) {
            double sum = 0;
            for (size_t j = 0; j < T; j++) {
                assert_true(a[t * ld + j] >= 0 && a[t * ld + j] <= 1);
                sum += (double)a[t * ld + j];
            }
            assert_true(fabs(sum - 1) < 4 * (double)REAL_EPS);
        }
        free(a);
    }
}

/* --- loss -----------------------------------------------------------------------------
 */

/* The difference to the largest logit is rounded: half a unit times twice the spread. */
static void check_loss(int set, size_t V, size_t ld, double spread, double smoothing)
{
    real *logits = random_reals(ROWS * ld, spread, (uint32_t)V), *again;
    const uint32_t targets[ROWS] = {0, (uint32_t)V / 2, (uint32_t)V - 1};
    double *want = malloc(ROWS * ld * sizeof *want);
    const double loss = reference_cross_entropy(want, logits, ld, targets, ROWS, V,
                                                (double)(real)smoothing);
    again = malloc(ROWS * ld * sizeof *again);
    memcpy(again, logits, ROWS * ld * sizeof *again);

    const double got = rows_cross_entropy(logits, ld, targets, ROWS, V,
                                          (real)smoothing, true);
    expect(fabs(got - loss) / (loss + 1) / (double)REAL_EPS, 4, set, "loss", V);
    for (size_t i = 0; i < ROWS; i++) {
        const double at_target = fabs(want[i * ld + targets[i]]);
        want[i * ld + targets[i]] = (double)logits[i * ld + targets[i]];
        /* with smoothing a difference of two: as good as the larger one */
        expect(worst_error(logits + i * ld, want + i * ld, V, smoothing / (double)V),
               6 + spread, set, "dlogits", V);
        expect(fabs(fabs((double)logits[i * ld + targets[i]]) - at_target) /
                   (double)REAL_EPS,
               4, set, "dlogits at the target", V);
    }
    assert_true(rows_cross_entropy(again, ld, targets, ROWS, V, (real)smoothing, false) ==
                got);
    free(logits);
    free(again);
    free(want);
}

static void the_loss_follows_its_definition_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t V = 1; V <= LONGEST; V++) {
        check_loss(set, V, V, 4, 0);
        check_loss(set, V, V + 3, 30, 0);
        check_loss(set, V, V + 3, 4, 0.1);
    }
}

static void a_large_vocabulary_loses_no_precision(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        check_loss(set, 4096, 4096, 4, 0);
        check_loss(set, 50257, 50257, 4, 0);
        check_loss(set, 50257, 50257, 4, 0.1);
    }
}

static void what_turns_logits_into_logarithms_of_probabilities(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 15, 16, 17, LONGEST, 511, 512, 513, 50257};
    FOR_EACH_SET(set)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t V = sizes[i];
        real *x = random_reals(V, 30, (uint32_t)i);
        long double sum = 0; /* more precise than what is tested, also in double */
        for (size_t v = 0; v < V; v++)
            sum += expl((long double)x[v] - 30);
        const double want = (double)(logl(sum) + 30);
        const double off = fabs(rows_log_sum_exp(x, V) - want) / (1 + fabs(want));
        expect(off / (double)REAL_EPS, 4, set, "log_sum_exp", V);
        x[V / 2] = (real)NAN;
        assert_true(isnan(rows_log_sum_exp(x, V)));
        free(x);
    }
}

/* Terms that are all alike are rounded the same way each time they are added. */
static void rounding_does_not_pile_up_over_a_large_vocabulary(void **state)
{
    (void)state;
    enum { V = 50257 };
    real *logits = malloc(V * sizeof *logits);
    const uint32_t target = 0;
    FOR_EACH_SET(set)
    for (int tenths = 1; tenths < 20; tenths++) {
        for (size_t v = 0; v < V; v++)
            logits[v] = 0;
        logits[0] = (real)tenths / 10;
        const double top = (double)logits[0], want = log(exp(top) + V - 1) - top;
        const double got = rows_cross_entropy(logits, V, &target, 1, V, 0, false);
        if (!(fabs(got - want) < 2e-6))
            fail_msg("%s: %.9g instead of %.9g", set_names[set], got, want);
    }
    free(logits);
}

static void equal_logits_of_any_size_lose_the_logarithm_of_the_vocabulary(void **state)
{
    (void)state;
    enum { V = 65 };
    static const double levels[] = {0, -1e4, 1e4, 1e30};
    const uint32_t target = 64;
    FOR_EACH_SET(set)
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        real logits[V];
        for (int v = 0; v < V; v++)
            logits[v] = (real)levels[i];
        const double loss = rows_cross_entropy(logits, V, &target, 1, V, 0, true);
        assert_true(fabs(loss - log(V)) < 1e-6);
        assert_true(fabs((double)logits[0] - 1.0 / V) < 1e-8);
        assert_true(fabs((double)logits[64] - (1.0 / V - 1)) < 1e-6);
    }
}

static void what_is_no_number_makes_its_whole_row_none(void **state)
{
    (void)state;
    enum { T = 20 };
    const size_t ld = distance(T);
    FOR_EACH_SET(set)
    for (size_t bad = 0; bad < T; bad++) {
        real *a = scores(ld, T, 1, 4), *x = random_reals(T, 1, 5), y[T], mean, rstd;
        const uint32_t target = 0;
        a[(T - 1) * ld + bad] = x[bad] = (real)NAN;
        rows_softmax(a, ld, 0, T, T, true, 1);
        rows_norm(y, &mean, &rstd, x, x, NULL, 1, T, (real)EPS, false);
        for (size_t j = 0; j < T; j++)
            assert_true(isnan(a[(T - 1) * ld + j]) && isnan(y[j]));
        assert_false(isnan(a[(T - 2) * ld]));
        assert_true(isnan(rows_cross_entropy(x, T, &target, 1, T, 0, false)));
        free(a);
        free(x);
    }
}

/* --- bits -----------------------------------------------------------------------------
 */

struct bits {
    real y[ROWS * LONGEST], dx[ROWS * LONGEST], dgain[LONGEST], dbias[LONGEST];
    real weights[LONGEST * DISTANCE], dweights[LONGEST * DISTANCE], logits[ROWS * LONGEST];
    double loss;
};

static void compute_bits(struct bits *b)
{
    const struct norm_case c = norm_case(ROWS, LONGEST);
    const uint32_t targets[ROWS] = {5, 6, 7};
    real mean[ROWS], rstd[ROWS];
    memset(b, 0, sizeof *b);
    rows_norm(b->y, mean, rstd, c.x, c.gain, c.bias, ROWS, LONGEST, (real)EPS, false);
    rows_norm_backward(b->dx, b->dgain, b->dbias, c.dy, c.x, c.gain, mean, rstd, ROWS,
                       LONGEST, false);
    for (size_t i = 0; i < LONGEST * DISTANCE; i++) {
        b->weights[i] = (real)(9 * uniform(1, i));
        b->dweights[i] = (real)uniform(2, i);
    }
    rows_softmax(b->weights, DISTANCE, 0, LONGEST, LONGEST, true, 1);
    rows_softmax_backward(b->dweights, b->weights, DISTANCE, 0, LONGEST, LONGEST, true,
                          1);
    memcpy(b->logits, c.x, sizeof b->logits);
    b->loss = rows_cross_entropy(b->logits, LONGEST, targets, ROWS, LONGEST, (real)0.1, true);
    norm_case_free(c);
}

static void sets_with_fused_multiply_add_give_the_same_bits(void **state)
{
    (void)state;
    static struct bits bits[SETS];
    if (!set_present(2))
        skip();
    for (int set = 1; set < SETS; set++) {
        set_start(set);
        compute_bits(&bits[set]);
    }
    assert_memory_equal(&bits[1], &bits[2], sizeof bits[1]);
}

RUN(T(norms_follow_their_definitions_at_all_sizes),
    T(their_derivatives_follow_the_jacobian_at_all_sizes),
    T(the_derivative_may_overwrite_what_it_came_from),
    T(attention_weights_follow_their_definition_and_never_read_the_future),
    T(a_row_of_attention_has_the_same_bits_whatever_the_length),
    T(bands_of_rows_have_the_bits_of_the_whole),
    T(weights_of_large_scores_are_safe_and_add_up_to_one),
    T(the_loss_follows_its_definition_at_all_sizes),
    T(a_large_vocabulary_loses_no_precision),
    T(what_turns_logits_into_logarithms_of_probabilities),
    T(rounding_does_not_pile_up_over_a_large_vocabulary),
    T(equal_logits_of_any_size_lose_the_logarithm_of_the_vocabulary),
    T(what_is_no_number_makes_its_whole_row_none),
    T(sets_with_fused_multiply_add_give_the_same_bits))
