/* stage.h - the coordinator's core on a stage: a test says what happens and looks at what
 * it wants to be done. */
#ifndef UNIT_COORDINATOR_STAGE_H
#define UNIT_COORDINATOR_STAGE_H

#include "support/test.h"

#include "base/err.h"
#include "coordinator/coordinator.h"

enum { TERM = 7, SLICES = 4, HELD_OUT = 8 };

struct stage {
    struct coordinator c;
    struct actions out;
    uint64_t now_ms;
};

static inline struct coordinator_conf default_conf(uint32_t workers)
{
    return (struct coordinator_conf){
        .slices = SLICES,
        .steps = 10,
        .checkpoint_every = 100,
        .eval_slices = HELD_OUT,
        .workers = workers,
        .lease_ms = 5000,
        .heartbeat_ms = 500,
        .start_timeout_ms = 60000,
        .outlier = 100,
        .skip_window = 128,
        .trend_fast = 10,
        .trend_slow = 1000,
        .schedule = {.kind = SCHEDULE_IS_CONSTANT, .rate = 1},
        .kernels = "k",
        .build = "b"};
}

static inline int feed(struct stage *s, struct event ev)
{
    ev.now_ms = s->now_ms;
    return coordinator_step(&s->c, &ev, &s->out);
}

static inline void begin(struct stage *s, struct coordinator_conf conf)
{
    *s = (struct stage){.now_ms = 1000};
    const struct coordinator_from from = coordinator_from_nothing();
    coordinator_init(&s->c, &conf, TERM, &from);
    assert_int_equal(feed(s, (struct event){.kind = EVENT_START}), ERR_OK);
    assert_int_equal(s->out.n, 0);
}

static inline void end(struct stage *s)
{
    coordinator_fini(&s->c);
    actions_fini(&s->out);
}

static inline int say(struct stage *s, uint32_t peer, struct message m)
{
    return feed(s, (struct event){.kind = EVENT_MESSAGE, .peer = peer, .message = &m});
}

static inline struct message good_join(uint32_t rank)
{
    return (struct message){.kind = MESSAGE_JOIN,
                            .incarnation = 100 + rank,
                            .join = {.protocol = MESSAGE_PROTOCOL,
                                     .rank = rank,
                                     .host = "h",
                                     .build = "b",
                                     .kernels = "k"}};
}

/* A message of the worker that joined as peer and rank @peer. */
static inline struct message of_member(uint32_t peer, enum message_kind kind)
{
    return (struct message){.kind = kind, .term = TERM, .incarnation = 100 + peer};
}

/* Peers 1 ... workers have joined: the first step, or an evaluation, has begun. */
static inline void gather(struct stage *s, struct coordinator_conf conf)
{
    begin(s, conf);
    for (uint32_t w = 1; w <= conf.workers; w++)
        assert_int_equal(say(s, w, good_join(w)), ERR_OK);
}

static const struct action *find(const struct stage *s, enum action_kind kind)
{
    for (size_t i = 0; i < s->out.n; i++)
        if (s->out.list[i].kind == kind)
            return &s->out.list[i];
    return NULL;
}

static const struct action *lease_of(const struct stage *s, uint32_t peer)
{
    for (size_t i = 0; i < s->out.n; i++)
        if (s->out.list[i].kind == ACTION_LEASE && s->out.list[i].peer == peer)
            return &s->out.list[i];
    return NULL;
}

/* The parameters it needs for that lease have arrived. */
static inline void pull(struct stage *s, const struct action *lease)
{
    struct message m = of_member(lease->peer, MESSAGE_PULLED);
    m.pulled.version = lease->version;
    const struct member *one = members_by_peer(&s->c.members, lease->peer);
    m.incarnation = one->incarnation;
    if (one->pulling)
        assert_int_equal(say(s, lease->peer, m), ERR_OK);
}

/* Of the whole lease, whose slices are a node of the tree. */
static inline struct message partial_of(const struct action *lease)
{
    struct message m = of_member(lease->peer, MESSAGE_PARTIAL);
    m.partial.unit = lease->unit;
    while ((lease->first >> m.partial.level) << m.partial.level == lease->first &&
           lease->first + (1u << m.partial.level) < lease->end)
        m.partial.level++;
    m.partial.index = lease->first >> m.partial.level;
    m.partial.loss = 6;
    m.partial.squares = 1;
    m.partial.noise = 0.5;
    m.partial.targets = 3;
    m.partial.seconds = 1;
    return m;
}

static inline int receive(struct stage *s, uint64_t partial, int err)
{
    return feed(s,
                (struct event){.kind = EVENT_RECEIVED, .partial = partial, .err = err});
}

static inline struct message audited(const struct stage *s, const struct action *lease,
                                     const uint64_t *hashes)
{
    struct message m = of_member(lease->peer, MESSAGE_AUDITED);
    m.incarnation =
        members_by_peer((struct members *)&s->c.members, lease->peer)->incarnation;
    m.audited.unit = lease->unit;
    m.audited.first = lease->first;
    m.audited.slices = lease->end - lease->first;
    m.audited.hashes = hashes;
    return m;
}

/* The lease's partial is announced and arrives. */
static inline void give(struct stage *s, const struct action *lease, double loss)
{
    pull(s, lease);
    struct message m = partial_of(lease);
    m.partial.loss = loss;
    assert_int_equal(say(s, lease->peer, m), ERR_OK);
    assert_int_equal(receive(s, find(s, ACTION_RECEIVE)->partial, ERR_OK), ERR_OK);
}

/* One step of one worker, to the gradients. */
static inline void compute_step(struct stage *s)
{
    const struct action lease = *lease_of(s, 1);
    assert_int_equal(lease.lease, LEASE_TRAIN);
    give(s, &lease, 6);
}

/* One step of one worker, leased as @lease; then what follows the commit. */
static inline void make_leased_step(struct stage *s, struct action lease)
{
    give(s, &lease, 6);
    assert_non_null(find(s, ACTION_UPDATE));
    feed(s, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
    assert_non_null(find(s, ACTION_COMMIT));
    assert_true(find(s, ACTION_COMMIT)->noise == 0.5); /* of the one partial */
}

static inline void make_step(struct stage *s)
{
    make_leased_step(s, *lease_of(s, 1));
}

/* All held-out slices, each with the loss @loss; then what follows. */
static inline void evaluate(struct stage *s, double loss)
{
    struct action queue[HELD_OUT];
    size_t n = 0;
    for (uint32_t done = 0; done < HELD_OUT;) {
        for (size_t i = 0; i < s->out.n; i++)
            if (s->out.list[i].kind == ACTION_LEASE)
                queue[n++] = s->out.list[i];
        const struct action lease = queue[--n];
        assert_int_equal(lease.lease, LEASE_HELD_OUT);
        pull(s, &lease);
        double losses[HELD_OUT];
        uint64_t targets[HELD_OUT];
        for (int v = 0; v < HELD_OUT; v++) {
            losses[v] = loss;
            targets[v] = 1;
        }
        struct message m = of_member(1, MESSAGE_EVALUATED);
        m.evaluated.unit = lease.unit;
        m.evaluated.first = lease.first;
        m.evaluated.slices = lease.end - lease.first;
        m.evaluated.losses = losses;
        m.evaluated.targets = targets;
        assert_int_equal(say(s, 1, m), ERR_OK);
        done += lease.end - lease.first;
    }
    assert_non_null(find(s, ACTION_EVALUATED));
}

#endif
