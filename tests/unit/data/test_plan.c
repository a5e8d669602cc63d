/* How a step and the held-out text are cut: everything once, and no piece larger than
 * said. */
#include "support/test.h"

#include "data/plan.h"

#define PLAN(B, V, T) {.batch = B, .slices = V, .context = T}
static const struct plan plans[] = {
    PLAN(1, 1, 1),   PLAN(16, 8, 256),      PLAN(17, 8, 64),
    PLAN(7, 7, 3),   PLAN(65536, 65536, 1), PLAN(5, 2, 511),
    PLAN(5, 2, 512), PLAN(5, 2, 513),       PLAN(1000003, 999, 1024),
};
enum { PLANS = sizeof plans / sizeof *plans };

static void the_slices_of_a_step_have_each_sample_once_and_are_of_like_size(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        const struct plan p = plans[i];
        const uint32_t least = p.batch / p.slices;
        uint64_t next = 0;
        for (uint32_t v = 0; v < p.slices; v++) {
            const struct plan_piece piece = plan_slice(p, v);
            assert_int_equal(piece.first, next);
            assert_in_range(piece.sequences, least, least + (p.batch % p.slices > 0));
            assert_true((uint64_t)piece.sequences * p.context <= plan_rows(p));
            next += piece.sequences;
        }
        assert_int_equal(next, p.batch);
    }
}

static void the_held_out_slices_have_each_window_once(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        const struct plan p = plans[i];
        const uint32_t lasts[] = {1, (p.context + 1) / 2, p.context};
        for (uint64_t windows = 1; windows < 3000; windows = windows * 2 + 1)
            for (int k = 0; k < 3; k++) {
                const uint32_t n = plan_held_out_slices(p, windows, lasts[k]);
                uint64_t next = 0;
                for (uint32_t v = 0; v < n; v++) {
                    const struct plan_piece piece =
                        plan_held_out(p, windows, lasts[k], v);
                    assert_int_equal(piece.first, next);
                    assert_true(piece.sequences > 0);
                    assert_true((uint64_t)piece.sequences * p.context <= plan_rows(p));
                    next += piece.sequences;
                }
                assert_int_equal(next, windows);
            }
    }
}

/* Its length is not that of the others, and a slice has one length. */
static void a_shorter_last_window_is_a_slice_of_its_own(void **state)
{
    (void)state;
    const struct plan p = {.batch = 16, .slices = 8, .context = 256};
    const uint32_t n = plan_held_out_slices(p, 5, 100);
    assert_int_equal(n, 3);
    const struct plan_piece last = plan_held_out(p, 5, 100, n - 1);
    assert_int_equal(last.first, 4);
    assert_int_equal(last.sequences, 1);
    assert_int_equal(plan_held_out_slices(p, 4, 256), 2);
    assert_int_equal(plan_held_out_slices(p, 1, 100), 1);
}

static void the_largest_configuration_does_not_wrap_around(void **state)
{
    (void)state;
    const struct plan p = {.batch = 1 << 20, .slices = 1, .context = 65536};
    assert_true(plan_rows(p) == 1ull << 36);
}

static void an_encoder_makes_it_a_plan_of_pairs_and_their_tokens(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    c.model.context = 100;
    c.train.slices = 8;
    c.train.batch_tokens = 8191;
    assert_int_equal(plan_rows(plan_of(&c)), 512 / 100 * 100);
    c.model.encoder_layers = 1;
    assert_int_equal(plan_rows(plan_of(&c)), 1023 + 1 + 100);
    c.augment.source_bpe = 0.25;
    c.augment.target_bpe = 0.5;
    assert_int_equal(plan_rows(plan_of(&c)), 3 * (1023 + 1 + 100));
    c.model.encoder_layers = 0; /* windows keep their length */
    assert_int_equal(plan_rows(plan_of(&c)), 512 / 100 * 100);
}

RUN(T(an_encoder_makes_it_a_plan_of_pairs_and_their_tokens),
    T(the_slices_of_a_step_have_each_sample_once_and_are_of_like_size),
    T(the_held_out_slices_have_each_window_once),
    T(a_shorter_last_window_is_a_slice_of_its_own),
    T(the_largest_configuration_does_not_wrap_around))
