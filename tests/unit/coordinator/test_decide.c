/* What becomes of a step: updated, skipped, or the run goes back.  One worker computes;
 * what it says of loss and norm decides. */
#include "unit/coordinator/stage.h"

enum { WINDOW = 4 };

static struct coordinator_conf guarded(double loss_z, double norm_z)
{
    struct coordinator_conf conf = default_conf(1);
    conf.steps = 100;
    conf.outlier = 0;
    conf.skip_loss_z = loss_z;
    conf.skip_norm_z = norm_z;
    conf.skip_window = WINDOW;
    return conf;
}

/* To the update, or to what takes its place. */
static void compute(struct stage *s, double loss)
{
    const struct action lease = *lease_of(s, 1);
    assert_int_equal(lease.lease, LEASE_TRAIN);
    give(s, &lease, 3 * loss); /* of 3 targets */
}

static void update(struct stage *s, double norm)
{
    assert_non_null(find(s, ACTION_UPDATE));
    feed(s, (struct event){.kind = EVENT_UPDATED, .norm = norm, .clip = 1});
}

static void make(struct stage *s, double loss, double norm)
{
    compute(s, loss);
    update(s, norm);
}

/* Losses and norms of 1 and 3: mean 2, sigma 1. */
static void fill(struct stage *s)
{
    for (int i = 0; i < WINDOW; i++) {
        make(s, 1 + i % 2 * 2, 1 + i % 2 * 2);
        assert_false(find(s, ACTION_COMMIT)->skipped);
    }
}

static void a_loss_far_above_the_last_ones_is_not_applied(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(6, 0));
    fill(&s);
    for (int twice = 0; twice < 2; twice++) { /* measured against what was accepted */
        compute(&s, 8.5);
        assert_null(find(&s, ACTION_UPDATE));
        assert_non_null(find(&s, ACTION_DISCARD));
        assert_int_equal(find(&s, ACTION_SKIP)->step, WINDOW + twice);
        const struct action *a = find(&s, ACTION_COMMIT);
        assert_true(a->skipped == SKIP_LOSS && a->z == 6.5 && a->loss == 8.5);
        assert_int_equal(lease_of(&s, 1)->step, WINDOW + twice + 1); /* other data */
    }
    make(&s, 8, 1000); /* at most six, and the norm may be what it likes */
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

static void a_norm_far_above_the_last_ones_is_not_applied(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(0, 6));
    fill(&s);
    compute(&s, 1000);
    assert_true(find(&s, ACTION_UPDATE)->limit == 8);
    update(&s, 8.5);
    const struct action *a = find(&s, ACTION_COMMIT);
    assert_true(a->skipped == SKIP_NORM && a->z == 6.5 && a->norm == 8.5);
    assert_non_null(find(&s, ACTION_SKIP));
    make(&s, 1, 8);
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

static void nothing_is_a_spike_unless_asked_for(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(0, 0));
    fill(&s);
    compute(&s, 1e30);
    assert_true(isinf(find(&s, ACTION_UPDATE)->limit));
    update(&s, 1e30);
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

/* --- divergence ------------------------------------------------------------------------
 */

enum { STEADY = 20, EVERY = 5, BACK = 7 };

static struct coordinator_conf diverging(enum on_divergence what)
{
    struct coordinator_conf conf = guarded(0, 0);
    conf.checkpoint_every = EVERY;
    conf.divergence = 1.5;
    conf.trend_fast = 1;
    conf.trend_slow = 100;
    conf.on_divergence = what;
    conf.rewind_steps = BACK;
    conf.rewind_rate = 0.5;
    conf.rewind_limit = 2;
    return conf;
}

static void saved(struct stage *s, uint64_t version)
{
    feed(s, (struct event){.kind = EVENT_CHECKPOINTED, .step = version});
}

/* A step, and the checkpoint that is due after it. */
static void make_and_save(struct stage *s, double loss)
{
    make(s, loss, 1);
    const struct action lease = *lease_of(s, 1);
    if (find(s, ACTION_CHECKPOINT))
        saved(s, s->c.version);
    s->out.list[0] = lease;
    s->out.n = 1;
}

/* STEADY steps, then one loss that is much too high.  What follows is in s->out. */
static void diverge(struct stage *s)
{
    while (s->c.version < STEADY)
        make_and_save(s, 2 + (double)(s->c.version % 2));
    make(s, 1000, 1);
    assert_int_equal(s->c.version, STEADY + 1);
    assert_true(find(s, ACTION_DIVERGES)->loss > find(s, ACTION_DIVERGES)->usual);
}

