/* Who joins: from the start, late, again, and computing otherwise than the others. */
#include "unit/coordinator/stage.h"

static void a_join_that_does_not_fit_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t protocol, rank;
        const char *build, *kernels;
        int err;
        bool ends; /* the job */
    } cases[] = {
        {"protocol", MESSAGE_PROTOCOL + 1, 1, "b", "k", ERR_MISMATCH, true},
        {"build", MESSAGE_PROTOCOL, 1, "b2", "k", ERR_MISMATCH, true},
        {"kernels", MESSAGE_PROTOCOL, 1, "b", "k2", ERR_MISMATCH, true},
        {"rank beyond the world", MESSAGE_PROTOCOL, 3, "b", "k", ERR_MISMATCH, false},
        {"largest rank", MESSAGE_PROTOCOL, UINT32_MAX, "b", "k", ERR_MISMATCH, false},
        {"rank taken", MESSAGE_PROTOCOL, 2, "b", "k", ERR_MISMATCH, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        begin(&s, default_conf(2));
        assert_int_equal(say(&s, 1, good_join(2)), ERR_OK);
        struct message m = good_join(cases[i].rank);
        m.join.protocol = cases[i].protocol;
        m.join.build = cases[i].build;
        m.join.kernels = cases[i].kernels;
        print_message("%s\n", cases[i].what);
        assert_int_equal(say(&s, 2, m), cases[i].err);
        assert_int_equal(s.out.list[0].kind, ACTION_REFUSE);
        assert_int_equal(s.out.list[0].peer, 2);
        assert_int_equal(s.out.list[0].err, cases[i].err);
        assert_non_null(s.out.list[0].reason);
        assert_int_equal(s.c.members.n, 1);
        /* a program of ours that cannot take part will never be able to */
        if (cases[i].ends)
            assert_int_equal(find(&s, ACTION_FINISH)->err, cases[i].err);
        else
            assert_int_equal(s.out.n, 1);
        end(&s);
    }
}

static void a_second_join_on_one_connection_changes_nothing(void **state)
{
    (void)state;
    struct stage s;
    begin(&s, default_conf(2));
    assert_int_equal(say(&s, 1, good_join(1)), ERR_OK);
    assert_int_equal(say(&s, 1, good_join(2)), ERR_MALFORMED);
    assert_int_equal(s.out.n, 0);
    assert_int_equal(s.c.members.n, 1);
    end(&s);
}

/* Nothing of the step is given to it but one slice, to compare. */
static void who_joins_late_is_compared_before_it_is_relied_on(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, default_conf(1));
    const struct action lease = *lease_of(&s, 1);
    assert_int_equal(say(&s, 2, good_join(0)), ERR_OK);
    assert_int_equal(find(&s, ACTION_WELCOME)->worker, 2);
    assert_int_equal(lease_of(&s, 2)->lease, LEASE_AUDIT);
    const struct action audit = *lease_of(&s, 2);
    assert_int_equal(audit.end - audit.first, 1);

    pull(&s, &lease);
    pull(&s, &audit);
    struct message m = partial_of(&lease);
    const uint64_t hashes[SLICES] = {1, 2, 3, 4};
    m.partial.slices = SLICES;
    m.partial.hashes = hashes;
    assert_int_equal(say(&s, 1, m), ERR_OK);
    assert_int_equal(receive(&s, 1, ERR_OK), ERR_OK);
    assert_null(find(&s, ACTION_UPDATE)); /* what it says is waited for */
    m = of_member(2, MESSAGE_AUDITED);
    m.incarnation = 100;
    m.audited.unit = audit.unit;
    m.audited.first = audit.first;
    m.audited.slices = 1;
    m.audited.hashes = hashes + audit.first;
    assert_int_equal(say(&s, 2, m), ERR_OK);
    assert_non_null(find(&s, ACTION_UPDATE));
    feed(&s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
    assert_int_equal(lease_of(&s, 2)->lease, LEASE_TRAIN);
    end(&s);
}

/* A second opinion is asked for at once, from somebody who has other things to do. */
static void who_joins_late_takes_part_in_the_step_as_soon_as_two_agree(void **state)
{
    (void)state;
    struct stage s;
    const uint64_t hash = 42;
    gather(&s, default_conf(2));
    const struct action one = *lease_of(&s, 1);
    pull(&s, &one);
    assert_int_equal(say(&s, 3, good_join(0)), ERR_OK);
    const struct action audit = *lease_of(&s, 3);
    pull(&s, &audit);
    assert_int_equal(say(&s, 3, audited(&s, &audit, &hash)), ERR_OK);
    assert_null(find(&s, ACTION_REVOKE));
    const struct action second = *lease_of(&s, 1); /* 2 holds that slice itself */
    assert_int_equal(second.lease, LEASE_AUDIT);
    assert_int_equal(second.first, audit.first);
    assert_int_equal(say(&s, 1, audited(&s, &second, &hash)), ERR_OK);
    assert_non_null(find(&s, ACTION_REVOKE)); /* something for 3 to do */
    end(&s);
}

/* As two of a kind do that were put into the cluster together.  The first to be
 * contradicted, by two who are trusted, is convicted, and nobody who is right. */
