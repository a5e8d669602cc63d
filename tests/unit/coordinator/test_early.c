/* The early end of a run: it comes at the same version, whatever happens on the way. */
#include "unit/coordinator/stage.h"

#include "coordinator/early.h"

static struct coordinator_conf patient(uint32_t patience)
{
    struct coordinator_conf conf = default_conf(1);
    conf.keep_best = true;
    conf.eval_every = 1;
    conf.patience = patience;
    return conf;
}

static void saved(struct stage *s, uint64_t step)
{
    feed(s, (struct event){.kind = EVENT_CHECKPOINTED, .step = step});
}

/* The step leased as @lease and its evaluation; a new best is saved.  Returns the lease
 * of the next step; of kind LEASE_HELD_OUT when there is none. */
static struct action next(struct stage *s, struct action lease, double loss)
{
    make_leased_step(s, lease);
    evaluate(s, loss);
    const struct action *one = lease_of(s, 1);
    const struct action after = one ? *one : (struct action){.lease = LEASE_HELD_OUT};
    if (one && find(s, ACTION_CHECKPOINT))
        saved(s, find(s, ACTION_CHECKPOINT)->version);
    return after;
}

static const char expected[] = "no better held-out loss in 3 evaluations; the best, "
                               "1.5000, is that of step 4";

static void a_run_ends_when_nothing_better_comes(void **state)
{
    (void)state;
    static const double losses[] = {3, 2, 2.5, 1.5, 1.6, 1.5, 1.7};
    struct stage s;
    gather(&s, patient(3));
    struct action lease = *lease_of(&s, 1);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(lease.lease, LEASE_TRAIN);
        lease = next(&s, lease, losses[i]);
    }
    assert_int_equal(lease.lease, LEASE_HELD_OUT); /* there is none */
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 7);
    saved(&s, 7);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_OK);
    assert_string_equal(find(&s, ACTION_FINISH)->reason, expected);
    end(&s);
}

static void the_last_step_ends_it_first(void **state)
{
    (void)state;
    struct coordinator_conf conf = patient(1);
    conf.steps = 2;
    struct stage s;
    gather(&s, conf);
    next(&s, next(&s, *lease_of(&s, 1), 2), 3);
    saved(&s, 2);
    assert_string_equal(find(&s, ACTION_FINISH)->reason, "all steps are done");
    end(&s);
}

/* A coordinator that begins with a checkpoint of version 7. */
static void resume(struct stage *s, uint32_t patience, uint64_t evaluated, uint32_t stale)
{
    const struct coordinator_conf conf = patient(patience);
    *s = (struct stage){.now_ms = 1000};
    const struct coordinator_from from = {
        .version = 7,
        .saved = true,
        .validation = {
            .step = evaluated,
            .mark = {{.last = 2, .best = 1.5, .best_step = 4, .stale = stale}}}};
    coordinator_init(&s->c, &conf, TERM, &from);
    feed(s, (struct event){.kind = EVENT_START});
}

static void an_end_stays_one_until_there_is_more_patience(void **state)
{
    (void)state;
    struct stage s;
    resume(&s, 3, 7, 3);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_OK);
    assert_string_equal(find(&s, ACTION_FINISH)->reason, expected);
    end(&s);
    resume(&s, 4, 7, 3);
    assert_int_equal(s.out.n, 0);
    say(&s, 1, good_join(1));
    assert_int_equal(lease_of(&s, 1)->lease, LEASE_TRAIN);
    end(&s);
}

/* A stop, or a death, between the commit of a version and its evaluation. */
static void what_was_not_evaluated_is_evaluated_first(void **state)
{
    (void)state;
    struct stage s;
    resume(&s, 3, 6, 2);
    say(&s, 1, good_join(1));
    assert_int_equal(lease_of(&s, 1)->lease, LEASE_HELD_OUT);
    assert_int_equal(lease_of(&s, 1)->version, 7);
    evaluate(&s, 1.7);
    assert_string_equal(find(&s, ACTION_FINISH)->reason, expected);
    end(&s);

    resume(&s, 3, 6, 2);
    say(&s, 1, good_join(1));
    evaluate(&s, 1.4);
    assert_int_equal(lease_of(&s, 1)->lease, LEASE_TRAIN); /* it is on disk already */
    assert_int_equal(s.c.validation.mark[VALIDATION_HELD_OUT_LOSS].best_step, 7);
    end(&s);
}

RUN(T(a_run_ends_when_nothing_better_comes), T(the_last_step_ends_it_first),
    T(an_end_stays_one_until_there_is_more_patience),
    T(what_was_not_evaluated_is_evaluated_first))
