/* The coordinator's core against peers that lie, repeat themselves, fall silent or belong
 * to another run. */
#include "unit/coordinator/stage.h"

#include "coordinator/on_message.h"

/* --- messages --------------------------------------------------------------------------
 */

static void messages_of_strangers_other_terms_and_other_lives_change_nothing(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    const struct action lease = *lease_of(&s, 1);
    struct message m = partial_of(&lease);
    assert_int_equal(say(&s, 3, m), ERR_UNKNOWN);
    m.term = TERM - 1;
    assert_int_equal(say(&s, 1, m), ERR_STALE);
    m.term = TERM + 1;
    assert_int_equal(say(&s, 1, m), ERR_STALE);
    m = partial_of(&lease);
    m.incarnation++;
    assert_int_equal(say(&s, 1, m), ERR_STALE);
    assert_int_equal(s.out.n, 0);
    assert_int_equal(say(&s, 1, partial_of(&lease)), ERR_OK); /* the lease is intact */
    assert_non_null(find(&s, ACTION_RECEIVE));
    end(&s);
}

static void only_the_coordinator_says_what_the_coordinator_says(void **state)
{
    (void)state;
    static const enum message_kind kinds[] = {MESSAGE_WELCOME, MESSAGE_REFUSE,
                                              MESSAGE_LEASE,   MESSAGE_COMMIT,
                                              MESSAGE_STOP,    MESSAGE_REVOKE};
    struct stage s;
    gather(&s, default_conf(2));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(say(&s, 1, of_member(1, kinds[i])), ERR_MALFORMED);
        assert_int_equal(s.out.n, 0);
    }
    end(&s);
}

static void a_partial_of_what_its_sender_does_not_hold_enters_nothing(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    const struct action one = *lease_of(&s, 1), two = *lease_of(&s, 2);

    struct message m = partial_of(&two);
    m.incarnation = 101;
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED); /* another's */
    m = partial_of(&one);
    m.partial.unit++;
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    m = partial_of(&one);
    m.partial.unit--; /* it owes nothing of an earlier unit */
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    m = partial_of(&one);
    m.partial.level = 2; /* more than its */
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    m = partial_of(&one);
    m.partial.targets = 0;
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    assert_int_equal(receive(&s, 1, ERR_OK), ERR_STALE); /* never announced */
    assert_int_equal(s.out.n, 0);
    assert_int_equal(s.c.ledger.slices_done, 0);

    assert_int_equal(say(&s, 1, partial_of(&one)), ERR_OK);
    assert_int_equal(say(&s, 1, partial_of(&one)), ERR_MALFORMED); /* twice */
    assert_int_equal(s.out.n, 0);
    assert_int_equal(receive(&s, 1, ERR_OK), ERR_OK);
    assert_non_null(find(&s, ACTION_ADD));
    assert_int_equal(say(&s, 1, partial_of(&one)), ERR_MALFORMED); /* done */
    assert_int_equal(receive(&s, 1, ERR_OK), ERR_STALE);
    assert_int_equal(s.c.ledger.slices_done, 2);
    end(&s);
}

/* Its targets are not those of the step at hand. */
static void a_partial_of_an_earlier_unit_is_received_and_unwanted(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(1));
    const struct action lease = *lease_of(&s, 1);
    s.out.n = 0;
    coordinator_restart_step(&s.c, &s.out);
    assert_int_equal(say(&s, 1, partial_of(&lease)), ERR_OK);
    assert_true(find(&s, ACTION_RECEIVE)->unwanted);
    const struct action again = *lease_of(&s, 1);
    assert_int_equal(say(&s, 1, partial_of(&again)), ERR_OK);
    assert_false(find(&s, ACTION_RECEIVE)->unwanted);
    assert_int_equal(find(&s, ACTION_RECEIVE)->data, 0);
    end(&s);
}

