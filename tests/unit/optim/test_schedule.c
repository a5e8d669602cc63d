#include "support/test.h"

#include <jansson.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "optim/schedule.h"

static void assert_near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.17g instead of %.17g", got, want);
}

/* --- by hand
 * ---------------------------------------------------------------------------- */

static void kinds_are_in_the_order_of_the_options_values(void **state)
{
    (void)state;
    static const int ours[] = {SCHEDULE_IS_CONSTANT,  SCHEDULE_IS_LINEAR,
                               SCHEDULE_IS_COSINE,    SCHEDULE_IS_INVERSE_SQRT,
                               SCHEDULE_IS_WSD,       SCHEDULE_IS_POLYNOMIAL,
                               SCHEDULE_IS_RANGE_TEST},
                     options[] = {SCHEDULE_CONSTANT,  SCHEDULE_LINEAR,
                                  SCHEDULE_COSINE,    SCHEDULE_INVERSE_SQRT,
                                  SCHEDULE_WSD,       SCHEDULE_POLYNOMIAL,
                                  SCHEDULE_RANGE_TEST};
    assert_memory_equal(ours, options, sizeof ours);
    assert_int_equal(SCHEDULE_WSD_IS_SQRT, WSD_SQRT);
    assert_int_equal(SCHEDULE_WSD_IS_LINEAR, WSD_LINEAR);
}

