/* The worker's core: what it joins, computes, receives and numbers. */
#include "support/test.h"

#include "base/err.h"
#include "worker/worker.h"

enum { TERM = 7, ME = 0xABC, RANGES = 5, V = 8, THREADS = 1 };

struct stage {
    struct worker w;
    struct worker_actions out;
    uint64_t now_ms;
};

static int feed(struct stage *s, struct worker_event ev)
{
    ev.now_ms = s->now_ms;
    return worker_step(&s->w, &ev, &s->out);
}

static int hear(struct stage *s, struct message m)
{
    m.term = m.term ? m.term : TERM;
    return feed(s, (struct worker_event){.kind = WORKER_MESSAGE, .message = &m});
}

static int hear_commit(struct stage *s, uint64_t version, uint32_t transfer)
{
    struct message m = {.kind = MESSAGE_COMMIT};
    m.commit.version = version;
    m.commit.transfer = transfer;
    return hear(s, m);
}

static int hear_lease(struct stage *s, uint64_t version, enum lease_kind kind,
                      uint32_t first, uint32_t slices)
{
    struct message m = {.kind = MESSAGE_LEASE};
    m.lease.unit = m.lease.step = m.lease.version = version;
    m.lease.kind = kind;
    m.lease.first = first;
    m.lease.slices = slices;
    return hear(s, m);
}

static int hear_revoke(struct stage *s, uint64_t unit, uint32_t first, uint32_t count,
                       bool unwanted)
{
    struct message m = {.kind = MESSAGE_REVOKE};
    m.revoke.unit = unit;
    m.revoke.first = first;
    m.revoke.count = count;
    m.revoke.unwanted = unwanted;
    return hear(s, m);
}

static int parameters(struct stage *s, uint64_t version, int err)
{
    return feed(s, (struct worker_event){
                       .kind = WORKER_PARAMETERS, .version = version, .err = err});
}

static int computed(struct stage *s, enum lease_kind lease, uint32_t slice)
{
    return feed(s, (struct worker_event){.kind = WORKER_COMPUTED,
                                         .lease = lease,
                                         .slice = slice,
                                         .loss = 2 + slice,
                                         .noise = 1u << slice,
                                         .targets = 3,
                                         .hash = 1000 + slice,
                                         .seconds = 0.5});
}

static void begin(struct stage *s)
{
    const struct worker_conf conf = {.incarnation = ME,
                                     .rank = 3,
                                     .pid = 4,
                                     .threads = THREADS,
                                     .host = "h",
                                     .build = "b",
                                     .kernels = "k",
                                     .heartbeat_ms = 500,
                                     .silence_ms = 10000};
    *s = (struct stage){.now_ms = 1000};
    worker_init(&s->w, &conf);
    feed(s, (struct worker_event){.kind = WORKER_START});
}

static void begin_welcomed(struct stage *s)
{
    begin(s);
    struct message m = {.kind = MESSAGE_WELCOME};
    m.welcome.worker = 3;
    assert_int_equal(hear(s, m), ERR_OK);
    assert_int_equal(s->out.list[0].kind, WORK_PREPARE);
    worker_set_shape(&s->w, RANGES, V, true);
}

/* With parameters of version 0. */
static void begin_ready(struct stage *s)
{
    begin_welcomed(s);
    hear_commit(s, 0, 0);
    parameters(s, 0, ERR_OK);
}

static void end(struct stage *s)
{
    worker_fini(&s->w);
    worker_actions_fini(&s->out);
}

/* The kinds of the actions, as letters. */
static const char *did(const struct stage *s)
{
    static char text[64];
    static const char letters[] = {
        [WORK_SEND] = 's',    [WORK_PREPARE] = 'p', [WORK_ANNOUNCED] = 'a',
        [WORK_RECEIVE] = 'r', [WORK_KEEP] = 'k',    [WORK_COMPUTE] = 'c',
        [WORK_FORGET] = '.',  [WORK_PUSH] = 'u',    [WORK_DISCARD] = 'd',
        [WORK_FINISH] = 'f',  [WORK_TRANSLATED] = 't'};
    assert_true(s->out.n < sizeof text);
    for (size_t i = 0; i < s->out.n; i++)
        text[i] = letters[s->out.list[i].kind];
    text[s->out.n] = '\0';
    return text;
}

static const struct message *said(const struct stage *s, enum message_kind kind)
{
    for (size_t i = 0; i < s->out.n; i++)
        if ((s->out.list[i].kind == WORK_SEND || s->out.list[i].kind == WORK_PUSH) &&
            s->out.list[i].message.kind == kind)
            return &s->out.list[i].message;
    return NULL;
}

