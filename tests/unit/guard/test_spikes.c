/* What is far above the last values, and what becomes of it. */
#include "support/test.h"

#include "guard/spikes.h"

enum { WINDOW = 4 };

static struct spikes full(void)
{
    static const double losses[WINDOW] = {1, 3, 1, 3}; /* mean 2, sigma 1 */
    struct spikes s = {0};
    for (int i = 0; i < WINDOW; i++)
        spikes_accept(&s, WINDOW, losses[i], 10 * losses[i]);
    return s;
}

static void distances_are_in_standard_deviations(void **state)
{
    (void)state;
    const struct spikes s = full();
    assert_true(spikes_z(&s, SPIKES_LOSS, WINDOW, 8) == 6);
    assert_true(spikes_z(&s, SPIKES_NORM, WINDOW, 80) == 6);
    assert_true(spikes_z(&s, SPIKES_LOSS, WINDOW, 0) == -2);
    assert_true(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6) == 8);
    assert_true(spikes_limit(&s, SPIKES_NORM, WINDOW, 6) == 80);
    assert_true(isinf(spikes_limit(&s, SPIKES_LOSS, WINDOW, 0))); /* off */
}

static void
nothing_is_a_spike_before_the_window_is_full_or_while_all_are_alike(void **state)
{
    (void)state;
    struct spikes s = {0};
    for (int i = 0; i < 3 * WINDOW; i++) {
        assert_true(isinf(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6)));
        assert_true(spikes_z(&s, SPIKES_LOSS, WINDOW, 1e9) == 0);
        spikes_accept(&s, WINDOW, 1, 1);
    }
    spikes_accept(&s, WINDOW, 2, 1);
    assert_true(isfinite(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6)));
    assert_true(isinf(spikes_limit(&s, SPIKES_NORM, WINDOW, 6)));
}

static void the_window_holds_the_last_accepted_ones(void **state)
{
    (void)state;
    struct spikes s = {0};
    for (int i = 0; i < 5 * WINDOW; i++)
        spikes_accept(&s, WINDOW, i % 2 ? 1000 : -1000, 5);
    const struct spikes usual = full();
    for (int i = 0; i < WINDOW; i++)
        spikes_accept(&s, WINDOW, usual.last[SPIKES_LOSS][i], usual.last[SPIKES_NORM][i]);
    spikes_skip(&s, WINDOW);
    assert_int_equal(s.n, WINDOW);
    assert_memory_equal(s.last[SPIKES_LOSS], usual.last[SPIKES_LOSS],
                        WINDOW * sizeof(double));
    assert_true(spikes_limit(&s, SPIKES_NORM, WINDOW, 1) == 30);
}

/* Or a run whose loss has moved would skip all that is left of it. */
static void what_stays_high_for_a_window_is_the_usual(void **state)
{
    (void)state;
    struct spikes s = full();
    for (int i = 0; i < WINDOW; i++) {
        assert_true(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6) == 8);
        spikes_skip(&s, WINDOW);
    }
    assert_true(isinf(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6)));
    s = full();
    for (int i = 0; i < 10 * WINDOW; i++) { /* not in a row */
        spikes_skip(&s, WINDOW);
        spikes_accept(&s, WINDOW, i % 2 ? 3 : 1, 1); /* as those that leave */
        assert_true(spikes_limit(&s, SPIKES_LOSS, WINDOW, 6) == 8);
    }
}

RUN(T(distances_are_in_standard_deviations),
    T(nothing_is_a_spike_before_the_window_is_full_or_while_all_are_alike),
    T(the_window_holds_the_last_accepted_ones),
    T(what_stays_high_for_a_window_is_the_usual))