static void two_newcomers_who_are_wrong_alike_do_not_vouch_for_each_other(void **state)
{
    (void)state;
    struct stage s;
    const uint64_t right = 42, wrong = 43;
    gather(&s, default_conf(2));
    const struct action one = *lease_of(&s, 1), two = *lease_of(&s, 2);
    pull(&s, &one);
    pull(&s, &two);
    assert_int_equal(say(&s, 3, good_join(0)), ERR_OK);
    const struct action third = *lease_of(&s, 3);
    pull(&s, &third);
    struct message join = good_join(0);
    join.incarnation = 104;
    assert_int_equal(say(&s, 4, join), ERR_OK);
    const struct action *fourth = lease_of(&s, 4);
    if (fourth)
        assert_int_not_equal(fourth->first, third.first);
    const struct action other = fourth ? *fourth : third;
    if (fourth)
        pull(&s, &other);
    assert_int_equal(say(&s, 3, audited(&s, &third, &wrong)), ERR_OK);
    assert_null(lease_of(&s, 4)); /* it has no word in this */
    struct action second = {.peer = 0};
    for (size_t i = 0; i < s.out.n; i++)
        if (s.out.list[i].kind == ACTION_LEASE)
            second = s.out.list[i];
    assert_int_equal(second.first, third.first);
    assert_in_range(second.peer, 1, 2);
    if (fourth)
        assert_int_equal(say(&s, 4, audited(&s, &other, &wrong)), ERR_OK);
    assert_int_equal(say(&s, second.peer, audited(&s, &second, &right)), ERR_OK);
    assert_null(find(&s, ACTION_LOST)); /* one against one */
    assert_null(lease_of(&s, 4));
    end(&s);
}

/* The only one who is trusted holds that slice itself, and says nothing of it yet. */
static void nor_when_nobody_else_can_be_asked_at_once(void **state)
{
    (void)state;
    struct stage s;
    const uint64_t wrong = 43;
    gather(&s, default_conf(1));
    assert_int_equal(say(&s, 2, good_join(0)), ERR_OK);
    const struct action second = *lease_of(&s, 2);
    pull(&s, &second);
    assert_int_equal(say(&s, 2, audited(&s, &second, &wrong)), ERR_OK);
    assert_null(find(&s, ACTION_LEASE));
    struct message join = good_join(0);
    join.incarnation = 103;
    assert_int_equal(say(&s, 3, join), ERR_OK);
    const struct action third = *lease_of(&s, 3);
    assert_int_not_equal(third.first, second.first);
    pull(&s, &third);
    assert_int_equal(say(&s, 3, audited(&s, &third, &wrong)), ERR_OK);
    assert_null(find(&s, ACTION_LEASE));
    assert_null(find(&s, ACTION_REVOKE));
    end(&s);
}

/* One against one: of a newcomer and a worker that is trusted the newcomer is wrong. */
static void a_newcomer_that_is_wrong_does_not_end_the_run_of_one_worker(void **state)
{
    (void)state;
    struct stage s;
    struct coordinator_conf conf = default_conf(1);
    conf.audit = 1;
    const uint64_t hashes[SLICES] = {1, 2, 3, 4}, wrong[SLICES] = {5, 5, 5, 5};
    gather(&s, conf);
    const struct action lease = *lease_of(&s, 1);
    pull(&s, &lease);
    assert_int_equal(say(&s, 2, good_join(0)), ERR_OK);
    struct action asked = *lease_of(&s, 2);
    pull(&s, &asked);
    struct message m = partial_of(&lease);
    m.partial.slices = SLICES;
    m.partial.hashes = hashes;
    assert_int_equal(say(&s, 1, m), ERR_OK);
    assert_int_equal(receive(&s, 1, ERR_OK), ERR_OK);
    for (int round = 0; round < 8 && !find(&s, ACTION_LOST); round++) {
        assert_null(find(&s, ACTION_FINISH));
        assert_null(find(&s, ACTION_CHECKPOINT)); /* it does not end */
        const uint32_t peer = asked.peer;
        assert_int_equal(
            say(&s, peer, audited(&s, &asked, peer == 1 ? hashes + asked.first : wrong)),
            ERR_OK);
        for (size_t i = 0; i < s.out.n; i++)
            if (s.out.list[i].kind == ACTION_LEASE)
                asked = s.out.list[i];
    }
    assert_int_equal(find(&s, ACTION_LOST)->worker, 2);
    assert_int_equal(find(&s, ACTION_LOST)->err, ERR_WRONG);
    assert_int_equal(lease_of(&s, 1)->lease, LEASE_TRAIN);
    end(&s);
}

static void after_the_time_to_join_it_begins_with_who_is_there(void **state)
{
    (void)state;
    struct stage s;
    begin(&s, default_conf(2));
    while (s.now_ms <= 60900) {
        s.now_ms += 100;
        feed(&s, (struct event){.kind = EVENT_TICK});
        assert_null(find(&s, ACTION_LEASE));
        if (s.now_ms == 60000)
            assert_int_equal(say(&s, 1, good_join(1)), ERR_OK);
    }
    s.now_ms = 61001;
    feed(&s, (struct event){.kind = EVENT_TICK});
    assert_int_equal(lease_of(&s, 1)->end, SLICES);
    end(&s);

    begin(&s, default_conf(2));
    while (s.now_ms < 61001) {
        assert_int_equal(s.out.n, 0);
        s.now_ms += 100;
        feed(&s, (struct event){.kind = EVENT_TICK});
    }
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_TIMEOUT);
    end(&s);
}

RUN(T(a_join_that_does_not_fit_is_refused_with_its_reason),
    T(a_second_join_on_one_connection_changes_nothing),
    T(who_joins_late_is_compared_before_it_is_relied_on),
    T(who_joins_late_takes_part_in_the_step_as_soon_as_two_agree),
    T(two_newcomers_who_are_wrong_alike_do_not_vouch_for_each_other),
    T(nor_when_nobody_else_can_be_asked_at_once),
    T(a_newcomer_that_is_wrong_does_not_end_the_run_of_one_worker),
    T(after_the_time_to_join_it_begins_with_who_is_there))