static void a_damaged_partial_costs_its_sender_the_membership(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    const struct action one = *lease_of(&s, 1);
    assert_int_equal(say(&s, 1, partial_of(&one)), ERR_OK);
    assert_int_equal(receive(&s, 1, ERR_CORRUPT), ERR_OK);
    assert_non_null(find(&s, ACTION_DROP));
    assert_int_equal(find(&s, ACTION_LOST)->worker, 1);
    assert_int_equal(find(&s, ACTION_LOST)->err, ERR_CORRUPT);
    assert_int_equal(lease_of(&s, 2)->first, one.first); /* at once */
    assert_int_equal(s.c.ledger.slices_done, 0);
    end(&s);
}

static void what_a_lost_worker_held_is_leased_anew_in_the_same_event(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(3));
    const struct action one = *lease_of(&s, 1);
    feed(&s, (struct event){.kind = EVENT_CLOSED, .peer = 1});
    assert_int_equal(find(&s, ACTION_LOST)->worker, 1);
    uint32_t slices = 0;
    for (size_t i = 0; i < s.out.n; i++)
        if (s.out.list[i].kind == ACTION_LEASE)
            slices += s.out.list[i].end - s.out.list[i].first;
    assert_int_equal(slices, one.end - one.first);
    end(&s);
}

static void held_out_losses_of_what_nobody_leased_are_not_counted(void **state)
{
    (void)state;
    struct coordinator_conf conf = default_conf(1);
    conf.eval_only = true;
    struct stage s;
    gather(&s, conf);
    const struct action lease = *lease_of(&s, 1);
    assert_int_equal(lease.lease, LEASE_HELD_OUT);
    const double losses[HELD_OUT] = {1, 1, 1, 1, 1, 1, 1, 1};
    const uint64_t targets[HELD_OUT] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct message m = of_member(1, MESSAGE_EVALUATED);
    m.evaluated.unit = lease.unit;
    m.evaluated.losses = losses;
    m.evaluated.targets = targets;
    m.evaluated.slices = HELD_OUT; /* more than were leased */
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    m.evaluated.slices = 1;
    m.evaluated.first = HELD_OUT - 1;
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED);
    assert_int_equal(s.out.n, 0);
    assert_int_equal(s.c.ledger.slices_done, 0);
    m.evaluated.first = lease.first;
    m.evaluated.slices = lease.end - lease.first;
    assert_int_equal(say(&s, 1, m), ERR_OK);
    assert_int_equal(s.c.ledger.slices_done, m.evaluated.slices);
    assert_int_equal(say(&s, 1, m), ERR_MALFORMED); /* twice */
    end(&s);
}

/* The gradient of such a step may be finite: then it would be applied, but not counted.
 */
static void a_loss_that_stays_not_finite_ends_the_job_before_the_update(void **state)
{
    (void)state;
    static const double losses[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct stage s;
        gather(&s, default_conf(1));
        const struct action lease = *lease_of(&s, 1);
        struct message m = partial_of(&lease);
        m.partial.loss = losses[i];
        assert_int_equal(say(&s, 1, m), ERR_OK);
        assert_non_null(find(&s, ACTION_DOUBT));
        const struct action again = *lease_of(&s, 1); /* there is nobody else */
        assert_int_equal(receive(&s, 1, ERR_OK), ERR_OK);
        assert_non_null(find(&s, ACTION_DROP));
        give(&s, &again, losses[i]);
        assert_null(find(&s, ACTION_UPDATE));
        assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_NO_PROGRESS);
        end(&s);
    }
}

static void or_is_skipped_if_that_was_configured(void **state)
{
    (void)state;
    struct coordinator_conf conf = default_conf(1);
    conf.skip_not_finite = true;
    struct stage s;
    gather(&s, conf);
    struct action lease = *lease_of(&s, 1);
    pull(&s, &lease);
    for (int copy = 0; copy < 2; copy++) {
        struct message m = partial_of(&lease);
        m.partial.loss = NAN;
        assert_int_equal(say(&s, 1, m), ERR_OK);
        const uint64_t partial = find(&s, ACTION_RECEIVE)->partial;
        if (copy == 0)
            lease = *lease_of(&s, 1);
        assert_int_equal(receive(&s, partial, ERR_OK), ERR_OK);
    }
    assert_int_equal(find(&s, ACTION_SKIP)->step, 0);
    assert_true(find(&s, ACTION_COMMIT)->skipped);
    assert_int_equal(lease_of(&s, 1)->step, 1);
    end(&s);
}

