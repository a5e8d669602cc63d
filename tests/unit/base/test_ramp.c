#include "support/test.h"

#include <math.h>

#include "base/ramp.h"
#include "base/tree.h"

static void a_step_has_more_slices_than_the_one_before_up_to_all(void **state)
{
    (void)state;
    const struct ramp none = {0}, r = {.steps = 6, .from = 2};
    static const uint32_t expected[] = {2, 3, 4, 6, 7, 8, 10, 10, 10};
    for (uint64_t s = 0; s < sizeof expected / sizeof *expected; s++) {
        assert_int_equal(ramp_slices(r, 10, s), expected[s]);
        assert_int_equal(ramp_slices(none, 10, s), 10);
    }
}

static void steps_begin_behind_all_slices_before_them(void **state)
{
    (void)state;
    for (uint32_t V = 1; V < 40; V += 3)
        for (uint32_t from = 1; from <= V; from += 2)
            for (uint64_t steps = 0; steps < 60; steps += 7) {
                const struct ramp r = {steps, from};
                uint64_t before = 0;
                for (uint64_t s = 0; s < 100; s++) {
                    assert_int_equal(ramp_before(r, V, s), before);
                    before += ramp_slices(r, V, s);
                }
            }
    const struct ramp longest = {RAMP_STEPS_MAX, 1}; /* (1 + V) / 2 in the mean */
    const double mean = (double)ramp_before(longest, 65536, RAMP_STEPS_MAX) / 1e9;
    assert_true(fabs(mean - 65537.0 / 2) < 1);
}

static void lengths_in_data_become_steps(void **state)
{
    (void)state;
    const struct ramp none = {0},
                      r = {.steps = 6, .from = 2}; /* 30 slices, then 10 each */
    static const struct {
        double full, steps;
    } cases[] = {{0.1, 1}, {0.2, 1}, {0.21, 2}, {2.2, 5}, {3, 6}, {4, 7}, {5.5, 8.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(fabs(ramp_steps(r, 10, cases[i].full) - cases[i].steps) < 1e-9);
        assert_true(ramp_steps(none, 10, cases[i].full) == cases[i].full);
    }
}

/* What lets workers add along the tree of whole steps (base/ramp.h): a node of that, all
 * of whose slices a step has, is one of its own tree, of the same parts. */
static void a_subtree_is_the_same_in_a_smaller_step(void **state)
{
    (void)state;
    for (uint32_t V = 1; V < 40; V++)
        for (uint32_t less = 1; less <= V; less++)
            for (uint32_t level = 0; level < 6; level++)
                for (uint32_t i = 0; i << level < less; i++) {
                    const struct tree_node n = {level, i};
                    if (!tree_valid(n, V) || tree_end(n, V) > less)
                        continue;
                    assert_true(tree_valid(n, less));
                    assert_int_equal(tree_end(n, less), tree_end(n, V));
                    if (level > 0)
                        assert_true(tree_same(tree_right(n, V), tree_right(n, less)));
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_step_has_more_slices_than_the_one_before_up_to_all),
        T(steps_begin_behind_all_slices_before_them), T(lengths_in_data_become_steps),
        T(a_subtree_is_the_same_in_a_smaller_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