/* --- joining ---------------------------------------------------------------------------
 */

static void it_joins_with_what_it_is(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    assert_string_equal(did(&s), "s");
    const struct message *m = &s.out.list[0].message;
    assert_int_equal(m->kind, MESSAGE_JOIN);
    assert_int_equal(m->incarnation, ME);
    assert_int_equal(m->join.protocol, MESSAGE_PROTOCOL);
    assert_int_equal(m->join.rank, 3);
    assert_int_equal(m->join.pid, 4);
    assert_int_equal(m->join.threads, THREADS);
    assert_string_equal(m->join.host, "h");
    assert_string_equal(m->join.build, "b");
    assert_string_equal(m->join.kernels, "k");
    end(&s);
}

static void refused_it_ends_with_the_reason_and_exit_code_it_was_given(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct message m = {.kind = MESSAGE_REFUSE};
    m.refuse.reason = "other kernels";
    m.refuse.exit_code = 78;
    assert_int_equal(hear(&s, m), ERR_OK);
    assert_string_equal(did(&s), "f");
    assert_int_equal(s.out.list[0].err, ERR_REFUSED);
    assert_int_equal(s.out.list[0].exit_code, 78);
    assert_string_equal(s.out.list[0].reason, "other kernels");
    end(&s);
}

static void before_the_welcome_nothing_else_is_taken(void **state)
{
    (void)state;
    static const enum message_kind kinds[] = {MESSAGE_LEASE, MESSAGE_COMMIT, MESSAGE_STOP,
                                              MESSAGE_HEARTBEAT, MESSAGE_JOIN};
    struct stage s;
    begin(&s);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(hear(&s, (struct message){.kind = kinds[i]}), ERR_MALFORMED);
        assert_string_equal(did(&s), "");
    }
    end(&s);
}

static void what_only_workers_say_and_a_second_welcome_are_not_taken(void **state)
{
    (void)state;
    static const enum message_kind kinds[] = {
        MESSAGE_JOIN,    MESSAGE_PARTIAL,  MESSAGE_EVALUATED, MESSAGE_LEAVE,
        MESSAGE_WELCOME, MESSAGE_RELEASED, MESSAGE_AUDITED,   MESSAGE_PULLED};
    struct stage s;
    begin_welcomed(&s);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(hear(&s, (struct message){.kind = kinds[i]}), ERR_MALFORMED);
        assert_string_equal(did(&s), "");
    }
    end(&s);
}

static void messages_of_other_terms_are_ignored(void **state)
{
    (void)state;
    static const enum message_kind kinds[] = {MESSAGE_LEASE, MESSAGE_COMMIT,
                                              MESSAGE_STOP};
    struct stage s;
    begin_welcomed(&s);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (uint64_t term = TERM - 1; term <= TERM + 1; term += 2) {
            assert_int_equal(hear(&s, (struct message){.kind = kinds[i], .term = term}),
                             ERR_STALE);
            assert_string_equal(did(&s), "");
        }
    assert_int_equal(hear_commit(&s, 4, 0), ERR_OK); /* nothing of them stayed */
    end(&s);
}

/* --- work ------------------------------------------------------------------------------
 */

static void a_lease_is_computed_with_the_version_it_names(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    assert_int_equal(hear_lease(&s, 4, LEASE_TRAIN, 0, 1), ERR_MALFORMED); /* none yet */
    assert_string_equal(did(&s), "");
    hear_commit(&s, 4, 20);
    assert_string_equal(did(&s), "ar");
    assert_int_equal(s.out.list[1].version, 4);
    assert_int_equal(s.out.list[1].transfer, 20);
    assert_int_equal(hear_lease(&s, 4, LEASE_TRAIN, 0, 1), ERR_OK);
    assert_string_equal(did(&s), "kc"); /* while they arrive */
    assert_int_equal(hear_lease(&s, 3, LEASE_TRAIN, 1, 1), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 5, LEASE_TRAIN, 1, 1), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, UINT64_MAX, LEASE_TRAIN, 1, 1), ERR_MALFORMED);
    assert_string_equal(did(&s), "");
    parameters(&s, 4, ERR_OK);
    assert_string_equal(did(&s), "s");
    assert_int_equal(said(&s, MESSAGE_PULLED)->pulled.version, 4);
    assert_int_equal(hear_lease(&s, 4, LEASE_TRAIN, 1, 1), ERR_OK);
    assert_string_equal(did(&s), "kc"); /* and when they are here */
    computed(&s, LEASE_TRAIN, 0);
    computed(&s, LEASE_TRAIN, 1);
    hear_commit(&s, 5, 25);
    assert_int_equal(hear_lease(&s, 4, LEASE_TRAIN, 0, 1), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 5, LEASE_TRAIN, 0, 1), ERR_OK);
    assert_string_equal(did(&s), "kc");
    end(&s);
}

