/* The worker's core: what it joins, computes, receives and numbers. */
#include "support/test.h"

#include "base/err.h"
#include "worker/worker.h"

enum { TERM = 7, ME = 0xABC, RANGES = 5 };

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

static int hear_lease(struct stage *s, uint64_t lease, uint64_t version)
{
    struct message m = {.kind = MESSAGE_LEASE};
    m.lease.lease = lease;
    m.lease.step = m.lease.version = version;
    m.lease.level = 1;
    m.lease.index = 2;
    return hear(s, m);
}

static int parameters(struct stage *s, uint64_t version, int err)
{
    return feed(s, (struct worker_event){
                       .kind = WORKER_PARAMETERS, .version = version, .err = err});
}

static int computed(struct stage *s, uint64_t lease)
{
    return feed(s, (struct worker_event){.kind = WORKER_COMPUTED,
                                         .lease = lease,
                                         .loss = 2,
                                         .targets = 3,
                                         .seconds = 0.5});
}

static void begin(struct stage *s)
{
    const struct worker_conf conf = {.incarnation = ME,
                                     .rank = 3,
                                     .pid = 4,
                                     .threads = 5,
                                     .host = "h",
                                     .build = "b",
                                     .kernels = "k",
                                     .token = {9},
                                     .heartbeat_ms = 500};
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
    worker_set_ranges(&s->w, RANGES);
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
        [WORK_PUSH] = 'u',    [WORK_REPORT] = 'e',  [WORK_FINISH] = 'f'};
    assert_true(s->out.n < sizeof text);
    for (size_t i = 0; i < s->out.n; i++)
        text[i] = letters[s->out.list[i].kind];
    text[s->out.n] = '\0';
    return text;
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
    assert_int_equal(m->join.token[0], 9);
    assert_int_equal(m->join.rank, 3);
    assert_int_equal(m->join.pid, 4);
    assert_int_equal(m->join.threads, 5);
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
        MESSAGE_JOIN, MESSAGE_PARTIAL, MESSAGE_EVALUATED, MESSAGE_LEAVE, MESSAGE_WELCOME};
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
    assert_int_equal(hear_lease(&s, 1, 4), ERR_MALFORMED); /* no parameters yet */
    assert_string_equal(did(&s), "");
    hear_commit(&s, 4, 20);
    assert_string_equal(did(&s), "ar");
    assert_int_equal(s.out.list[1].version, 4);
    assert_int_equal(s.out.list[1].transfer, 20);
    assert_int_equal(hear_lease(&s, 1, 4), ERR_OK);
    assert_string_equal(did(&s), "k"); /* not while they arrive */
    assert_int_equal(hear_lease(&s, 2, 3), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 2, 5), ERR_MALFORMED);
    assert_int_equal(hear_lease(&s, 2, UINT64_MAX), ERR_MALFORMED);
    assert_string_equal(did(&s), "");
    parameters(&s, 4, ERR_OK);
    assert_string_equal(did(&s), "c");
    assert_int_equal(s.out.list[0].lease, 1);
    assert_int_equal(hear_lease(&s, 2, 4), ERR_OK);
    assert_string_equal(did(&s), "kc");
    end(&s);
}

static void a_lease_number_is_taken_once(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    parameters(&s, 0, ERR_OK);
    assert_int_equal(hear_lease(&s, 1, 0), ERR_OK);
    assert_int_equal(hear_lease(&s, 1, 0), ERR_MALFORMED);
    assert_string_equal(did(&s), "");
    end(&s);
}

