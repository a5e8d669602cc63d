#include "support/sets.h"

#include "base/err.h"
#include "support/rows_reference.h"

/* --- one shape for all element-wise kernels ----------------------------------------- */

static const real FACTOR = (real)0.7;

static void run_add(real *y, const real *a, const real *b, size_t n)
{
    memcpy(y, a, n * sizeof *y);
    rows_add(y, b, n);
}

static void run_add_scaled(real *y, const real *a, const real *b, size_t n)
{
    memcpy(y, b, n * sizeof *y);
    rows_add_scaled(y, a, FACTOR, n);
}

static void run_scale(real *y, const real *a, const real *b, size_t n)
{
    (void)b;
    memcpy(y, a, n * sizeof *y);
    rows_scale(y, FACTOR, n);
}

static void run_swiglu_gate(real *dgate, const real *a, const real *b, size_t n)
{
    real *dup = malloc(n * sizeof *dup);
    rows_swiglu_backward(dgate, dup, b, a, b, n); /* dy = up = b */
    free(dup);
}

static void run_swiglu_up(real *dup, const real *a, const real *b, size_t n)
{
    real *dgate = malloc(n * sizeof *dgate);
    rows_swiglu_backward(dgate, dup, b, a, b, n);
    free(dgate);
}

static void run_swiglu(real *y, const real *a, const real *b, size_t n)
{
    rows_swiglu(y, a, b, n);
}

#define UNARY(name)                                                                      \
    static void run_##name(real *y, const real *a, const real *b, size_t n)              \
    {                                                                                    \
        (void)b;                                                                         \
        rows_##name(y, a, n);                                                            \
    }                                                                                    \
    static void run_##name##_backward(real *y, const real *a, const real *b, size_t n)   \
    {                                                                                    \
        rows_##name##_backward(y, b, a, n);                                              \
    }                                                                                    \
    static double want_##name(double a, double b)                                        \
    {                                                                                    \
        (void)b;                                                                         \
        return reference_##name(a);                                                      \
    }                                                                                    \
    static double want_##name##_backward(double a, double b)                             \
    {                                                                                    \
        return b * reference_##name##_slope(a);                                          \
    }
UNARY(gelu)
UNARY(gelu_tanh)
UNARY(relu)

static double want_add(double a, double b)
{
    return a + b;
}

static double want_add_scaled(double a, double b)
{
    return b + a * (double)FACTOR;
}

static double want_scale(double a, double b)
{
    (void)b;
    return a * (double)FACTOR;
}

static double want_swiglu(double a, double b)
{
    return reference_silu(a) * b;
}

static double want_swiglu_gate(double a, double b)
{
    return reference_silu_slope(a) * b * b;
}

/* @units: the largest error in units of REAL_EPS, relative to |want| + floor.  A floor of
 * 0 means relative precision down to the smallest results.  Slopes cross zero, so theirs
 * is 1.  The input of gelu_tanh's exp, here up to 2u = 17, is itself rounded a few times:
 * 17 times half a unit each. */
static const struct kernel {
    const char *name;
    void (*run)(real *y, const real *a, const real *b, size_t n);
    double (*want)(double a, double b);
    double spread, floor, units;
} kernels[] = {
    {"add", run_add, want_add, 3, 0, 0.5},
    {"add_scaled", run_add_scaled, want_add_scaled, 3, 1, 2},
    {"scale", run_scale, want_scale, 3, 0, 0.5},
    {"gelu", run_gelu, want_gelu, 12.5, 0, 4},
    {"gelu_backward", run_gelu_backward, want_gelu_backward, 12.5, 1, 2},
    {"gelu_tanh", run_gelu_tanh, want_gelu_tanh, 5, 0, 40},
    {"gelu_tanh_backward", run_gelu_tanh_backward, want_gelu_tanh_backward, 5, 1, 4},
    {"relu", run_relu, want_relu, 3, 0, 0},
    {"relu_backward", run_relu_backward, want_relu_backward, 3, 0, 0},
    {"swiglu", run_swiglu, want_swiglu, 80, 0, 4},
    {"swiglu_backward gate", run_swiglu_gate, want_swiglu_gate, 80, 1, 4},
    {"swiglu_backward up", run_swiglu_up, want_swiglu, 80, 0, 4},
};
enum { KERNELS = sizeof kernels / sizeof *kernels, LONGEST = 67, DENSE = 20000 };