static void a_slice_is_taken_once_and_not_beyond_the_step(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    assert_int_equal(hear_lease(&s, 0, LEASE_TRAIN, 0, 4), ERR_OK);
    assert_int_equal(hear_lease(&s, 0, LEASE_TRAIN, 3, 2), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 0, LEASE_TRAIN, V - 1, 2), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 0, LEASE_AUDIT, 4, 2), ERR_OK);
    assert_int_equal(hear_lease(&s, 0, LEASE_AUDIT, 5, 1), ERR_MALFORMED);
    assert_int_equal(s.w.held, 6);
    end(&s);
}

static void parameters_do_not_come_to_who_holds_something(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, 1);
    assert_int_equal(hear_commit(&s, 1, RANGES), ERR_MALFORMED);
    assert_string_equal(did(&s), "");
    computed(&s, LEASE_TRAIN, 0);
    assert_int_equal(hear_commit(&s, 1, RANGES), ERR_OK);
    assert_int_equal(hear_commit(&s, 2, 2 * RANGES), ERR_MALFORMED); /* one at a time */
    end(&s);
}

/* One slice per thread and one to come; the rest waits and can be given back. */
static void what_is_not_begun_can_be_given_back(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, 8);
    assert_string_equal(did(&s), "kcc");
    assert_int_equal(hear_revoke(&s, 0, 4, 4, false), ERR_OK);
    assert_string_equal(did(&s), "....s");
    const struct message *m = said(&s, MESSAGE_RELEASED);
    assert_int_equal(m->released.first, 4);
    assert_int_equal(m->released.count, 4);
    assert_int_equal(hear_revoke(&s, 0, 0, 2, false), ERR_OK); /* begun: an answer yet */
    assert_int_equal(said(&s, MESSAGE_RELEASED)->released.count, 0);
    assert_int_equal(s.w.held, 4);
    assert_int_equal(hear_revoke(&s, 9, 0, 2, false), ERR_STALE);
    for (uint32_t v = 0; v < 3; v++) {
        computed(&s, LEASE_TRAIN, v);
        assert_null(said(&s, MESSAGE_PARTIAL));
    }
    computed(&s, LEASE_TRAIN, 3);
    assert_int_equal(said(&s, MESSAGE_PARTIAL)->partial.level, 2);
    end(&s);
}

static void the_largest_node_that_is_all_its_own_is_pushed(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 1, 5);
    static const struct {
        uint32_t slice, level, index;
    } pushed[] = {{1, 0, 1}, {2, 9, 0}, {3, 1, 1}, {4, 9, 0}, {5, 1, 2}};
    for (size_t i = 0; i < 5; i++) {
        computed(&s, LEASE_TRAIN, pushed[i].slice);
        const struct message *m = said(&s, MESSAGE_PARTIAL);
        if (pushed[i].level == 9) {
            assert_null(m);
            continue;
        }
        assert_int_equal(m->partial.level, pushed[i].level);
        assert_int_equal(m->partial.index, pushed[i].index);
        const uint32_t slices = 1u << pushed[i].level,
                       first = pushed[i].index << pushed[i].level;
        assert_int_equal(m->partial.slices, slices);
        assert_true(m->partial.noise == ((1u << slices) - 1) << first);
        assert_int_equal(m->partial.hashes[0], 1000 + first);
    }
    assert_int_equal(s.w.held, 0);
    end(&s);
}

/* Somebody waits to be trusted; what is with the threads stays there. */
static void audits_go_before_what_is_queued(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, V);
    hear_lease(&s, 0, LEASE_AUDIT, V - 1, 1);
    assert_string_equal(did(&s), "k");
    computed(&s, LEASE_TRAIN, 0);
    assert_int_equal(s.out.list[0].kind, WORK_COMPUTE);
    assert_int_equal(s.out.list[0].lease, LEASE_AUDIT);
    assert_int_equal(s.out.list[0].slice, V - 1);
    computed(&s, LEASE_TRAIN, 1);
    assert_int_equal(s.out.list[0].lease, LEASE_TRAIN);
    end(&s);
}