/* Of two workers, until it is known what is usual. */
static void make_usual_steps(struct stage *s, double outlier)
{
    struct coordinator_conf conf = default_conf(2);
    conf.steps = 100;
    conf.outlier = outlier;
    gather(s, conf);
    for (int step = 0; step < 20; step++) {
        const struct action one = *lease_of(s, 1), two = *lease_of(s, 2);
        give(s, &one, 6);
        give(s, &two, 6);
        feed(s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
    }
}

static void a_result_far_from_the_usual_is_computed_elsewhere(void **state)
{
    (void)state;
    struct stage s;
    make_usual_steps(&s, 100);
    const struct action one = *lease_of(&s, 1);
    struct message m = partial_of(&one);
    m.partial.squares = 1.1e4; /* 105 times as long */
    assert_int_equal(say(&s, 1, m), ERR_OK);
    assert_int_equal(find(&s, ACTION_DOUBT)->worker, 1);
    assert_int_equal(lease_of(&s, 2)->first, one.first);
    m = partial_of(lease_of(&s, 2));
    m.partial.squares = 1.1e4; /* so it is the data's doing */
    assert_int_equal(say(&s, 2, m), ERR_OK);
    assert_null(find(&s, ACTION_DOUBT));
    end(&s);
}

static void how_far_is_configured(void **state)
{
    (void)state;
    static const struct {
        double outlier, squares;
        bool doubted;
    } cases[] = {{100, 0.9e4, false},
                 {100, 1.1e4, true},
                 {10, 1.1e2, true},
                 {0, 1e200, false},
                 {0, INFINITY, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        make_usual_steps(&s, cases[i].outlier);
        const struct action one = *lease_of(&s, 1);
        struct message m = partial_of(&one);
        m.partial.squares = cases[i].squares;
        assert_int_equal(say(&s, 1, m), ERR_OK);
        assert_int_equal(find(&s, ACTION_DOUBT) != NULL, cases[i].doubted);
        end(&s);
    }
}

/* The partial of a whole lease, the gradients of whose slices have these hashes. */
static void announce(struct stage *s, const struct action *lease, const uint64_t *hashes,
                     double loss)
{
    pull(s, lease);
    struct message m = partial_of(lease);
    m.partial.loss = loss;
    m.partial.slices = lease->end - lease->first;
    m.partial.hashes = hashes + lease->first;
    assert_int_equal(say(s, lease->peer, m), ERR_OK);
}

static void who_gave_what_was_not_believed_is_named_when_others_differ(void **state)
{
    (void)state;
    static const uint64_t truth[SLICES] = {1, 2, 3, 4}, lie[SLICES] = {1, 2, 3, 5};
    struct coordinator_conf conf = default_conf(4);
    struct stage s;
    gather(&s, conf);
    struct action lease[5], again, audit;
    for (uint32_t w = 1; w <= 4; w++)
        lease[w] = *lease_of(&s, w);
    assert_int_equal(lease[4].first, 3);
    announce(&s, &lease[4], lie, NAN);
    again = *find(&s, ACTION_LEASE);
    assert_int_equal(find(&s, ACTION_DOUBT)->worker, 4);
    assert_int_not_equal(again.peer, 4);
    announce(&s, &again, truth, 6);
    assert_null(find(&s, ACTION_LOST)); /* two opinions, which differ */
    const uint32_t third = again.peer == 1 ? 2 : 1;
    announce(&s, &lease[third], truth, 6);
    audit = *lease_of(&s, third);
    assert_int_equal(audit.lease, LEASE_AUDIT);
    assert_int_equal(audit.first, 3);
    struct message m = of_member(third, MESSAGE_AUDITED);
    m.audited.unit = audit.unit;
    m.audited.first = 3;
    m.audited.slices = 1;
    m.audited.hashes = truth + 3;
    assert_int_equal(say(&s, third, m), ERR_OK);
    assert_int_equal(find(&s, ACTION_LOST)->worker, 4);
    assert_int_equal(find(&s, ACTION_LOST)->err, ERR_WRONG);
    assert_non_null(find(&s, ACTION_DISCARD));
    end(&s);
}

/* The disk is slow: the checkpoint of step 1 is still being written when step 2 turns out
 * to be the best. */
static void a_new_best_is_saved_as_what_it_is(void **state)
{
    (void)state;
    struct coordinator_conf conf = default_conf(1);
    conf.keep_best = true;
    conf.eval_every = 1;
    struct stage s;
    gather(&s, conf);
    make_step(&s);
    evaluate(&s, 3);
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 1);
    make_step(&s);
    evaluate(&s, 2);
    assert_true(find(&s, ACTION_EVALUATED)->best);
    assert_null(find(&s, ACTION_LEASE)); /* it waits for the disk */
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 1});
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 2);
    make_step(&s);
    evaluate(&s, 2.5); /* no better: goes on beside the writing */
    assert_non_null(lease_of(&s, 1));
    end(&s);
}

