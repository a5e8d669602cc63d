#include "support/sets.h"

#include "optim/clip.h"

/* Five blocks and a bit: a tree with nodes that have no partner. */
enum { COUNT = 5 * CLIP_BLOCK + 777, BLOCKS = 6 };

static float *gradient(void)
{
    float *g = malloc(COUNT * sizeof *g);
    for (size_t i = 0; i < COUNT; i++)
        g[i] = (float)(uniform(1, i) * (i % 1000 == 0 ? 1e3 : 1e-3));
    return g;
}

static void a_vector_has_as_many_blocks_as_it_needs(void **state)
{
    (void)state;
    static const size_t cases[][2] = {
        {0, 0}, {1, 1}, {CLIP_BLOCK, 1}, {CLIP_BLOCK + 1, 2}, {COUNT, BLOCKS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(clip_blocks(cases[i][0]), cases[i][1]);
}

static void the_norm_is_the_norm(void **state)
{
    (void)state;
    float *g = gradient();
    double sums[BLOCKS], want = 0;
    for (size_t i = 0; i < COUNT; i++)
        want += (double)g[i] * (double)g[i];
    FOR_EACH_SET(set)
    {
        const double got = clip_sum_squares(g, COUNT, sums);
        assert_true(fabs(got - want) <= 1e-12 * want);
    }
    free(g);
}

static void sums_of_squares_are_right_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t n = 0; n <= 100; n++) {
        float *x = malloc(n * sizeof *x + 1);
        for (size_t i = 0; i < n; i++)
            x[i] = (float)(i + 1);
        /* 1 + 4 + 9 + ... : whole numbers are exact in any order */
        assert_true(rows_sum_squares(x, n) == (double)(n * (n + 1) * (2 * n + 1) / 6));
        free(x);
    }
}

static void the_largest_is_found_wherever_it_stands(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t n = 0; n <= 40; n++)
        for (size_t at = 0; at < n; at++) {
            float x[40];
            for (size_t i = 0; i < n; i++)
                x[i] = i == at ? -3 : i % 2 ? 2 : NAN;
            assert_true(rows_largest(x, n) == 3);
            assert_true(rows_largest(x, 0) == 0);
        }
}

static void blocks_in_any_order_and_any_instruction_set_give_the_same_bits(void **state)
{
    (void)state;
    float *g = gradient();
    double sums[BLOCKS];
    set_start(0);
    const double first = clip_sum_squares(g, COUNT, sums);
    FOR_EACH_SET(set)
    {
        for (size_t b = BLOCKS; b-- > 0;)
            sums[b] = clip_block_sum(g, COUNT, b);
        assert_true(clip_tree(sums, BLOCKS) == first);
    }
    free(g);
}

/* Numbers that show the order: 2^53 + 1 + 1 is 2^53 from the left, 2^53 + 2 otherwise. */
static void the_tree_pairs_neighbours_and_carries_the_odd_one_up(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double sums[6], want;
    } cases[] = {
        {1, {3}, 3},
        {2, {0x1p53, 1}, 0x1p53},
        {3, {0x1p53, 1, 1}, 0x1p53},
        {3, {1, 1, 0x1p53}, 0x1p53 + 2},
        {4, {0x1p53, 0, 1, 1}, 0x1p53 + 2},
        {4, {0, 0x1p53, 1, 0}, 0x1p53},
        {5, {1, 0, 1, 0, 0x1p53}, 0x1p53 + 2},
        {6, {0x1p53, 0, 0, 0, 1, 1}, 0x1p53 + 2},
        {6, {0x1p53, 1, 0, 0, 1, 0}, 0x1p53},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double sums[6];
        memcpy(sums, cases[i].sums, sizeof sums);
        assert_true(clip_tree(sums, cases[i].n) == cases[i].want);
    }
}

static void
large_gradients_are_scaled_to_the_limit_and_small_ones_left_alone(void **state)
{
    (void)state;
    assert_true(clip_factor(0.5, 1) == 1);
    assert_true(clip_factor(1, 1) == 1);
    assert_true(clip_factor(4, 1) == 0.25);
    assert_true(clip_factor(0, 1) == 1);
    assert_true(clip_factor(1e30, 0) == 1);
}

static void squares_that_float_cannot_hold_are_counted(void **state)
{
    (void)state;
    const float huge[] = {1e30f, 1e30f}, tiny[] = {1e-30f, 1e-30f};
    FOR_EACH_SET(set)
    {
        assert_true(fabs(rows_sum_squares(huge, 2) / 2e60 - 1) < 1e-6);
        assert_true(fabs(rows_sum_squares(tiny, 2) / 2e-60 - 1) < 1e-6);
    }
}

RUN(T(a_vector_has_as_many_blocks_as_it_needs), T(the_norm_is_the_norm),
    T(sums_of_squares_are_right_at_all_sizes),
    T(the_largest_is_found_wherever_it_stands),
    T(blocks_in_any_order_and_any_instruction_set_give_the_same_bits),
    T(the_tree_pairs_neighbours_and_carries_the_odd_one_up),
    T(large_gradients_are_scaled_to_the_limit_and_small_ones_left_alone),
    T(squares_that_float_cannot_hold_are_counted))