static void what_nobody_needs_any_more_is_thrown_away_and_said(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, 4);
    computed(&s, LEASE_TRAIN, 0);
    assert_int_equal(hear_revoke(&s, 0, 0, 4, true), ERR_OK);
    assert_int_equal(said(&s, MESSAGE_RELEASED)->released.first, 3); /* was queued */
    computed(&s, LEASE_TRAIN, 1);
    assert_non_null(strchr(did(&s), 'd'));
    assert_int_equal(said(&s, MESSAGE_RELEASED)->released.count, 2);
    computed(&s, LEASE_TRAIN, 2);
    assert_null(said(&s, MESSAGE_PARTIAL));
    assert_int_equal(s.w.held, 0);
    end(&s);
}

static void held_out_losses_and_audits_are_reported_whole(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_HELD_OUT, 20, 2);
    hear_lease(&s, 0, LEASE_AUDIT, 6, 2);
    computed(&s, LEASE_HELD_OUT, 21);
    assert_null(said(&s, MESSAGE_EVALUATED));
    computed(&s, LEASE_HELD_OUT, 20);
    const struct message *m = said(&s, MESSAGE_EVALUATED);
    assert_int_equal(m->evaluated.first, 20);
    assert_int_equal(m->evaluated.slices, 2);
    assert_true(m->evaluated.losses[0] == 22 && m->evaluated.losses[1] == 23);
    assert_int_equal(m->evaluated.targets[1], 3);
    computed(&s, LEASE_AUDIT, 6);
    computed(&s, LEASE_AUDIT, 7);
    m = said(&s, MESSAGE_AUDITED);
    assert_int_equal(m->audited.first, 6);
    assert_true(m->audited.hashes[0] == 1006 && m->audited.hashes[1] == 1007);
    assert_int_equal(s.w.held, 0);
    end(&s);
}

/* What a slice is translated into is sent while the slice is still there. */
static void translations_are_reported_slice_by_slice_and_then_forgotten(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRANSLATE, V + 3, 2);
    assert_int_equal(s.w.held, 2);
    for (uint32_t v = V + 4; v >= V + 3; v--) {
        computed(&s, LEASE_TRANSLATE, v);
        assert_string_equal(did(&s), "t.");
        assert_int_equal(s.out.list[0].lease, LEASE_TRANSLATE);
        assert_int_equal(s.out.list[0].slice, v);
        assert_int_equal(s.out.list[0].message.kind, MESSAGE_EVALUATED);
        assert_int_equal(s.out.list[0].message.evaluated.first, v);
        assert_int_equal(s.out.list[0].message.evaluated.slices, 1);
    }
    assert_int_equal(s.w.held, 0);
    end(&s);
}

/* It gives back what is not begun, delivers the rest, and takes nothing more. */
static void asked_to_leave_it_leaves_nothing_unanswered(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, 6);
    feed(&s, (struct worker_event){.kind = WORKER_LEAVE});
    assert_non_null(said(&s, MESSAGE_LEAVE));
    assert_int_equal(said(&s, MESSAGE_RELEASED)->released.count, 4);
    assert_int_equal(hear_lease(&s, 0, LEASE_TRAIN, 6, 2), ERR_OK); /* it crossed */
    assert_int_equal(said(&s, MESSAGE_RELEASED)->released.first, 6);
    computed(&s, LEASE_TRAIN, 0);
    assert_null(strchr(did(&s), 'f'));
    computed(&s, LEASE_TRAIN, 1);
    assert_int_equal(said(&s, MESSAGE_PARTIAL)->partial.level, 1);
    assert_non_null(strchr(did(&s), 'f'));
    end(&s);
}

static void damaged_parameters_end_it(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    assert_int_equal(parameters(&s, 0, ERR_CORRUPT), ERR_CORRUPT);
    assert_string_equal(did(&s), "f");
    assert_int_equal(s.out.list[0].exit_code, err_exit_code(ERR_CORRUPT));
    assert_int_equal(hear_lease(&s, 0, LEASE_TRAIN, 0, 1), ERR_OK);
    assert_string_equal(did(&s), ""); /* after the end nothing follows */
    end(&s);
}

