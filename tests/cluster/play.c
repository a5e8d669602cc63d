#include "cluster/play.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Something on its way: a message, a tensor, or the end of some computing. */
struct item {
    enum {
        TO_COORDINATOR,
        TO_WORKER,
        PARTIAL_ARRIVES,
        PARAMETERS_ARRIVE,
        SLICES_COMPUTED,
        UPDATE_DONE,
        CHECKPOINT_DONE
    } kind;
    uint32_t worker;
    struct message message;
    double losses[64];
    uint64_t targets[64];
    uint64_t lease, version, value;
    uint32_t first, end;
    double loss;
};

enum { ITEMS = 4096, LEASES = 1024 };

struct held { /* a lease in a worker's hands */
    uint64_t lease, step;
    uint32_t first, end;
    uint64_t gradient;
};

struct actor {
    struct worker core;
    bool alive, joined;
    uint64_t parameters;
    struct held held[LEASES];
    uint32_t n;
};

struct play {
    struct play_options o;
    struct coordinator c;
    struct actions actions;
    struct worker_actions work;
    struct actor actor[PLAY_WORKERS_MAX];
    struct item item[ITEMS];
    uint32_t items;
    uint64_t random, events, parameters, sum, checkpoint, evaluations;
    uint64_t version_sent[PLAY_WORKERS_MAX];
    bool finished;
    int err;
    char trace[PLAY_TRACE];
    size_t traced;
};

static uint64_t next_random(struct play *p)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
    return p->random >> 33;
}

__attribute__((format(printf, 2, 3))) static void trace(struct play *p,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    p->traced += (size_t)vsnprintf(p->trace + p->traced, sizeof p->trace - p->traced,
                                   format, args);
    va_end(args);
    assert(p->traced < sizeof p->trace);
}

static struct item *add(struct play *p, int kind, uint32_t worker)
{
    assert(p->items < ITEMS);
    struct item *i = &p->item[p->items++];
    memset(i, 0, sizeof *i);
    i->kind = kind;
    i->worker = worker;
    return i;
}

uint64_t play_expected(uint32_t slices, uint64_t version)
{
    uint64_t sum = 0;
    for (uint64_t s = 0; s < version; s++)
        for (uint32_t v = 0; v < slices; v++)
            sum += 1000 * s + v;
    return sum;
}

/* --- the coordinator's side
 * ------------------------------------------------------------- */

static void feed(struct play *p, struct event ev);

static void send_lease(struct play *p, const struct action *a)
{
    assert(p->version_sent[a->peer] == a->version); /* parameters come before leases */
    struct item *i = add(p, TO_WORKER, a->peer);
    i->first = a->first;
    i->end = a->end;
    i->message = (struct message){.kind = MESSAGE_LEASE, .term = p->c.term};
    i->message.lease.lease = a->lease;
    i->message.lease.step = a->step;
    i->message.lease.version = a->version;
    i->message.lease.evaluation = a->evaluation;
    i->message.lease.level = a->node.level;
    i->message.lease.index = a->node.index;
}

static void perform(struct play *p, struct action a)
{
    struct item *i;
    switch (a.kind) {
    case ACTION_WELCOME:
        trace(p, "welcome worker %u\n", a.worker);
        i = add(p, TO_WORKER, a.peer);
        i->message = (struct message){.kind = MESSAGE_WELCOME, .term = p->c.term};
        i->message.welcome.worker = a.worker;
        return;
    case ACTION_REFUSE:
        trace(p, "refuse %s\n", a.reason);
        return;
    case ACTION_PARAMETERS:
        p->version_sent[a.peer] = p->c.version;
        i = add(p, TO_WORKER, a.peer);
        i->message = (struct message){.kind = MESSAGE_COMMIT, .term = p->c.term};
        i->message.commit.version = p->c.version;
        i->value = p->parameters;
        return;
    case ACTION_LEASE:
        trace(p, "lease worker %u %s %u..%u\n", a.worker,
              a.evaluation ? "held-out" : "step", a.first, a.end);
        send_lease(p, &a);
        return;
    case ACTION_RECEIVE:
        i = add(p, PARTIAL_ARRIVES, a.peer);
        i->lease = a.lease;
        i->loss = a.loss;
        i->targets[0] = a.targets;
        return;
    case ACTION_UPDATE:
        add(p, UPDATE_DONE, 0);
        return;
    case ACTION_COMMIT:
        trace(p, "commit %llu\n", (unsigned long long)a.version);
        assert(a.version == a.step + 1);
        return;
    case ACTION_EVALUATED:
        trace(p, "evaluated %llu\n", (unsigned long long)a.version);
        p->evaluations++;
        return;
    case ACTION_CHECKPOINT:
        trace(p, "checkpoint %llu\n", (unsigned long long)a.version);
        add(p, CHECKPOINT_DONE, 0)->version = a.version;
        return;
    case ACTION_LOST:
        trace(p, "lost worker %u\n", a.worker);
        return;
    case ACTION_STOP:
        i = add(p, TO_WORKER, a.peer);
        i->message = (struct message){.kind = MESSAGE_STOP, .term = p->c.term};
        i->message.stop.reason = "end";
        return;
    case ACTION_FINISH:
        trace(p, "finish %s\n", err_name(a.err));
        assert(!p->finished);
        p->finished = true;
        p->err = a.err;
        return;
    }
}