static void it_is_said_once_and_training_goes_on(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_WARN));
    diverge(&s);
    assert_int_equal(lease_of(&s, 1)->step, STEADY + 1);
    make(&s, 1000, 1);
    assert_null(find(&s, ACTION_DIVERGES));
    assert_non_null(lease_of(&s, 1));
    end(&s);
}

static void or_the_run_ends_with_a_checkpoint(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_STOP));
    diverge(&s);
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, STEADY + 1);
    saved(&s, STEADY + 1);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_NO_PROGRESS);
    end(&s);
}

/* As the driver finds it: no memory of losses, all turns. */
static struct coordinator_from loaded(const struct stage *s, uint64_t version)
{
    struct coordinator_from from = coordinator_from_nothing();
    from.version = version;
    from.saved = version > 0;
    from.guard.turns = s->c.guard.turns;
    return from;
}

static void rewound(struct stage *s, struct coordinator_from from)
{
    feed(s, (struct event){.kind = EVENT_REWOUND, .from = &from});
}

static void or_it_goes_back_and_on_past_the_data(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    diverge(&s);
    const struct action a = *find(&s, ACTION_REWIND);
    assert_int_equal(a.step, STEADY + 1);
    assert_int_equal(a.version, 10); /* of 21 - 7 the multiple of 5 */
    assert_int_equal(a.data, STEADY + 1 - 10);
    assert_true(a.rate == 0.5);
    assert_null(lease_of(&s, 1));
    feed(&s, (struct event){.kind = EVENT_TICK}); /* the loop goes on meanwhile */
    assert_int_equal(say(&s, 2, good_join(0)), ERR_OK);
    assert_null(lease_of(&s, 2));

    rewound(&s, loaded(&s, 10));
    assert_non_null(find(&s, ACTION_PARAMETERS));
    assert_int_equal(lease_of(&s, 1)->version, 10);
    assert_int_equal(lease_of(&s, 1)->step,
                     STEADY + 1); /* no sample twice, none left out */
    make(&s, 2, 1);
    const struct action *c = find(&s, ACTION_COMMIT);
    assert_true(c->step == 10 && c->version == 11 && c->data == STEADY + 1);
    assert_true(c->rate == 0.5);
    end(&s);
}

static void on_the_way_to_the_turn_data_and_rate_are_the_old_ones(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    diverge(&s);
    rewound(&s, loaded(&s, 9)); /* 10 is not there any more */
    assert_int_equal(lease_of(&s, 1)->step, 9);
    make(&s, 2, 1);
    assert_true(find(&s, ACTION_COMMIT)->rate == 1);
    assert_int_equal(lease_of(&s, 1)->version, 10);
    assert_int_equal(lease_of(&s, 1)->step, STEADY + 1);
    end(&s);
}

static void a_version_of_another_way_is_sent_again(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    diverge(&s);
    s.c.guard.turns.list[0].version = STEADY; /* which the worker was sent before */
    rewound(&s, loaded(&s, STEADY));
    assert_int_equal(lease_of(&s, 1)->version, STEADY);
    assert_non_null(find(&s, ACTION_PARAMETERS));
    end(&s);
}

static void a_checkpoint_that_is_being_written_is_waited_for(void **state)
{
    (void)state;
    struct coordinator_conf conf = diverging(DIVERGED_REWIND);
    conf.checkpoint_every = 2 * STEADY; /* half-way at STEADY */
    struct stage s;
    gather(&s, conf);
    while (s.c.version < STEADY)
        make(&s, 2 + (double)(s.c.version % 2), 1);
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, STEADY);
    make(&s, 1000, 1);
    assert_non_null(find(&s, ACTION_DIVERGES));
    assert_null(find(&s, ACTION_REWIND));
    feed(&s, (struct event){.kind = EVENT_STOP}); /* which has to wait, too */
    assert_int_equal(s.out.n, 0);
    saved(&s, STEADY);
    assert_int_equal(find(&s, ACTION_REWIND)->version, 0);
    rewound(&s, loaded(&s, 0));
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_STOPPED);
    end(&s);
}