static double error_of(const struct kernel *k, size_t n, uint32_t seed)
{
    real *a = random_reals(n, k->spread, seed), *b = random_reals(n, 1, seed + 1),
         *y = malloc(n * sizeof *y);
    double *want = malloc(n * sizeof *want);
    for (size_t i = 0; i < n; i++)
        want[i] = k->want((double)a[i], (double)b[i]);
    k->run(y, a, b, n);
    const double worst = worst_error(y, want, n, k->floor);
    free(a);
    free(b);
    free(y);
    free(want);
    return worst;
}

/* --- the tests ---------------------------------------------------------------------- */

static void a_set_of_no_name_is_refused_and_the_best_is_found(void **state)
{
    (void)state;
    const char *name = "unchanged";
    assert_int_equal(rows_start("v5", &name), ERR_RANGE);
    assert_int_equal(rows_start("", &name), ERR_RANGE);
    assert_string_equal(name, "unchanged");
    assert_int_equal(rows_start(NULL, &name), ERR_OK);
    int best = SETS - 1;
    while (!set_present(best))
        best--;
    assert_string_equal(name, set_names[best]);
}

static void element_wise_kernels_follow_their_definitions_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t k = 0; k < KERNELS; k++)
        for (size_t n = 1; n <= LONGEST; n++) {
            const double units = error_of(&kernels[k], n, (uint32_t)n);
            if (units > kernels[k].units)
                fail_msg("%s %s: n %zu, seed %zu: error %.2f units", set_names[set],
                         kernels[k].name, n, n, units);
        }
}

static void their_precision_is_as_stated(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t k = 0; k < KERNELS; k++) {
        const double units = error_of(&kernels[k], DENSE, 7);
        print_message("%s %-22s within %5.2f units of the last place, seed 7\n",
                      set_names[set], kernels[k].name, units);
        assert_true(units <= kernels[k].units);
    }
}

static void cutting_a_block_anywhere_changes_no_bit(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 1, 5, 22, 39, 66, LONGEST};
    FOR_EACH_SET(set)
    for (size_t k = 0; k < KERNELS; k++) {
        real *a = random_reals(LONGEST, kernels[k].spread, 3),
             *b = random_reals(LONGEST, 1, 4), whole[LONGEST], parts[LONGEST];
        kernels[k].run(whole, a, b, LONGEST);
        for (size_t c = 0; c + 1 < sizeof cuts / sizeof *cuts; c++)
            kernels[k].run(parts + cuts[c], a + cuts[c], b + cuts[c],
                           cuts[c + 1] - cuts[c]);
        if (memcmp(whole, parts, sizeof whole) != 0)
            fail_msg("%s %s", set_names[set], kernels[k].name);
        free(a);
        free(b);
    }
}

static void sets_with_fused_multiply_add_give_the_same_bits(void **state)
{
    (void)state;
    if (!set_present(2))
        skip();
    for (size_t k = 0; k < KERNELS; k++) {
        real *a = random_reals(DENSE, kernels[k].spread, 5),
             *b = random_reals(DENSE, 1, 6), *y[SETS] = {NULL};
        for (int set = 1; set < SETS; set++) {
            y[set] = malloc(DENSE * sizeof(real));
            set_start(set);
            kernels[k].run(y[set], a, b, DENSE);
        }
        assert_memory_equal(y[1], y[2], DENSE * sizeof(real));
        free(a);
        free(b);
        free(y[1]);
        free(y[2]);
    }
}

static void results_may_overwrite_inputs_where_the_header_says_so(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        real *x = random_reals(LONGEST, 2, 8), *dy = random_reals(LONGEST, 1, 9),
             y[LONGEST], dup[LONGEST];
        void (*const forward[])(real *, const real *,
                                size_t) = {rows_gelu, rows_gelu_tanh, rows_relu};
        void (*const backward[])(real *, const real *, const real *, size_t) = {
            rows_gelu_backward, rows_gelu_tanh_backward, rows_relu_backward};
        for (int f = 0; f < 3; f++) {
            real in_place[LONGEST];
            memcpy(in_place, x, sizeof in_place);
            forward[f](y, x, LONGEST);
            forward[f](in_place, in_place, LONGEST);
            assert_memory_equal(in_place, y, sizeof y);
            memcpy(in_place, dy, sizeof in_place);
            backward[f](y, dy, x, LONGEST);
            backward[f](in_place, in_place, x, LONGEST);
            assert_memory_equal(in_place, y, sizeof y);
        }
        real in_place[LONGEST], other[LONGEST];
        memcpy(in_place, dy, sizeof in_place);
        rows_swiglu_backward(y, dup, dy, x, x, LONGEST);
        rows_swiglu_backward(other, in_place, in_place, x, x, LONGEST);
        assert_memory_equal(in_place, dup, sizeof dup);
        assert_memory_equal(other, y, sizeof y);
        free(x);
        free(dy);
    }
}

