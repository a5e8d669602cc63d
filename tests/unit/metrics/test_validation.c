#include "support/test.h"

#include "metrics/validation.h"

static void take(struct validation *v, uint64_t step, double loss)
{
    validation_take(v, step, (const double[]){loss, -loss});
}

static void rows_are_named(void **state)
{
    (void)state;
    assert_int_equal(VALIDATION_METRICS, 2); /* take() above gives two values */
    assert_string_equal(validation_rows[VALIDATION_HELD_OUT_LOSS].name, "held_out_loss");
    assert_false(validation_rows[VALIDATION_HELD_OUT_LOSS].higher);
    assert_string_equal(validation_rows[VALIDATION_BLEU].name, "bleu");
    assert_true(validation_rows[VALIDATION_BLEU].higher);
}

static void what_is_not_better_is_stale(void **state)
{
    (void)state;
    static const struct {
        double loss, best;
        uint64_t best_step;
        uint32_t stale;
    } cases[] = {{NAN, NAN, UINT64_MAX, 1},
                 {3, 3, 20, 0},
                 {3, 3, 20, 1},
                 {4, 3, 20, 2},
                 {2.5, 2.5, 50, 0},
                 {INFINITY, 2.5, 50, 1},
                 {-INFINITY, 2.5, 50, 2},
                 {NAN, 2.5, 50, 3},
                 {2, 2, 90, 0}};
    struct validation v;
    validation_init(&v);
    assert_false(validation_is_best(&v, VALIDATION_HELD_OUT_LOSS));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint64_t step = 10 * (i + 1);
        take(&v, step, cases[i].loss);
        const struct validation_mark *m = &v.mark[VALIDATION_HELD_OUT_LOSS];
        assert_int_equal(v.step, step);
        assert_true(m->best == cases[i].best || (isnan(m->best) && isnan(cases[i].best)));
        assert_int_equal(m->best_step, cases[i].best_step);
        assert_int_equal(v.mark[VALIDATION_BLEU].best_step, cases[i].best_step);
        assert_int_equal(m->stale, cases[i].stale);
        assert_int_equal(validation_is_best(&v, VALIDATION_HELD_OUT_LOSS),
                         cases[i].best_step == step);
    }
}

/* Two metrics, and a third that was never measured. */
static void patience_is_over_for_any_or_for_all(void **state)
{
    (void)state;
    static const struct {
        uint32_t stale[2], patience;
        bool any, all;
    } cases[] = {{{0, 0}, 3, false, false}, {{2, 2}, 3, false, false},
                 {{3, 2}, 3, true, false},  {{0, 9}, 3, true, false},
                 {{3, 4}, 3, true, true},   {{9, 9}, 0, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct validation_mark mark[] = {
            {.best_step = 10, .stale = cases[i].stale[0]},
            {.best_step = 10, .stale = cases[i].stale[1]},
            {.best_step = UINT64_MAX, .stale = i % 2 ? 9 : 0}};
        assert_int_equal(validation_over(mark, 3, cases[i].patience, false),
                         cases[i].any);
        assert_int_equal(validation_over(mark, 3, cases[i].patience, true), cases[i].all);
        assert_false(validation_over(mark + 2, 1, cases[i].patience, true));
    }
}

RUN(T(rows_are_named), T(what_is_not_better_is_stale),
    T(patience_is_over_for_any_or_for_all))
