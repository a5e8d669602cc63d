/* The precision that vector_math.h states; compiled here without fused multiply-add, the
 * worse case.  tests/unit/tensor/test_rows.c measures the kernels of all sets. */
#include "support/test.h"

#include "tensor/vector_math.h"

enum { POINTS = 100000 };

static double phi(real x)
{
    return vector_phi(x, vector_bell(x));
}

static double want_phi(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

static double bell(real x)
{
    return vector_bell(x);
}

static double want_bell(double x)
{
    return exp(-0.5 * x * x);
}

static double exponential(real x)
{
    return vector_exp(x);
}

static double sigmoid(real x)
{
    return vector_sigmoid(x);
}

static double want_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The distance to the neighbouring number: one unit in the last place. */
static double unit(double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp((double)REAL_EPS, exponent - 1);
}

static const struct {
    const char *name;
    double (*got)(real x), (*want)(double x);
    double first, last, units; /* the range, and what is stated for it */
} functions[] = {
    {"exp", exponential, exp, -87.3, 88.37, 1.5},
    {"exp near 0", exponential, exp, -1e-3, 1e-3, 1.5},
    {"sigmoid", sigmoid, want_sigmoid, -87, 87, 3},
    {"bell", bell, want_bell, -13, 13, 3},
    {"phi", phi, want_phi, -12.5, 12.5, 6},
};

static void precision_is_as_stated(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        double worst = 0, where = 0;
        for (int i = 0; i <= POINTS; i++) {
            const double width = functions[f].last - functions[f].first;
            const real x = (real)(functions[f].first + width * i / POINTS);
            const double want = functions[f].want((double)x),
                         units = fabs(functions[f].got(x) - want) / unit(want);
            if (!(units <= worst)) {
                worst = units;
                where = (double)x;
            }
        }
        print_message("%-10s within %.2f units in the last place, at %.9g\n",
                      functions[f].name, worst, where);
        assert_true(worst <= functions[f].units);
    }
}

static void what_is_too_small_is_zero_and_exp_of_0_is_1(void **state)
{
    (void)state;
    assert_true(vector_exp(0) == 1);
    assert_true(vector_sigmoid(0) == (real)0.5);
    assert_true(vector_bell(0) == 1);
    assert_true(vector_exp(-INFINITY) == 0);
    assert_true(vector_bell(INFINITY) == 0);
    assert_true(phi(-INFINITY) == 0 && phi(INFINITY) == 1);
    assert_true(vector_exp((real)-1e30) == 0 && vector_bell((real)1e30) == 0);
    assert_true(fabs(phi(0) - 0.5) < 1e-7);
}

static void what_is_no_number_stays_so(void **state)
{
    (void)state;
    const uint32_t patterns[] = {0x7fc00000, 0xffc00000, 0x7fc00001, 0x7fffffff};
    for (int i = 0; i < 4; i++) {
        const uint32_t bits = patterns[i];
        float x;
        memcpy(&x, &bits, sizeof x);
        assert_true(isnan(vector_exp(x)) && isnan(vector_sigmoid(x)));
        assert_true(isnan(vector_bell(x)) && isnan(phi(x)));
    }
}

RUN(T(precision_is_as_stated), T(what_is_too_small_is_zero_and_exp_of_0_is_1),
    T(what_is_no_number_stays_so))
