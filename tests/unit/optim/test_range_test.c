/* What is proposed of curves whose shape is known. */
#include "support/test.h"

#include "optim/range_test.h"

enum { STEPS = 200 };

/* Deterministic scatter, about normal, of standard deviation 1. */
static double scatter(size_t i)
{
    uint64_t h = (i + 1) * 0x9e3779b97f4a7c15u;
    double sum = 0;
    for (int k = 0; k < 12; k++) {
        h ^= h >> 29, h *= 0xbf58476d1ce4e5b9u, h ^= h >> 32;
        sum += (double)(h >> 11) / 9007199254740992.0 - 0.5;
    }
    return sum;
}

static double rate_at(size_t i)
{
    return 1e-6 * pow(1e6, (double)i / (STEPS - 1));
}

/* Falls from 4 to 2 around @good, rises from @bad on. */
static double u_shape(double rate, double good, double bad)
{
    const double fall = 2 / (1 + pow(rate / good, -1.5)),
                 rise = rate > bad ? pow(log10(rate / bad), 2) * 3 : 0;
    return 4 - fall + rise;
}

static struct range_proposal proposal(struct range_test *t)
{
    struct range_proposal p;
    range_test_propose(t, &p);
    return p;
}

static void the_average_has_no_bias(void **state)
{
    (void)state;
    struct range_test t;
    range_test_init(&t, STEPS);
    for (int i = 0; i < 30; i++)
        assert_true(range_test_add(&t, 1e-3, 3));
    for (int i = 0; i < 30; i++)
        assert_true(fabs(t.point[i].smoothed - 3) < 1e-14);
    assert_true(range_test_add(&t, 1e-3, 4)); /* a tenth of it, nearly */
    assert_true(fabs(t.point[30].smoothed - 3.1) < 0.01);
    range_test_fini(&t);
}

static void a_u_has_its_proposal_on_the_way_down(void **state)
{
    (void)state;
    for (int noisy = 0; noisy < 2; noisy++) {
        struct range_test t;
        range_test_init(&t, STEPS);
        for (size_t i = 0; i < STEPS; i++)
            if (!range_test_add(&t, rate_at(i),
                                u_shape(rate_at(i), 1e-3, 1e-1) +
                                    noisy * 0.1 * scatter(i)))
                break;
        const struct range_proposal p = proposal(&t);
        assert_int_equal(p.verdict, RANGE_FOUND);
        assert_true(p.at < p.smallest && p.steepest <= p.smallest);
        /* half-way down at 1e-3; what is smoothed lags by 2 */
        assert_true(p.rate > 1.5e-3 && p.rate < 6e-3);
        assert_true(t.point[p.steepest].rate > 5e-4 && t.point[p.steepest].rate < 6e-3);
        assert_true(t.point[p.smallest].rate > 2e-2 && t.point[p.smallest].rate < 0.3);
        assert_true(fabs(p.rate / t.point[p.at].rate - 1) < 0.051);
        range_test_fini(&t);
    }
}

static void a_flat_curve_has_none(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) { /* constant, scattered, rising */
        struct range_test t;
        range_test_init(&t, STEPS);
        for (size_t i = 0; i < STEPS; i++)
            range_test_add(&t, rate_at(i),
                           3 + (kind == 1) * 0.1 * scatter(i) +
                               (kind == 2) * 0.01 * (double)i);
        assert_int_equal(proposal(&t).verdict, RANGE_FLAT);
        range_test_fini(&t);
    }
}

static void what_is_not_finite_ends_it(void **state)
{
    (void)state;
    static const double bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        struct range_test t;
        range_test_init(&t, STEPS);
        size_t n = 0;
        for (; rate_at(n) < 0.1; n++)
            assert_true(range_test_add(&t, rate_at(n), u_shape(rate_at(n), 1e-3, 1)));
        assert_false(range_test_add(&t, rate_at(n), bad[i]));
        assert_true(t.diverged && t.n == n + 1);
        const struct range_proposal p = proposal(&t);
        assert_int_equal(p.verdict, RANGE_FOUND);
        assert_true(p.rate > 1e-3 && p.rate < 6e-3);
        range_test_fini(&t);
    }
}

static void four_times_the_smallest_ends_it(void **state)
{
    (void)state;
    struct range_test t;
    range_test_init(&t, STEPS);
    size_t i = 0;
    while (i < STEPS && range_test_add(&t, rate_at(i), u_shape(rate_at(i), 1e-4, 1e-3)))
        i++;
    assert_true(t.diverged && i < STEPS - 1);
    assert_true(t.point[i].smoothed > 8 && t.point[i - 1].smoothed < 9);
    const struct range_proposal p = proposal(&t);
    assert_int_equal(p.verdict, RANGE_FOUND);
    assert_true(p.rate < 1e-3);
    range_test_fini(&t);
}

static void a_loss_that_still_falls_is_open(void **state)
{
    (void)state;
    struct range_test t;
    range_test_init(&t, STEPS);
    for (size_t i = 0; i < STEPS; i++)
        range_test_add(&t, rate_at(i), 4 - 0.01 * (double)i);
    assert_int_equal(proposal(&t).verdict, RANGE_OPEN);
    range_test_fini(&t);
}

static void a_few_points_say_nothing(void **state)
{
    (void)state;
    struct range_test t;
    range_test_init(&t, STEPS);
    assert_int_equal(proposal(&t).verdict, RANGE_SHORT);
    for (size_t i = 0; i < 9; i++)
        range_test_add(&t, rate_at(i), 4 - 0.1 * (double)i);
    assert_int_equal(proposal(&t).verdict, RANGE_SHORT);
    range_test_fini(&t);
    range_test_init(&t, STEPS);
    assert_false(range_test_add(&t, 1e-6, NAN)); /* the first */
    assert_int_equal(proposal(&t).verdict, RANGE_SHORT);
    range_test_fini(&t);
}

/* Twice the steps, the same curve: the same proposal, nearly. */
static void the_length_does_not_decide(void **state)
{
    (void)state;
    double rate[2];
    for (size_t k = 0; k < 2; k++) {
        const size_t n = STEPS << k;
        struct range_test t;
        range_test_init(&t, n);
        for (size_t i = 0; i < n; i++) {
            const double r = 1e-6 * pow(1e6, (double)i / (double)(n - 1));
            range_test_add(&t, r, u_shape(r, 1e-3, 1e-1));
        }
        rate[k] = proposal(&t).rate;
        range_test_fini(&t);
    }
    assert_true(fabs(log(rate[1] / rate[0])) < 0.1);
}

RUN(T(the_average_has_no_bias), T(a_u_has_its_proposal_on_the_way_down),
    T(a_flat_curve_has_none), T(what_is_not_finite_ends_it),
    T(four_times_the_smallest_ends_it), T(a_loss_that_still_falls_is_open),
    T(a_few_points_say_nothing), T(the_length_does_not_decide))
