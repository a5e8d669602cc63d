#include "support/sets.h"

#include "support/rows_reference.h"

enum { LONGEST = 700 };

static const struct rows_dropout_site site = {
    .key = {{0x1234, 0x9876}}, .site = 3, .sample = 1u << 31, .step = 17};

/* 0.1f is not 0.1: the threshold is that of the number as given. */
static const double shares[] = {1e-9, 0.1, 0.25, 0.5, 0.9, 0.999};
enum { SHARES = sizeof shares / sizeof *shares };

static void every_decision_is_the_one_that_philox_defines(void **state)
{
    (void)state;
    static const size_t firsts[] = {0, 4, 1000, 4ull * 0xfffffe00};
    real *x = random_reals(LONGEST, 1, 1);
    double want[LONGEST];
    FOR_EACH_SET(set)
    for (int s = 0; s < SHARES; s++)
        for (int f = 0; f < 4; f++)
            for (size_t n = 1; n <= LONGEST; n = n < 140 ? n + 1 : n + 61) {
                real *y = malloc(n * sizeof *y);
                rows_dropout_part(y, x, firsts[f], n, (real)shares[s], site);
                reference_dropout(want, x, firsts[f], n, (real)shares[s], site);
                for (size_t i = 0; i < n; i++)
                    assert_int_equal(y[i] == 0, want[i] == 0);
                assert_true(worst_error(y, want, n, 0) <= (shares[s] > 0.99 ? 80 : 2));
                free(y);
            }
    free(x);
}

/* A word whose last 8 bits are 0 is a share that a float can hold. */
static void a_word_equal_to_the_threshold_is_kept(void **state)
{
    (void)state;
    uint32_t i = 0;
    struct philox_block r;
    do
        r = philox(site.key,
                   (struct philox_block){{i++, site.site, site.sample, site.step}});
    while ((r.word[0] & 0xff) != 0);
    const size_t first = 4 * (size_t)(i - 1);
    const real p = (real)((double)r.word[0] * 0x1p-32), x = 1;
    FOR_EACH_SET(set)
    {
        real y;
        rows_dropout_part(&y, &x, first, 1, p, site);
        assert_true(y > 0);
        rows_dropout_part(&y, &x, first, 1, p + (real)0x1p-24, site);
        assert_true(y == 0);
    }
}

static void a_block_in_parts_is_the_block(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 4, 60, 64, 300, 696, LONGEST};
    real *x = random_reals(LONGEST, 1, 2), whole[LONGEST], parts[LONGEST];
    FOR_EACH_SET(set)
    {
        rows_dropout(whole, x, LONGEST, (real)0.3, site);
        for (size_t c = 0; c + 1 < sizeof cuts / sizeof *cuts; c++)
            rows_dropout_part(parts + cuts[c], x + cuts[c], cuts[c],
                              cuts[c + 1] - cuts[c], (real)0.3, site);
        assert_memory_equal(whole, parts, sizeof whole);
    }
    free(x);
}

static void all_instruction_sets_drop_the_same_bits(void **state)
{
    (void)state;
    real *x = random_reals(LONGEST, 1, 3), first[LONGEST], y[LONGEST];
    set_start(0);
    rows_dropout(first, x, LONGEST, (real)0.2, site);
    FOR_EACH_SET(set)
    {
        rows_dropout(y, x, LONGEST, (real)0.2, site);
        assert_memory_equal(y, first, sizeof y);
    }
    free(x);
}

static void the_result_may_overwrite_the_input_and_no_share_copies(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        real *x = random_reals(LONGEST, 1, 4), y[LONGEST];
        rows_dropout(y, x, LONGEST, 0, site);
        assert_memory_equal(y, x, sizeof y);
        rows_dropout(y, x, LONGEST, (real)0.5, site);
        rows_dropout(x, x, LONGEST, (real)0.5, site);
        assert_memory_equal(y, x, sizeof y);
        free(x);
    }
}

static void the_dropped_share_is_the_one_asked_for(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    real *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 1;
    FOR_EACH_SET(set)
    for (int s = 0; s < SHARES; s++) {
        size_t dropped = 0;
        rows_dropout(y, x, COUNT, (real)shares[s], site);
        for (size_t i = 0; i < COUNT; i++)
            dropped += y[i] == 0;
        const double p = shares[s], sigma = sqrt(COUNT * p * (1 - p));
        assert_true(fabs((double)dropped - COUNT * p) <= 4 * sigma + 1);
    }
    free(x);
    free(y);
}

static void another_key_site_sample_or_step_drops_others(void **state)
{
    (void)state;
    real x[LONGEST], y[5][LONGEST];
    struct rows_dropout_site at[5] = {site, site, site, site, site};
    at[1].key.word[1]++;
    at[2].site++;
    at[3].sample++;
    at[4].step++;
    for (size_t i = 0; i < LONGEST; i++)
        x[i] = 1;
    FOR_EACH_SET(set)
    {
        for (int i = 0; i < 5; i++)
            rows_dropout(y[i], x, LONGEST, (real)0.5, at[i]);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < i; j++)
                assert_memory_not_equal(y[i], y[j], sizeof y[i]);
    }
}

RUN(T(every_decision_is_the_one_that_philox_defines),
    T(a_word_equal_to_the_threshold_is_kept), T(a_block_in_parts_is_the_block),
    T(all_instruction_sets_drop_the_same_bits),
    T(the_result_may_overwrite_the_input_and_no_share_copies),
    T(the_dropped_share_is_the_one_asked_for),
    T(another_key_site_sample_or_step_drops_others))