static void extreme_inputs_saturate_and_what_is_no_number_stays_so(void **state)
{
    (void)state;
    const real big = sizeof(real) == sizeof(float) ? (real)3e38 : (real)1e300;
    real x[] = {-big, -100, -20, 0, 20, 100, big}, y[7], one[7];
    for (int i = 0; i < 7; i++)
        one[i] = 1;
    void (*const forward[])(real *, const real *, const real *,
                            size_t) = {run_gelu, run_gelu_tanh, run_relu, run_swiglu};
    rows_thread_start();
    FOR_EACH_SET(set)
    for (int f = 0; f < 4; f++) {
        forward[f](y, x, one, 7);
        assert_true(fabs((double)y[0]) < 1 && fabs((double)y[1]) < 1e-30);
        assert_true(y[3] == 0 && y[5] == x[5] && y[6] == x[6]);
        assert_true(fabs((double)(y[4] - x[4])) < 1e-5);
        const real nan = (real)NAN;
        forward[f](y, &nan, one, 1);
        assert_true(isnan(y[0]));
    }
}

static void tiny_numbers_are_flushed_once_a_thread_has_said_so(void **state)
{
    (void)state;
    volatile float tiny = FLT_MIN, sum;
    rows_thread_start();
    sum = tiny * 0.5f; /* a result */
    assert_true(sum == 0);
    const uint32_t bits = 1;
    float denormal;
    memcpy(&denormal, &bits, sizeof bits);
    tiny = denormal;
    sum = tiny * 0x1p100f; /* an input */
    assert_true(sum == 0);
}

static void sums_of_rows_and_biases_follow_their_definitions(void **state)
{
    (void)state;
    enum { ROWS = 5 };
    FOR_EACH_SET(set)
    for (size_t C = 1; C <= LONGEST; C++) {
        real *x = random_reals(ROWS * C, 1, (uint32_t)C), *b = random_reals(C, 1, 11),
             *y = malloc(ROWS * C * sizeof *y), *db = malloc(C * sizeof *db);
        double want[ROWS * LONGEST], want_db[LONGEST];
        memcpy(y, x, ROWS * C * sizeof *y);
        memcpy(db, b, C * sizeof *db);
        for (size_t c = 0; c < C; c++)
            want_db[c] = (double)b[c];
        for (size_t i = 0; i < ROWS * C; i++) {
            want[i] = (double)x[i] + (double)b[i % C];
            want_db[i % C] += (double)x[i];
        }
        rows_add_bias(y, b, ROWS, C);
        rows_sum(db, x, ROWS, C);
        assert_true(worst_error(y, want, ROWS * C, 0) <= 0.5);
        assert_true(worst_error(db, want_db, C, ROWS) <= 1);
        free(x);
        free(b);
        free(y);
        free(db);
    }
}

static void rotation_follows_its_definition_and_turns_back(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t D = 2; D <= LONGEST; D += 2) {
        real *x = random_reals(D, 1, (uint32_t)D), *y = malloc(D * sizeof *y),
             *cs = malloc(D * sizeof *cs);
        double want[LONGEST + 1], back[LONGEST + 1];
        for (size_t i = 0; i < D / 2; i++) {
            cs[i] = (real)cos(3 * (double)i);
            cs[i + D / 2] = (real)sin(3 * (double)i);
        }
        for (size_t i = 0; i < D; i++)
            back[i] = (double)x[i];
        memcpy(y, x, D * sizeof *y);
        rows_rotate(y, cs, D, false);
        reference_rotate(want, x, cs, D, false);
        assert_true(worst_error(y, want, D, 1) <= 1);
        rows_rotate(y, cs, D, true);
        assert_true(worst_error(y, back, D, 1) <= 2);
        free(x);
        free(y);
        free(cs);
    }
}

RUN(T(a_set_of_no_name_is_refused_and_the_best_is_found),
    T(element_wise_kernels_follow_their_definitions_at_all_sizes),
    T(their_precision_is_as_stated), T(cutting_a_block_anywhere_changes_no_bit),
    T(sets_with_fused_multiply_add_give_the_same_bits),
    T(results_may_overwrite_inputs_where_the_header_says_so),
    T(extreme_inputs_saturate_and_what_is_no_number_stays_so),
    T(sums_of_rows_and_biases_follow_their_definitions),
    T(rotation_follows_its_definition_and_turns_back),
    T(tiny_numbers_are_flushed_once_a_thread_has_said_so))
