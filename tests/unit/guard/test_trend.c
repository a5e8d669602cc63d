/* A loss that diverges, and losses that do not. */
#include "support/test.h"

#include "guard/trend.h"

enum { FAST = 10, SLOW = 1000 };

/* Deterministic noise in [-1, 1). */
static double noise(uint64_t i)
{
    return (double)((i * 2654435761u) % 2000) / 1000 - 1;
}

static void the_averages_are_weighted_sums_of_the_losses(void **state)
{
    (void)state;
    enum { N = 40, F = 5, S = 20 };
    double x[N], fast = 0, slow = 0, squares = 0, left_fast = 1, left_slow = 1;
    struct trend t = {0};
    for (int i = 0; i < N; i++)
        trend_add(&t, F, S, 0, x[i] = 3 + noise((uint64_t)i));
    for (int i = N - 1; i >= 0; i--) { /* each has a share of what later ones have left */
        const double f = 1.0 / (i + 1 < F ? i + 1 : F), s = 1.0 / (i + 1 < S ? i + 1 : S);
        fast += left_fast * f * x[i];
        slow += left_slow * s * x[i];
        squares += left_slow * s * x[i] * x[i];
        left_fast *= 1 - f;
        left_slow *= 1 - s;
    }
    assert_int_equal(t.n, N);
    assert_true(fabs(t.fast - fast) < 1e-12);
    assert_true(fabs(t.slow - slow) < 1e-12);
    assert_true(fabs(t.variance - (squares - slow * slow)) < 1e-12);
}

static void a_loss_that_rises_for_some_steps_diverges(void **state)
{
    (void)state;
    struct trend t = {0};
    for (uint64_t i = 0; i < 2000; i++) {
        trend_add(&t, FAST, SLOW, 5, 3 + 0.1 * noise(i));
        assert_false(trend_diverges(&t, FAST, 5));
    }
    struct trend spike = t;
    trend_add(&spike, FAST, SLOW, 5, 3.5); /* a single one does not */
    assert_false(trend_diverges(&spike, FAST, 5));
    int steps = 0;
    for (; !trend_diverges(&t, FAST, 5); steps++)
        trend_add(&t, FAST, SLOW, 5, 5);
    assert_in_range(steps, 1, FAST);
    assert_false(trend_diverges(&t, FAST, 0)); /* off */
}

/* As a young run does at a rate that a bad batch was too much for. */
static void a_young_run_that_explodes_diverges(void **state)
{
    (void)state;
    struct trend t = {0};
    for (uint64_t i = 0; i < 60; i++) {
        trend_add(&t, FAST, SLOW, 5, 3 + 5 / (1 + 0.05 * (double)i) + 0.5 * noise(i));
        assert_false(trend_diverges(&t, FAST, 5));
    }
    double loss = 6;
    int steps = 0;
    for (; steps < 3 * FAST && !trend_diverges(&t, FAST, 5); steps++)
        trend_add(&t, FAST, SLOW, 5, loss *= 2);
    assert_in_range(steps, 1, 2 * FAST);
}

static void a_single_loss_however_large_does_not(void **state)
{
    (void)state;
    struct trend t = {0};
    for (uint64_t i = 0; i < 400; i++) {
        trend_add(&t, FAST, SLOW, 5, i % 50 == 49 ? 1e9 : 3 + 0.1 * noise(i));
        assert_false(trend_diverges(&t, FAST, 5));
    }
    assert_true(t.slow < 3.2 && t.variance < 0.1);
}

static void a_loss_that_falls_or_is_constant_does_not(void **state)
{
    (void)state;
    struct trend t = {0}, constant = {0};
    for (uint64_t i = 0; i < 3000; i++) {
        trend_add(&t, FAST, SLOW, 5, 2 + 8 / (1 + 0.01 * (double)i) + noise(i));
        trend_add(&constant, FAST, SLOW, 1e-9, 0.1);
        assert_false(trend_diverges(&t, FAST, 5));
        assert_false(trend_diverges(&constant, FAST, 1e-9) && constant.variance == 0);
    }
}

static void nothing_is_said_of_the_first_steps(void **state)
{
    (void)state;
    struct trend t = {0};
    for (int i = 0; i < 2 * FAST; i++) {
        trend_add(&t, FAST, SLOW, 0.01, i);
        assert_false(trend_diverges(&t, FAST, 0.01));
    }
    trend_add(&t, FAST, SLOW, 0.01, 2 * FAST);
    assert_true(trend_diverges(&t, FAST, 0.01));
}

RUN(T(the_averages_are_weighted_sums_of_the_losses),
    T(a_loss_that_rises_for_some_steps_diverges), T(a_young_run_that_explodes_diverges),
    T(a_single_loss_however_large_does_not), T(a_loss_that_falls_or_is_constant_does_not),
    T(nothing_is_said_of_the_first_steps))