static void
transfers_are_numbered_without_gaps_and_results_say_whose_they_are(void **state)
{
    (void)state;
    struct stage s;
    begin_ready(&s);
    for (uint32_t i = 0; i < 4; i++) {
        hear_lease(&s, 0, LEASE_TRAIN, 2 * i, 1);
        computed(&s, LEASE_TRAIN, 2 * i);
        assert_string_equal(did(&s), "u.");
        const struct message *m = said(&s, MESSAGE_PARTIAL);
        assert_int_equal(s.out.list[0].transfer, i * RANGES);
        assert_int_equal(m->term, TERM);
        assert_int_equal(m->incarnation, ME);
        assert_int_equal(m->partial.transfer, i * RANGES);
        assert_int_equal(m->partial.unit, 0);
        assert_int_equal(m->partial.level, 0);
        assert_int_equal(m->partial.index, 2 * i);
        assert_int_equal(m->partial.targets, 3);
        assert_true(m->partial.loss == 2 + 2 * i && m->partial.seconds == 0.5);
    }
    end(&s);
}

/* --- life ------------------------------------------------------------------------------
 */

static void it_says_that_it_lives_and_what_it_computes(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    s.now_ms = 9000;
    feed(&s, (struct worker_event){.kind = WORKER_TICK});
    assert_string_equal(did(&s), ""); /* to nobody before the welcome */
    end(&s);
    begin_ready(&s);
    hear_lease(&s, 0, LEASE_TRAIN, 0, 8);
    unsigned beats = 0;
    for (; s.now_ms < 6000; s.now_ms += 100) {
        feed(&s, (struct worker_event){.kind = WORKER_TICK});
        if (s.out.n) {
            beats++;
            assert_int_equal(s.out.list[0].message.kind, MESSAGE_HEARTBEAT);
            assert_int_equal(s.out.list[0].message.heartbeat.held, 8);
        }
    }
    assert_int_equal(beats, 10);
    end(&s);
}

static void a_silent_coordinator_is_waited_for_so_long_but_not_longer(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    for (; s.now_ms < 11000; s.now_ms += 100) {
        feed(&s, (struct worker_event){.kind = WORKER_TICK});
        assert_null(strchr(did(&s), 'f'));
    }
    s.now_ms += 3600 * 1000; /* it was asleep itself */
    feed(&s, (struct worker_event){.kind = WORKER_TICK});
    assert_null(strchr(did(&s), 'f'));
    while (!strchr(did(&s), 'f')) {
        s.now_ms += 100;
        feed(&s, (struct worker_event){.kind = WORKER_TICK});
    }
    assert_int_equal(s.now_ms, 11000 + 3600 * 1000 + 10100);
    end(&s);
}

static void it_ends_when_told_or_when_the_coordinator_is_gone(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    struct message m = {.kind = MESSAGE_STOP};
    m.stop.reason = "stopped on request";
    m.stop.exit_code = 75;
    hear(&s, m);
    assert_string_equal(did(&s), "f");
    assert_int_equal(s.out.list[0].err, ERR_OK);
    assert_int_equal(s.out.list[0].exit_code, 75);
    end(&s);
    begin_welcomed(&s);
    feed(&s, (struct worker_event){.kind = WORKER_CLOSED});
    assert_string_equal(did(&s), "f");
    assert_int_equal(s.out.list[0].err, ERR_CLOSED);
    assert_int_equal(s.out.list[0].exit_code, err_exit_code(ERR_CLOSED));
    end(&s);
    begin(&s);
    feed(&s, (struct worker_event){.kind = WORKER_CLOSED, .err = ERR_REFUSED});
    assert_int_equal(s.out.list[0].exit_code, err_exit_code(ERR_REFUSED));
    end(&s);
}

RUN(T(it_joins_with_what_it_is),
    T(refused_it_ends_with_the_reason_and_exit_code_it_was_given),
    T(before_the_welcome_nothing_else_is_taken),
    T(what_only_workers_say_and_a_second_welcome_are_not_taken),
    T(messages_of_other_terms_are_ignored),
    T(a_lease_is_computed_with_the_version_it_names),
    T(a_slice_is_taken_once_and_not_beyond_the_step),
    T(parameters_do_not_come_to_who_holds_something),
    T(what_is_not_begun_can_be_given_back),
    T(the_largest_node_that_is_all_its_own_is_pushed),
    T(audits_go_before_what_is_queued),
    T(what_nobody_needs_any_more_is_thrown_away_and_said),
    T(held_out_losses_and_audits_are_reported_whole),
    T(translations_are_reported_slice_by_slice_and_then_forgotten),
    T(asked_to_leave_it_leaves_nothing_unanswered), T(damaged_parameters_end_it),
    T(transfers_are_numbered_without_gaps_and_results_say_whose_they_are),
    T(it_says_that_it_lives_and_what_it_computes),
    T(a_silent_coordinator_is_waited_for_so_long_but_not_longer),
    T(it_ends_when_told_or_when_the_coordinator_is_gone))
