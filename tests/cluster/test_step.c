/* The two cores together, played from scripts and seeds (play.h). */
#include "support/test.h"

#include "base/err.h"
#include "cluster/play.h"

static void a_run_of_two_steps_reads_like_this(void **state)
{
    (void)state;
    struct play *p = play_new(&(struct play_options){.workers = 1,
                                                     .slices = 6,
                                                     .eval_slices = 2,
                                                     .steps = 2,
                                                     .eval_every = 2,
                                                     .checkpoint_every = 1,
                                                     .seed = 3});
    assert_true(play_run(p));
    assert_string_equal(play_trace(p), "welcome worker 1\n"
                                       "lease worker 1 step 0..6\n"
                                       "commit 1\n"
                                       "checkpoint 1\n"
                                       "lease worker 1 step 0..6\n"
                                       "commit 2\n"
                                       "lease worker 1 held-out 0..1\n"
                                       "lease worker 1 held-out 1..2\n"
                                       "evaluated 2\n"
                                       "checkpoint 2\n"
                                       "finish ERR_OK\n");
    play_free(p);
}

static void any_number_of_workers_in_any_order_ends_in_the_same_parameters(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const struct play_options o = {.workers = 1 + seed % 7,
                                       .slices = 1 + seed % 13,
                                       .eval_slices = seed % 5,
                                       .steps = 12,
                                       .eval_every = 4,
                                       .checkpoint_every = 5,
                                       .seed = seed};
        struct play *p = play_new(&o);
        if (!play_run(p) || play_err(p) != ERR_OK || play_version(p) != 12 ||
            play_parameters(p) != play_expected(o.slices, 12) || play_checkpoint(p) != 12)
            fail_msg("seed %llu\n%s", (unsigned long long)seed, play_trace(p));
        assert_int_equal(play_evaluations(p), o.eval_slices ? 3 : 0);
        play_free(p);
    }
}

static void a_stop_at_any_moment_leaves_a_checkpoint_of_the_newest_version(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 150; at++) {
        struct play *p = play_new(&(struct play_options){.workers = 3,
                                                         .slices = 8,
                                                         .eval_slices = 7,
                                                         .steps = 1000,
                                                         .eval_every = 3,
                                                         .checkpoint_every = 4,
                                                         .seed = at,
                                                         .stop_after = at});
        if (!play_run(p) || play_err(p) != ERR_STOPPED ||
            play_checkpoint(p) != play_version(p) ||
            play_parameters(p) != play_expected(8, play_version(p)))
            fail_msg("stopped after %llu events\n%s", (unsigned long long)at,
                     play_trace(p));
        play_free(p);
    }
}

static void a_lost_worker_ends_the_job_with_a_checkpoint(void **state)
{
    (void)state;
    for (uint64_t at = 12; at <= 120; at++) {
        struct play *p = play_new(&(struct play_options){.workers = 3,
                                                         .slices = 8,
                                                         .eval_slices = 7,
                                                         .steps = 1000,
                                                         .eval_every = 3,
                                                         .checkpoint_every = 4,
                                                         .seed = at,
                                                         .kill_after = at});
        if (!play_run(p) || play_err(p) != ERR_CLOSED ||
            play_checkpoint(p) != play_version(p))
            fail_msg("killed after %llu events\n%s", (unsigned long long)at,
                     play_trace(p));
        play_free(p);
    }
}

static void a_resumed_run_goes_on_where_it_was(void **state)
{
    (void)state;
    struct play *p = play_new(&(struct play_options){
        .workers = 2, .slices = 5, .steps = 9, .seed = 1, .from_version = 6});
    assert_true(play_run(p));
    assert_int_equal(play_version(p), 9);
    assert_int_equal(play_parameters(p), play_expected(5, 9));
    play_free(p);

    p = play_new(&(struct play_options){
        .workers = 2, .slices = 5, .steps = 9, .seed = 1, .from_version = 9});
    assert_true(play_run(p));
    assert_string_equal(play_trace(p), "finish ERR_OK\n"); /* nothing was left to do */
    play_free(p);
}

static void a_full_disk_does_not_stop_the_training_but_is_told_at_the_end(void **state)
{
    (void)state;
    struct play *p = play_new(&(struct play_options){.workers = 2,
                                                     .slices = 4,
                                                     .steps = 20,
                                                     .checkpoint_every = 3,
                                                     .seed = 5,
                                                     .disk_full = true});
    assert_true(play_run(p));
    assert_int_equal(play_version(p), 20);
    assert_int_equal(play_err(p), ERR_NO_SPACE);
    play_free(p);
}

static void a_gradient_that_is_not_finite_ends_the_run_before_it_is_applied(void **state)
{
    (void)state;
    struct play *p = play_new(&(struct play_options){
        .workers = 2, .slices = 4, .steps = 20, .seed = 5, .diverge_at = 7});
    assert_true(play_run(p));
    assert_int_equal(play_err(p), ERR_NO_PROGRESS);
    assert_int_equal(play_version(p), 7);
    assert_int_equal(play_checkpoint(p), 7);
    assert_int_equal(play_parameters(p), play_expected(4, 7));
    play_free(p);
}

static void evaluation_alone_changes_nothing(void **state)
{
    (void)state;
    struct play *p = play_new(&(struct play_options){.workers = 3,
                                                     .slices = 4,
                                                     .eval_slices = 50,
                                                     .eval_every = 1,
                                                     .steps = 20,
                                                     .seed = 5,
                                                     .from_version = 8,
                                                     .eval_only = true});
    assert_true(play_run(p));
    assert_int_equal(play_err(p), ERR_OK);
    assert_int_equal(play_version(p), 8);
    assert_int_equal(play_evaluations(p), 1);
    play_free(p);
}

RUN(T(a_run_of_two_steps_reads_like_this),
    T(any_number_of_workers_in_any_order_ends_in_the_same_parameters),
    T(a_stop_at_any_moment_leaves_a_checkpoint_of_the_newest_version),
    T(a_lost_worker_ends_the_job_with_a_checkpoint),
    T(a_resumed_run_goes_on_where_it_was),
    T(a_full_disk_does_not_stop_the_training_but_is_told_at_the_end),
    T(a_gradient_that_is_not_finite_ends_the_run_before_it_is_applied),
    T(evaluation_alone_changes_nothing))