/* Three steps with nothing on disk, version 2 being written. */
static void three_steps_from_the_disk(struct stage *s)
{
    struct coordinator_conf conf = default_conf(1);
    conf.checkpoint_every = 4;
    gather(s, conf);
    make_step(s);
    make_step(s);
    assert_int_equal(find(s, ACTION_CHECKPOINT)->version, 2);
    assert_true(find(s, ACTION_CHECKPOINT)->halfway);
    make_step(s);
    assert_null(find(s, ACTION_CHECKPOINT));
    assert_non_null(lease_of(s, 1)); /* goes on beside the writing */
}

static void one_checkpoint_is_written_half_way_and_one_that_stays(void **state)
{
    (void)state;
    struct stage s;
    three_steps_from_the_disk(&s);
    const struct action lease = *lease_of(&s, 1);
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 2});
    make_leased_step(&s, lease);
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 4);
    assert_false(find(&s, ACTION_CHECKPOINT)->halfway);
    make_step(&s);
    make_step(&s); /* half-way, and the one before is not there yet: not this time */
    assert_null(find(&s, ACTION_CHECKPOINT));
    assert_non_null(lease_of(&s, 1));
    compute_step(&s); /* that would be version 7, and 2 is on disk */
    assert_null(find(&s, ACTION_UPDATE));
    assert_true(s.c.held);
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 4});
    assert_non_null(find(&s, ACTION_UPDATE));
    end(&s);
}

/* A checkpoint that failed is given up; training does not wait for the next. */
static void a_checkpoint_that_failed_holds_nothing(void **state)
{
    (void)state;
    struct stage s;
    three_steps_from_the_disk(&s);
    const struct action lease = *lease_of(&s, 1);
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 2, .err = ERR_NO_SPACE});
    make_leased_step(&s, lease);
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 4);
    compute_step(&s);
    assert_null(find(&s, ACTION_UPDATE));
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 4, .err = ERR_NO_SPACE});
    assert_non_null(find(&s, ACTION_UPDATE));
    end(&s);
}

static void a_stop_while_the_update_waits_saves_what_is_there(void **state)
{
    (void)state;
    struct stage s;
    three_steps_from_the_disk(&s);
    make_step(&s); /* version 4 is due, and 2 still being written */
    assert_null(find(&s, ACTION_LEASE));
    feed(&s, (struct event){.kind = EVENT_STOP});
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 2});
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 4);
    assert_null(find(&s, ACTION_LEASE));
    end(&s);
}

static void a_stop_while_a_new_best_waits_for_the_disk_saves_it_too(void **state)
{
    (void)state;
    struct coordinator_conf conf = default_conf(1);
    conf.keep_best = true;
    conf.eval_every = 1;
    struct stage s;
    gather(&s, conf);
    make_step(&s);
    evaluate(&s, 3);
    make_step(&s);
    evaluate(&s, 2);
    feed(&s, (struct event){.kind = EVENT_STOP});
    assert_int_equal(s.out.n, 0);
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 1});
    assert_int_equal(find(&s, ACTION_CHECKPOINT)->version, 2);
    feed(&s, (struct event){.kind = EVENT_CHECKPOINTED, .step = 2});
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_STOPPED);
    end(&s);
}

