/* What is usual, among values of which some are wrong. */
#include "support/test.h"

#include "coordinator/typical.h"

static void nothing_is_usual_before_enough_is_known(void **state)
{
    (void)state;
    struct typical t = {0};
    for (int i = 1; i < TYPICAL_FROM; i++) {
        typical_add(&t, 5);
        assert_true(typical_value(&t) == 0);
    }
    typical_add(&t, 5);
    assert_true(typical_value(&t) == 5);
}

static void a_few_wrong_ones_do_not_move_it_even_at_the_start(void **state)
{
    (void)state;
    struct typical t = {0};
    for (int i = 0; i < 1000; i++) {
        typical_add(&t, i % 3 == 0 ? 1e35 : 1 + i % 2);
        if (i + 1 >= TYPICAL_FROM)
            assert_true(typical_value(&t) >= 1 && typical_value(&t) <= 2);
    }
}

static void what_lasts_becomes_usual(void **state)
{
    (void)state;
    struct typical t = {0};
    for (int i = 0; i < 100; i++)
        typical_add(&t, 1);
    for (int i = 0; i < TYPICAL_OVER / 2; i++)
        typical_add(&t, 1000);
    assert_true(typical_value(&t) == 1);
    typical_add(&t, 1000);
    assert_true(typical_value(&t) == 1000);
}

RUN(T(nothing_is_usual_before_enough_is_known),
    T(a_few_wrong_ones_do_not_move_it_even_at_the_start), T(what_lasts_becomes_usual))