static void it_goes_back_so_often_and_then_ends(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    diverge(&s);
    struct coordinator_from from = loaded(&s, 10);
    from.guard.trend = s.c.guard.trend; /* it diverges there, too: farther back */
    rewound(&s, from);
    assert_int_equal(find(&s, ACTION_REWIND)->version, 0);
    assert_int_equal(find(&s, ACTION_REWIND)->data, STEADY + 1);
    assert_true(find(&s, ACTION_REWIND)->rate == 0.25);
    from.version = 0;
    from.guard.turns = s.c.guard.turns;
    rewound(&s, from);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_NO_PROGRESS);
    end(&s);
}

static void what_cannot_be_loaded_ends_the_run_and_is_not_saved(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    diverge(&s);
    feed(&s, (struct event){.kind = EVENT_REWOUND, .err = ERR_NO_VALID});
    assert_null(find(&s, ACTION_CHECKPOINT));
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_NO_VALID);
    end(&s);
}

/* That step has no commit; its data are left out all the same. */
static void what_is_not_finite_diverges(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, diverging(DIVERGED_REWIND));
    for (int i = 0; i < 3; i++)
        make_and_save(&s, 2);
    compute(&s, 2);
    update(&s, NAN);
    assert_null(find(&s, ACTION_COMMIT));
    assert_int_equal(find(&s, ACTION_REWIND)->version, 0);
    assert_int_equal(find(&s, ACTION_REWIND)->data, 4);
    end(&s);
}

/* As if the evaluations after it had never been. */
static void evaluations_and_patience_are_those_of_the_version_gone_back_to(void **state)
{
    (void)state;
    static const struct {
        uint64_t evaluated;
        uint32_t stale;
        enum action_kind kind;
        enum lease_kind lease;
    } cases[] = {{10, 1, ACTION_LEASE, LEASE_TRAIN},
                 {10, 2, ACTION_FINISH, LEASE_TRAIN},
                 {5, 1, ACTION_LEASE, LEASE_HELD_OUT}}; /* saved before it was evaluated */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        gather(&s, diverging(DIVERGED_REWIND));
        diverge(&s);
        s.c.conf.eval_every = 5;
        s.c.conf.patience = 2;
        s.c.validation = (struct validation){
            .step = 20, .mark = {{.last = 1, .best = 1, .best_step = 20}}};
        struct coordinator_from from = loaded(&s, 10);
        from.validation = (struct validation){.step = cases[i].evaluated,
                                              .mark = {{.last = 2,
                                                        .best = 1.5,
                                                        .best_step = 5,
                                                        .stale = cases[i].stale}}};
        rewound(&s, from);
        assert_non_null(find(&s, cases[i].kind));
        if (cases[i].kind == ACTION_LEASE)
            assert_int_equal(lease_of(&s, 1)->lease, cases[i].lease);
        assert_true(s.c.validation.mark[0].best == 1.5);
        end(&s);
    }
}

/* It had been stopped there, and is started again to go back. */
static void who_starts_where_it_diverges_goes_back_at_once(void **state)
{
    (void)state;
    struct stage s, again = {.now_ms = 1000};
    gather(&s, diverging(DIVERGED_STOP));
    diverge(&s);
    const struct coordinator_conf conf = diverging(DIVERGED_REWIND);
    struct coordinator_from from = loaded(&s, STEADY + 1);
    from.guard = s.c.guard;
    coordinator_init(&again.c, &conf, TERM, &from);
    feed(&again, (struct event){.kind = EVENT_START});
    assert_int_equal(say(&again, 1, good_join(1)), ERR_OK);
    assert_int_equal(find(&again, ACTION_REWIND)->version, 10);
    assert_null(lease_of(&again, 1));
    end(&s);
    end(&again);
}

RUN(T(a_loss_far_above_the_last_ones_is_not_applied),
    T(a_norm_far_above_the_last_ones_is_not_applied),
    T(nothing_is_a_spike_unless_asked_for), T(it_is_said_once_and_training_goes_on),
    T(or_the_run_ends_with_a_checkpoint), T(or_it_goes_back_and_on_past_the_data),
    T(on_the_way_to_the_turn_data_and_rate_are_the_old_ones),
    T(a_version_of_another_way_is_sent_again),
    T(a_checkpoint_that_is_being_written_is_waited_for),
    T(it_goes_back_so_often_and_then_ends),
    T(what_cannot_be_loaded_ends_the_run_and_is_not_saved),
    T(what_is_not_finite_diverges), T(evaluations_and_patience_are_those_of_the_version_gone_back_to),
    T(who_starts_where_it_diverges_goes_back_at_once))