static void feed(struct play *p, struct event ev)
{
    assert(!p->finished);
    ev.now_ms = p->events;
    coordinator_step(&p->c, &ev, &p->actions);
    for (size_t i = 0; i < p->actions.n; i++)
        perform(p, p->actions.list[i]);
}

/* --- the workers' side
 * -------------------------------------------------------------------- */

static struct held *find(struct actor *a, uint64_t lease)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (a->held[i].lease == lease)
            return &a->held[i];
    assert(!"a lease it does not hold");
    return NULL;
}

static void work(struct play *p, uint32_t w, struct worker_event ev,
                 const struct item *from);

static void work_perform(struct play *p, uint32_t w, const struct worker_action *a,
                         const struct item *from)
{
    struct actor *actor = &p->actor[w];
    struct item *i;
    switch (a->kind) {
    case WORK_SEND:
        add(p, TO_COORDINATOR, w)->message = a->message;
        return;
    case WORK_PREPARE:
        worker_set_ranges(&actor->core, 3);
        return;
    case WORK_ANNOUNCED:
        return;
    case WORK_RECEIVE:
        for (uint32_t k = 0; k < actor->n; k++) /* nothing computed with the old ones */
            assert(actor->held[k].gradient == UINT64_MAX);
        i = add(p, PARAMETERS_ARRIVE, w);
        i->version = a->version;
        i->value = play_expected(p->o.slices, a->version);
        return;
    case WORK_KEEP:
        assert(actor->n < LEASES);
        actor->held[actor->n++] = (struct held){.lease = a->lease,
                                                .step = from->message.lease.step,
                                                .first = from->first,
                                                .end = from->end,
                                                .gradient = UINT64_MAX};
        return;
    case WORK_COMPUTE: {
        struct held *h = find(actor, a->lease);
        assert(actor->core.version == h->step); /* invariant 1 */
        h->gradient = 0;
        for (uint32_t v = h->first; v < h->end; v++)
            h->gradient += 1000 * h->step + v;
        i = add(p, SLICES_COMPUTED, w);
        i->lease = a->lease;
        i->loss = h->end - h->first;
        i->targets[0] = h->end - h->first;
        return;
    }
    case WORK_PUSH:
        add(p, TO_COORDINATOR, w)->message = a->message;
        return;
    case WORK_REPORT: {
        struct held *h = find(actor, a->lease);
        i = add(p, TO_COORDINATOR, w);
        i->message = a->message;
        i->message.evaluated.slices = h->end - h->first;
        for (uint32_t v = 0; v < h->end - h->first; v++) {
            i->losses[v] = 2;
            i->targets[v] = 1;
        }
        *h = actor->held[--actor->n];
        return;
    }
    case WORK_FINISH:
        actor->alive = false;
        return;
    }
}

static void work(struct play *p, uint32_t w, struct worker_event ev,
                 const struct item *from)
{
    ev.now_ms = p->events;
    worker_step(&p->actor[w].core, &ev, &p->work);
    for (size_t i = 0; i < p->work.n; i++)
        work_perform(p, w, &p->work.list[i], from);
}

/* --- the world
 * ------------------------------------------------------------------------------ */

/* The sum of a partial enters when the coordinator counts it, from the worker's hands. */
static void partial_arrives(struct play *p, const struct item *i)
{
    struct actor *actor = &p->actor[i->worker];
    struct held *h = find(actor, i->lease);
    p->sum += h->gradient;
    *h = actor->held[--actor->n];
    feed(p, (struct event){.kind = EVENT_RECEIVED,
                           .peer = i->worker,
                           .lease = i->lease,
                           .loss = i->loss,
                           .targets = i->targets[0]});
}