/* --- silence ---------------------------------------------------------------------------
 */

/* Ticks every 100 ms until @until_ms; true when somebody was lost on the way. */
static bool tick_until(struct stage *s, uint64_t until_ms)
{
    while (s->now_ms < until_ms) {
        s->now_ms += 100;
        feed(s, (struct event){.kind = EVENT_TICK});
        if (find(s, ACTION_LOST))
            return true;
    }
    return false;
}

static void a_worker_is_given_up_when_it_was_silent_for_a_lease(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    const struct action one = *lease_of(&s, 1);
    assert_false(tick_until(&s, 5000));
    assert_int_equal(say(&s, 2, of_member(2, MESSAGE_HEARTBEAT)), ERR_OK);
    assert_false(tick_until(&s, 6000));
    assert_true(tick_until(&s, 6100));
    assert_int_equal(find(&s, ACTION_LOST)->worker, 1);
    assert_int_equal(find(&s, ACTION_LOST)->err, ERR_TIMEOUT);
    assert_int_equal(lease_of(&s, 2)->first, one.first);
    assert_null(find(&s, ACTION_FINISH));
    assert_int_equal(feed(&s, (struct event){.kind = EVENT_CLOSED, .peer = 1}), ERR_OK);
    assert_int_equal(s.out.n, 0);
    end(&s);
}

/* Ticks until there is an action of @kind for @peer, or for @most_ms. */
static bool tick_for(struct stage *s, enum action_kind kind, uint32_t peer,
                     uint64_t most_ms)
{
    for (const uint64_t end_ms = s->now_ms + most_ms; s->now_ms < end_ms;) {
        s->now_ms += 25;
        feed(s, (struct event){.kind = EVENT_TICK});
        const struct action *a = find(s, kind);
        if (a && a->peer == peer)
            return true;
    }
    return false;
}

/* Slices take half a second, so each of the two should need one. */
static void who_does_not_even_answer_when_its_time_is_up_is_not_waited_for(void **state)
{
    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        struct stage s;
        gather(&s, default_conf(2));
        const struct action first[] = {*lease_of(&s, 1), *lease_of(&s, 2)};
        give(&s, &first[0], 6);
        give(&s, &first[1], 6);
        feed(&s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
        const struct action one = *lease_of(&s, 1), two = *lease_of(&s, 2);
        pull(&s, &two);
        s.now_ms += 1000;
        give(&s, &one, 6);
        assert_null(find(&s, ACTION_REVOKE)); /* it should be done */
        assert_true(tick_for(&s, ACTION_REVOKE, 2, 175));
        struct message m = of_member(2, MESSAGE_RELEASED);
        m.released.unit = two.unit;
        m.released.first = two.first;
        if (answers) /* that it has begun all of it */
            assert_int_equal(say(&s, 2, m), ERR_OK);
        assert_int_equal(tick_for(&s, ACTION_LEASE, 1, 300), !answers);
        if (!answers)
            assert_int_equal(lease_of(&s, 1)->first, two.first);
        end(&s);
    }
}