static void rates_follow_their_formulas(void **state)
{
    (void)state;
    static const struct {
        enum schedule_kind kind;
        uint64_t step;
        double want; /* rate 8, rate_min 2, warm-up 4, decay to 20, wsd's 0.4, power 3 */
    } cases[] = {
        {SCHEDULE_IS_CONSTANT, 0, 2},      {SCHEDULE_IS_CONSTANT, 3, 8},
        {SCHEDULE_IS_CONSTANT, 4, 8},      {SCHEDULE_IS_CONSTANT, 1000, 8},
        {SCHEDULE_IS_LINEAR, 1, 4},        {SCHEDULE_IS_LINEAR, 4, 8},
        {SCHEDULE_IS_LINEAR, 8, 6.5},      {SCHEDULE_IS_LINEAR, 20, 2},
        {SCHEDULE_IS_LINEAR, 1000, 2},     {SCHEDULE_IS_COSINE, 4, 8},
        {SCHEDULE_IS_COSINE, 12, 5},       {SCHEDULE_IS_COSINE, 20, 2},
        {SCHEDULE_IS_COSINE, 1000, 2},     {SCHEDULE_IS_INVERSE_SQRT, 3, 8},
        {SCHEDULE_IS_INVERSE_SQRT, 15, 4}, {SCHEDULE_IS_INVERSE_SQRT, 63, 2},
        {SCHEDULE_IS_WSD, 3, 8},           {SCHEDULE_IS_WSD, 10, 8},
        {SCHEDULE_IS_WSD, 12, 8},          {SCHEDULE_IS_WSD, 14, 5},
        {SCHEDULE_IS_WSD, 20, 2},          {SCHEDULE_IS_WSD, 1000, 2},
        {SCHEDULE_IS_POLYNOMIAL, 3, 8},    {SCHEDULE_IS_POLYNOMIAL, 4, 8},
        {SCHEDULE_IS_POLYNOMIAL, 12, 2.75}, {SCHEDULE_IS_POLYNOMIAL, 20, 2},
        {SCHEDULE_IS_POLYNOMIAL, 1000, 2}, {SCHEDULE_IS_RANGE_TEST, 0, 2},
        {SCHEDULE_IS_RANGE_TEST, 19, 8},   {SCHEDULE_IS_RANGE_TEST, 1000, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct schedule s = {cases[i].kind, 8, 2, 4, 20, 0.4, 0, 3};
        assert_near(schedule_rate(&s, cases[i].step), cases[i].want, 1e-15);
    }
}

static void without_warm_up_the_first_step_has_the_full_rate(void **state)
{
    (void)state;
    for (int kind = 0; kind <= SCHEDULE_IS_POLYNOMIAL; kind++) {
        const struct schedule s = {(enum schedule_kind)kind, 3, 1, 0, 100, 0.2, 0, 2};
        assert_near(schedule_rate(&s, 0), 3, 1e-15);
    }
}

static void no_length_makes_a_rate_leave_its_limits(void **state)
{
    (void)state;
    for (int kind = 0; kind <= SCHEDULE_IS_RANGE_TEST; kind++)
        for (uint64_t warmup = 0; warmup < 12; warmup += 3)
            for (uint64_t n = 0; n < 12; n++)
                for (double share = 0; share <= 1; share += 0.25) {
                    const struct schedule s = {
                        (enum schedule_kind)kind, 3, 1, warmup, n, share, 0, 2};
                    for (uint64_t step = 0; step < 15; step++) {
                        const double rate = schedule_rate(&s, step);
                        assert_true(rate > 0 && rate <= 3);
                    }
                }
}

static void a_range_test_rises_by_equal_factors(void **state)
{
    (void)state;
    const struct schedule s = {.kind = SCHEDULE_IS_RANGE_TEST,
                               .rate = 1,
                               .rate_min = 1e-6,
                               .warmup = 10,
                               .decay_steps = 200};
    assert_near(schedule_rate(&s, 0), 1e-6, 1e-15);
    assert_near(schedule_rate(&s, 199), 1, 1e-15);
    for (uint64_t step = 1; step < 200; step++)
        assert_near(schedule_rate(&s, step) / schedule_rate(&s, step - 1),
                    pow(1e6, 1.0 / 199), 1e-12);
}

/* The decay of wsd would begin at step 2: the warm-up goes on to its end, and the rate
 * falls from the top, without a jump. */
static void no_decay_begins_before_the_warm_up_is_over(void **state)
{
    (void)state;
    const struct schedule s = {SCHEDULE_IS_WSD, 8, 0, 6, 10, 0.8, 0, 1};
    assert_near(schedule_rate(&s, 5), 8, 1e-15);
    assert_near(schedule_rate(&s, 6), 8, 1e-15);
    assert_near(schedule_rate(&s, 7), 4, 1e-15);
    assert_true(schedule_rate(&s, 10) == 0);
}

/* --- as others compute it
 * ----------------------------------------------------------------- */

static json_t *golden;

static int golden_open(void **state)
{
    (void)state;
    json_error_t error;
    golden =
        json_load_file(TEST_SHARED "/data/golden-schedules/schedules.json", 0, &error);
    return 0;
}

static int golden_close(void **state)
{
    (void)state;
    json_decref(golden);
    return 0;
}

static const json_t *recipe(const char *name)
{
    if (!golden) {
        print_message("no golden schedules in %s\n", TEST_SHARED);
        skip();
    }
    const json_t *r = json_object_get(golden, name);
    assert_non_null(r);
    return r;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static uint64_t whole(const json_t *object, const char *key)
{
    return (uint64_t)number(object, key);
}

static const json_t *cases_of(const json_t *r)
{
    const json_t *cases = json_object_get(r, "cases");
    assert_true(json_array_size(cases) > 0);
    return cases;
}

/* CS336: warm-up it / w, so that update 0 does nothing; then as ours.
 * Ours is one ahead in the warm-up: it is step it - 1 there, and step it afterwards. */
static void cosine_equals_cs336(void **state)
{
    (void)state;
    const json_t *r = recipe("cs336_cosine"),
                 *rates = json_object_get(r, "lrs_it0_to_24");
    const struct schedule s = {.kind = SCHEDULE_IS_COSINE,
                               .rate = number(r, "max_lr"),
                               .rate_min = number(r, "min_lr"),
                               .warmup = whole(r, "warmup_iters"),
                               .decay_steps = whole(r, "cosine_cycle_iters")};
    assert_int_equal(json_array_size(rates), 25);
    for (uint64_t it = 1; it < 25; it++)
        assert_near(schedule_rate(&s, it < s.warmup ? it - 1 : it),
                    json_number_value(json_array_get(rates, it)), 1e-14);
}

/* nanoGPT: warm-up (it + 1) / (w + 1), which is ours with w + 1; then ours with w. */
static void cosine_equals_nanogpt(void **state)
{
    (void)state;
    const json_t *r = recipe("nanogpt_cosine"), *c;
    const struct schedule after = {.kind = SCHEDULE_IS_COSINE,
                                   .rate = number(r, "lr"),
                                   .rate_min = number(r, "min_lr"),
                                   .warmup = whole(r, "warmup_iters"),
                                   .decay_steps = whole(r, "lr_decay_iters")};
    struct schedule before = after;
    before.warmup++;
    size_t i;
    json_array_foreach((json_t *)cases_of(r), i, c)
    {
        const uint64_t it = whole(c, "it");
        assert_near(schedule_rate(it < after.warmup ? &before : &after, it),
                    number(c, "lr"), 1e-14);
    }
}

/* Noam: its step counts from 1. */
static void inverse_sqrt_equals_noam(void **state)
{
    (void)state;
    const json_t *r = recipe("noam"), *c;
    size_t i;
    json_array_foreach((json_t *)cases_of(r), i, c)
    {
        const double w = number(c, "warmup");
        const struct schedule s = {.kind = SCHEDULE_IS_INVERSE_SQRT,
                                   .rate = number(c, "factor") /
                                           sqrt(number(c, "d_model") * w),
                                   .warmup = (uint64_t)w};
        assert_near(schedule_rate(&s, whole(c, "step") - 1), number(c, "lr"), 1e-14);
    }
}

/* fairseq: n counts from 1 too; its warm-up starts at `init` instead of 0, which adds
 * init * (1 - n / w). */
static void inverse_sqrt_equals_fairseq(void **state)
{
    (void)state;
    const json_t *r = recipe("fairseq_inverse_sqrt"), *c;
    const double init = number(r, "init"), w = number(r, "warmup");
    const struct schedule s = {
        .kind = SCHEDULE_IS_INVERSE_SQRT, .rate = number(r, "lr"), .warmup = (uint64_t)w};
    size_t i;
    json_array_foreach((json_t *)cases_of(r), i, c)
    {
        const uint64_t n = whole(c, "n");
        const double start = (double)n < w ? init * (1 - (double)n / w) : 0;
        const double ours = n == 0 ? 0 : schedule_rate(&s, n - 1);
        assert_near(ours + start, number(c, "lr"), 1e-14);
    }
}

/* llm.c: the same arguments; the last fifth decays. */
static void wsd_equals_llmc(void **state)
{
    (void)state;
    const json_t *r = recipe("llmc_wsd"), *c;
    const struct schedule s = {.kind = SCHEDULE_IS_WSD,
                               .rate = number(r, "lr"),
                               .rate_min = number(r, "lr") * number(r, "final_frac"),
                               .warmup = whole(r, "warmup"),
                               .decay_steps = whole(r, "num_steps"),
                               .wsd_decay = 0.2};
    size_t i;
    json_array_foreach((json_t *)cases_of(r), i, c)
        assert_near(schedule_rate(&s, whole(c, "step")), number(c, "lr"), 1e-12);
}

/* nanochat: 40 steps of warm-up, then the full rate, and over the last 65 % a line to 5 %
 * of it: (n - it) / (0.65 n) of the way is left. */
static void linear_wsd_equals_nanochat(void **state)
{
    (void)state;
    enum { STEPS = 1000, DOWN = 650 };
    const struct schedule s = {.kind = SCHEDULE_IS_WSD,
                               .rate = 1,
                               .rate_min = 0.05,
                               .warmup = 40,
                               .decay_steps = STEPS,
                               .wsd_decay = 0.65,
                               .wsd_shape = SCHEDULE_WSD_IS_LINEAR};
    for (uint64_t it = 0; it <= STEPS; it++) {
        const double left = (double)(STEPS - it) / DOWN;
        const double theirs = it < 40              ? (double)(it + 1) / 40
                              : it <= STEPS - DOWN ? 1
                                                   : left + (1 - left) * 0.05;
        assert_near(schedule_rate(&s, it), theirs, 1e-12);
    }
}

/* fairseq and PyTorch with power 1 are our linear. */
static void polynomial_of_power_one_is_linear(void **state)
{
    (void)state;
    struct schedule s = {
        .rate = 3, .rate_min = 1, .warmup = 7, .decay_steps = 90, .power = 1};
    for (uint64_t step = 0; step < 100; step++) {
        s.kind = SCHEDULE_IS_LINEAR;
        const double linear = schedule_rate(&s, step);
        s.kind = SCHEDULE_IS_POLYNOMIAL;
        assert_near(schedule_rate(&s, step), linear, 1e-15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(kinds_are_in_the_order_of_the_options_values),
        T(rates_follow_their_formulas),
        T(without_warm_up_the_first_step_has_the_full_rate),
        T(no_length_makes_a_rate_leave_its_limits),
        T(a_range_test_rises_by_equal_factors),
        T(no_decay_begins_before_the_warm_up_is_over),
        T(cosine_equals_cs336),
        T(cosine_equals_nanogpt),
        T(inverse_sqrt_equals_noam),
        T(inverse_sqrt_equals_fairseq),
        T(wsd_equals_llmc),
        T(linear_wsd_equals_nanochat),
        T(polynomial_of_power_one_is_linear),
    };
    return cmocka_run_group_tests(tests, golden_open, golden_close);
}