static void parameters_are_not_received_while_the_old_are_computed_with(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    parameters(&s, 0, ERR_OK);
    hear_lease(&s, 1, 0);
    hear_lease(&s, 2, 0);
    hear_commit(&s, 1, RANGES);
    assert_string_equal(did(&s), "a");
    assert_int_equal(hear_lease(&s, 3, 0),
                     ERR_MALFORMED); /* the old ones will be replaced */
    hear_lease(&s, 3, 1);
    assert_string_equal(did(&s), "k");
    computed(&s, 2);
    assert_string_equal(did(&s), "u");
    computed(&s, 1);
    assert_string_equal(did(&s), "ur");
    parameters(&s, 1, ERR_OK);
    assert_string_equal(did(&s), "c");
    assert_int_equal(s.out.list[0].lease, 3);
    end(&s);
}

static void a_third_version_is_not_taken_before_the_second_is_there(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    assert_int_equal(hear_commit(&s, 1, RANGES), ERR_MALFORMED);
    assert_string_equal(did(&s), "");
    parameters(&s, 0, ERR_OK);
    assert_int_equal(s.w.version, 0);
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
    assert_int_equal(hear_lease(&s, 1, 0), ERR_OK);
    assert_string_equal(did(&s), ""); /* after the end nothing follows */
    end(&s);
}

static void
transfers_are_numbered_without_gaps_and_results_say_whose_they_are(void **state)
{
    (void)state;
    struct stage s;
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    parameters(&s, 0, ERR_OK);
    for (uint32_t i = 0; i < 4; i++) {
        hear_lease(&s, 10 + i, 0);
        computed(&s, 10 + i);
        assert_string_equal(did(&s), "u");
        const struct message *m = &s.out.list[0].message;
        assert_int_equal(s.out.list[0].transfer, i * RANGES);
        assert_int_equal(m->kind, MESSAGE_PARTIAL);
        assert_int_equal(m->term, TERM);
        assert_int_equal(m->incarnation, ME);
        assert_int_equal(m->partial.transfer, i * RANGES);
        assert_int_equal(m->partial.lease, 10 + i);
        assert_int_equal(m->partial.level, 1);
        assert_int_equal(m->partial.index, 2);
        assert_int_equal(m->partial.targets, 3);
        assert_true(m->partial.loss == 2 && m->partial.seconds == 0.5);
        if (i == 1) { /* an evaluation in between sends no tensor */
            struct message e = {.kind = MESSAGE_LEASE};
            e.lease.lease = 99;
            e.lease.evaluation = true;
            assert_int_equal(hear(&s, e), ERR_OK);
            computed(&s, 99);
            assert_string_equal(did(&s), "e");
            assert_int_equal(s.out.list[0].message.kind, MESSAGE_EVALUATED);
            assert_int_equal(s.out.list[0].message.evaluated.lease, 99);
        }
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
    begin_welcomed(&s);
    hear_commit(&s, 0, 0);
    parameters(&s, 0, ERR_OK);
    hear_lease(&s, 8, 0);
    unsigned beats = 0;
    for (; s.now_ms < 6000; s.now_ms += 100) {
        feed(&s, (struct worker_event){.kind = WORKER_TICK});
        if (s.out.n) {
            beats++;
            assert_int_equal(s.out.list[0].message.kind, MESSAGE_HEARTBEAT);
            assert_int_equal(s.out.list[0].message.heartbeat.lease, 8);
        }
    }
    assert_int_equal(beats, 10);
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
}

RUN(T(it_joins_with_what_it_is),
    T(refused_it_ends_with_the_reason_and_exit_code_it_was_given),
    T(before_the_welcome_nothing_else_is_taken),
    T(what_only_workers_say_and_a_second_welcome_are_not_taken),
    T(messages_of_other_terms_are_ignored),
    T(a_lease_is_computed_with_the_version_it_names), T(a_lease_number_is_taken_once),
    T(parameters_are_not_received_while_the_old_are_computed_with),
    T(a_third_version_is_not_taken_before_the_second_is_there),
    T(damaged_parameters_end_it),
    T(transfers_are_numbered_without_gaps_and_results_say_whose_they_are),
    T(it_says_that_it_lives_and_what_it_computes),
    T(it_ends_when_told_or_when_the_coordinator_is_gone))
