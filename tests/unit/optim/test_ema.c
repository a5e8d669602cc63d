#include "support/sets.h"

#include "optim/ema.h"

enum { COUNT = 67, UPDATES = 300 };

static void the_decay_grows_from_a_tenth_to_what_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        double decay;
        uint64_t s;
        double d;
    } cases[] = {{0.999, 0, 0.1},      {0.999, 8, 0.5},
                 {0.999, 90, 0.91},    {0.999, 8980, 8981. / 8990},
                 {0.999, 8990, 0.999}, {0.999, 1000000, 0.999},
                 {0.05, 0, 0.05},      {0, 0, 0},
                 {0, 100, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(fabs(ema_decay(cases[i].decay, cases[i].s) - cases[i].d) < 1e-15);
}

static void many_updates_follow_the_formula(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        float mean[COUNT], theta[COUNT];
        double wide[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            wide[i] = (double)(mean[i] = (float)uniform(1, i));
        for (uint32_t s = 0; s < UPDATES; s++) {
            const double d = fmin(0.98, (1. + s) / (10. + s));
            for (size_t i = 0; i < COUNT; i++) {
                theta[i] = (float)uniform(s + 2, i);
                wide[i] = d * wide[i] + (1 - d) * (double)theta[i];
            }
            ema_step(mean, theta, COUNT, 0.98, s);
            for (size_t i = 0; i < COUNT; i++) /* errors die out like what is averaged */
                if (!(fabs((double)mean[i] - wide[i]) <= 50 * 6e-8))
                    fail_msg("%s, update %u, element %zu: %.9g instead of %.9g",
                             set_names[set], s, i, (double)mean[i], wide[i]);
        }
    }
}

static void an_average_of_what_does_not_change_stays_that(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        float mean[COUNT], theta[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            mean[i] = theta[i] = (float)uniform(1, i);
        for (uint64_t s = 0; s < 50; s++)
            ema_step(mean, theta, COUNT, 0.9, s);
        assert_memory_equal(mean, theta, sizeof mean);
        ema_step(mean, theta, COUNT, 0, 50); /* no memory at all */
        assert_memory_equal(mean, theta, sizeof mean);
    }
}

static void cutting_the_vector_anywhere_changes_no_bit(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t cut = 1; cut < COUNT; cut += 11) {
        float whole[COUNT], parts[COUNT], theta[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            whole[i] = parts[i] = (float)uniform(1, i);
            theta[i] = (float)uniform(2, i);
        }
        ema_step(whole, theta, COUNT, 0.9, 50);
        ema_step(parts, theta, cut, 0.9, 50);
        ema_step(parts + cut, theta + cut, COUNT - cut, 0.9, 50);
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

RUN(T(the_decay_grows_from_a_tenth_to_what_was_asked_for),
    T(many_updates_follow_the_formula), T(an_average_of_what_does_not_change_stays_that),
    T(cutting_the_vector_anywhere_changes_no_bit))