/* Computed a second time by then: it is received as what it is, and dropped. */
static void a_partial_that_comes_after_its_step_says_of_which_unit_it_is(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    const struct action first[] = {*lease_of(&s, 1), *lease_of(&s, 2)};
    give(&s, &first[0], 6);
    give(&s, &first[1], 6);
    feed(&s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
    const struct action one = *lease_of(&s, 1), late = *lease_of(&s, 2);
    pull(&s, &late);
    s.now_ms += 1000;
    give(&s, &one, 6);
    assert_true(tick_for(&s, ACTION_LEASE, 1, 1000));
    const struct action copy = *lease_of(&s, 1);
    give(&s, &copy, 6);
    feed(&s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
    assert_non_null(find(&s, ACTION_COMMIT));
    assert_int_equal(say(&s, 2, partial_of(&late)), ERR_OK);
    const struct action *a = find(&s, ACTION_RECEIVE);
    assert_int_equal(a->unit, late.unit);
    assert_int_not_equal(a->unit, s.c.unit);
    assert_int_equal(receive(&s, a->partial, ERR_OK), ERR_OK);
    assert_non_null(find(&s, ACTION_DROP));
    end(&s);
}

/* Its heartbeats lie unread in the socket: the tick comes first. */
static void a_coordinator_that_was_paused_itself_blames_nobody(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(2));
    assert_false(tick_until(&s, 5000));
    s.now_ms += 3600 * 1000;
    assert_false(tick_until(&s, s.now_ms + 1000));
    assert_int_equal(say(&s, 2, of_member(2, MESSAGE_HEARTBEAT)), ERR_OK);
    assert_true(tick_until(&s, s.now_ms + 5100)); /* but who stays silent is given up */
    assert_int_equal(find(&s, ACTION_LOST)->worker, 1);
    end(&s);

    begin(&s, default_conf(2));
    s.now_ms += 3600 * 1000;
    feed(&s, (struct event){.kind = EVENT_TICK});
    assert_int_equal(s.out.n, 0); /* nor for not having joined */
    end(&s);
}

static void without_workers_it_waits_for_one_to_come_back_and_then_ends(void **state)
{
    (void)state;
    struct coordinator_conf conf = default_conf(3);
    conf.rejoin_ms = 2000;
    struct stage s;
    gather(&s, conf);
    assert_true(tick_until(&s, 7000));
    size_t lost = 0;
    for (size_t i = 0; i < s.out.n; i++)
        lost += s.out.list[i].kind == ACTION_LOST;
    assert_int_equal(lost, 3);
    assert_null(find(&s, ACTION_FINISH));
    tick_until(&s, s.now_ms + 1900);
    assert_null(find(&s, ACTION_FINISH));
    tick_until(&s, s.now_ms + 100);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_CLOSED);
    s.now_ms += 100;
    assert_int_equal(feed(&s, (struct event){.kind = EVENT_TICK}), ERR_OK);
    assert_int_equal(s.out.n, 0); /* after the end nothing follows */
    end(&s);
}

static void it_begins_without_a_worker_that_was_lost_before(void **state)
{
    (void)state;
    struct stage s;
    begin(&s, default_conf(2));
    assert_int_equal(say(&s, 1, good_join(1)), ERR_OK);
    feed(&s, (struct event){.kind = EVENT_CLOSED, .peer = 1});
    assert_int_equal(find(&s, ACTION_LOST)->worker, 1);
    assert_int_equal(say(&s, 2, good_join(2)), ERR_OK);
    assert_int_equal(lease_of(&s, 2)->end, SLICES);
    end(&s);
}

RUN(T(messages_of_strangers_other_terms_and_other_lives_change_nothing),
    T(only_the_coordinator_says_what_the_coordinator_says),
    T(a_partial_of_what_its_sender_does_not_hold_enters_nothing),
    T(a_partial_of_an_earlier_unit_is_received_and_unwanted),
    T(a_damaged_partial_costs_its_sender_the_membership),
    T(what_a_lost_worker_held_is_leased_anew_in_the_same_event),
    T(held_out_losses_of_what_nobody_leased_are_not_counted),
    T(a_loss_that_stays_not_finite_ends_the_job_before_the_update),
    T(or_is_skipped_if_that_was_configured),
    T(a_result_far_from_the_usual_is_computed_elsewhere), T(how_far_is_configured),
    T(who_gave_what_was_not_believed_is_named_when_others_differ),
    T(a_new_best_is_saved_as_what_it_is),
    T(one_checkpoint_is_written_half_way_and_one_that_stays),
    T(a_checkpoint_that_failed_holds_nothing),
    T(a_stop_while_the_update_waits_saves_what_is_there),
    T(a_stop_while_a_new_best_waits_for_the_disk_saves_it_too),
    T(a_worker_is_given_up_when_it_was_silent_for_a_lease),
    T(who_does_not_even_answer_when_its_time_is_up_is_not_waited_for),
    T(a_partial_that_comes_after_its_step_says_of_which_unit_it_is),
    T(a_coordinator_that_was_paused_itself_blames_nobody),
    T(without_workers_it_waits_for_one_to_come_back_and_then_ends),
    T(it_begins_without_a_worker_that_was_lost_before))