static void deliver(struct play *p, struct item *i)
{
    struct actor *actor = &p->actor[i->worker];
    switch (i->kind) {
    case TO_COORDINATOR:
        i->message.evaluated.losses =
            i->message.kind == MESSAGE_EVALUATED ? i->losses : NULL;
        if (i->message.kind == MESSAGE_EVALUATED)
            i->message.evaluated.targets = i->targets;
        feed(p, (struct event){
                    .kind = EVENT_MESSAGE, .peer = i->worker, .message = &i->message});
        return;
    case TO_WORKER:
        work(p, i->worker,
             (struct worker_event){.kind = WORKER_MESSAGE, .message = &i->message}, i);
        return;
    case PARTIAL_ARRIVES:
        partial_arrives(p, i);
        return;
    case PARAMETERS_ARRIVE:
        actor->parameters = i->value;
        work(p, i->worker,
             (struct worker_event){.kind = WORKER_PARAMETERS, .version = i->version}, i);
        return;
    case SLICES_COMPUTED:
        work(p, i->worker,
             (struct worker_event){.kind = WORKER_COMPUTED,
                                   .lease = i->lease,
                                   .loss = i->loss,
                                   .targets = i->targets[0],
                                   .seconds = 1},
             i);
        return;
    case UPDATE_DONE:
        if (p->o.diverge_at && p->c.version == p->o.diverge_at) {
            feed(p, (struct event){.kind = EVENT_UPDATED, .norm = NAN, .clip = 1});
            return;
        }
        p->parameters += p->sum;
        p->sum = 0;
        feed(p, (struct event){.kind = EVENT_UPDATED, .norm = 1, .clip = 1});
        return;
    case CHECKPOINT_DONE:
        if (!p->o.disk_full)
            p->checkpoint = i->version;
        feed(p, (struct event){.kind = EVENT_CHECKPOINTED,
                               .step = i->version,
                               .err = p->o.disk_full ? ERR_NO_SPACE : ERR_OK});
        return;
    }
}

/* Draws one item; of items of the same kind and worker the oldest goes first. */
static uint32_t draw(struct play *p)
{
    uint32_t k = (uint32_t)(next_random(p) % p->items);
    for (uint32_t i = 0; i < k; i++)
        if (p->item[i].kind == p->item[k].kind && p->item[i].worker == p->item[k].worker)
            return i;
    return k;
}

static void kill_worker_1(struct play *p)
{
    p->actor[1].alive = false;
    feed(p, (struct event){.kind = EVENT_CLOSED, .peer = 1});
}

bool play_run(struct play *p)
{
    feed(p, (struct event){.kind = EVENT_START});
    for (uint32_t w = 1; w <= p->o.workers && !p->finished; w++)
        work(p, w, (struct worker_event){.kind = WORKER_START}, NULL);
    while (!p->finished && p->items > 0) {
        p->events++;
        const uint32_t k = draw(p);
        static struct item now; /* large */
        now = p->item[k];
        memmove(&p->item[k], &p->item[k + 1], (p->items - k - 1) * sizeof *p->item);
        p->items--;
        const bool of_worker = now.kind != UPDATE_DONE && now.kind != CHECKPOINT_DONE;
        if (!of_worker || p->actor[now.worker].alive)
            deliver(p, &now);
        if (!p->finished && p->events == p->o.stop_after)
            feed(p, (struct event){.kind = EVENT_STOP});
        if (!p->finished && p->events == p->o.kill_after)
            kill_worker_1(p);
    }
    return p->finished;
}

struct play *play_new(const struct play_options *o)
{
    assert(o->workers <= PLAY_WORKERS_MAX - 1 && o->eval_slices <= 64);
    struct play *p = calloc(1, sizeof *p);
    p->o = *o;
    p->random = o->seed;
    p->checkpoint = p->o.from_version;
    p->parameters = play_expected(o->slices, o->from_version);
    const struct coordinator_conf conf = {
        .slices = o->slices,
        .steps = o->steps,
        .eval_every = o->eval_every,
        .checkpoint_every = o->checkpoint_every,
        .eval_slices = o->eval_slices,
        .eval_only = o->eval_only,
        .workers = o->workers,
        .lease_ms = 1000000,
        .heartbeat_ms = 1000,
        .start_timeout_ms = 1000000,
        .schedule = {.kind = SCHEDULE_IS_CONSTANT, .rate = 0.5},
        .kernels = "toy",
        .build = "test",
    };
    coordinator_init(&p->c, &conf, 1, o->from_version, o->from_version > 0);
    for (uint32_t w = 1; w <= o->workers; w++) {
        const struct worker_conf wc = {.incarnation = 100 + w,
                                       .rank = w,
                                       .host = "here",
                                       .build = "test",
                                       .kernels = "toy",
                                       .heartbeat_ms = 1000};
        worker_init(&p->actor[w].core, &wc);
        p->actor[w].alive = true;
    }
    return p;
}

void play_free(struct play *p)
{
    for (uint32_t w = 1; w <= p->o.workers; w++)
        worker_fini(&p->actor[w].core);
    coordinator_fini(&p->c);
    actions_fini(&p->actions);
    worker_actions_fini(&p->work);
    free(p);
}

int play_err(const struct play *p)
{
    return p->err;
}

uint64_t play_version(const struct play *p)
{
    return p->c.version;
}

uint64_t play_parameters(const struct play *p)
{
    return p->parameters;
}

uint64_t play_checkpoint(const struct play *p)
{
    return p->checkpoint;
}

uint64_t play_evaluations(const struct play *p)
{
    return p->evaluations;
}

const char *play_trace(const struct play *p)
{
    return p->trace;
}
