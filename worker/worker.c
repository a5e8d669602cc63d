#include "worker/worker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

void worker_init(struct worker *w, const struct worker_conf *conf)
{
    *w = (struct worker){.conf = *conf, .version = UINT64_MAX};
}

void worker_fini(struct worker *w)
{
    mem_free(w->queue);
    *w = (struct worker){0};
}

void worker_actions_fini(struct worker_actions *a)
{
    mem_free(a->list);
    *a = (struct worker_actions){0};
}

void worker_set_ranges(struct worker *w, uint32_t ranges)
{
    assert(ranges > 0);
    w->ranges = ranges;
}

static struct worker_action *act(struct worker_actions *out, enum worker_action_kind kind)
{
    if (out->n == out->room) {
        out->room = out->room ? 2 * out->room : 16;
        out->list = mem_resize(out->list, out->room * sizeof *out->list);
    }
    struct worker_action *a = &out->list[out->n++];
    *a = (struct worker_action){.kind = kind};
    return a;
}

static struct message say(const struct worker *w, enum message_kind kind)
{
    return (struct message){
        .kind = kind, .term = w->term, .incarnation = w->conf.incarnation};
}

static void finish(struct worker *w, int err, uint32_t exit_code, const char *reason,
                   struct worker_actions *out)
{
    struct worker_action *a = act(out, WORK_FINISH);
    a->err = err;
    a->exit_code = (int)exit_code;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    w->phase = WORKER_FINISHED;
}

static void join(struct worker *w, struct worker_actions *out)
{
    struct message *m = &act(out, WORK_SEND)->message;
    *m = say(w, MESSAGE_JOIN);
    m->join.protocol = MESSAGE_PROTOCOL;
    memcpy(m->join.token, w->conf.token, MESSAGE_TOKEN);
    m->join.rank = w->conf.rank;
    m->join.pid = w->conf.pid;
    m->join.threads = w->conf.threads;
    m->join.host = w->conf.host;
    m->join.build = w->conf.build;
    m->join.kernels = w->conf.kernels;
}

/* Every lease whose version is at hand goes to the compute threads at once: they take
 * slices in order, and no thread waits for the end of another's lease. */
static void compute_what_can_be(struct worker *w, struct worker_actions *out)
{
    for (size_t i = 0; i < w->queued; i++)
        if (!w->queue[i].computing && w->queue[i].version == w->version) {
            w->queue[i].computing = true;
            act(out, WORK_COMPUTE)->lease = w->queue[i].lease;
        }
}

static void receive_when_idle(struct worker *w, struct worker_actions *out)
{
    if (!w->announced_valid || w->receiving)
        return;
    for (size_t i = 0; i < w->queued; i++)
        if (w->queue[i].computing)
            return;
    w->receiving = true;
    struct worker_action *a = act(out, WORK_RECEIVE);
    a->version = w->announced.version;
    a->transfer = w->announced.transfer;
}

static int on_welcome(struct worker *w, const struct message *m,
                      struct worker_actions *out)
{
    if (w->phase != WORKER_JOINING)
        return ERR_MALFORMED;
    w->phase = WORKER_WORKING;
    w->term = m->term;
    w->number = m->welcome.worker;
    act(out, WORK_PREPARE);
    return ERR_OK;
}

static int on_commit(struct worker *w, const struct message *m,
                     struct worker_actions *out)
{
    if (w->announced_valid)
        return ERR_MALFORMED; /* the next version needs the results of this one */
    w->announced_valid = true;
    w->announced.version = m->commit.version;
    w->announced.transfer = m->commit.transfer;
    act(out, WORK_ANNOUNCED)->version = m->commit.version;
    receive_when_idle(w, out);
    return ERR_OK;
}

/* A lease of a version that is neither here nor announced would wait for ever, and a
 * number used twice would be computed once. */
static bool can_be_computed(const struct worker *w, const struct message *m)
{
    for (size_t i = 0; i < w->queued; i++)
        if (w->queue[i].lease == m->lease.lease)
            return false;
    const uint64_t newest = w->announced_valid ? w->announced.version : w->version;
    return m->lease.version == newest && newest != UINT64_MAX;
}

static int on_lease(struct worker *w, const struct message *m, struct worker_actions *out)
{
    if (!can_be_computed(w, m))
        return ERR_MALFORMED;
    if (w->queued == w->room) {
        w->room = w->room ? 2 * w->room : 16;
        w->queue = mem_resize(w->queue, w->room * sizeof *w->queue);
    }
    w->queue[w->queued++] = (struct worker_lease){
        .lease = m->lease.lease,
        .step = m->lease.step,
        .version = m->lease.version,
        .evaluation = m->lease.evaluation,
        .node = {m->lease.level, m->lease.index},
    };
    act(out, WORK_KEEP)->lease = m->lease.lease;
    if (!w->receiving)
        compute_what_can_be(w, out);
    return ERR_OK;
}

static int on_message(struct worker *w, const struct message *m,
                      struct worker_actions *out)
{
    if (m->kind == MESSAGE_WELCOME)
        return on_welcome(w, m, out);
    if (m->kind == MESSAGE_REFUSE) {
        finish(w, ERR_REFUSED, m->refuse.exit_code, m->refuse.reason, out);
        return ERR_OK;
    }
    if (w->phase != WORKER_WORKING)
        return ERR_MALFORMED;
    if (m->term != w->term)
        return ERR_STALE;

    switch (m->kind) {
    case MESSAGE_LEASE:
        return on_lease(w, m, out);
    case MESSAGE_COMMIT:
        return on_commit(w, m, out);
    case MESSAGE_HEARTBEAT:
        return ERR_OK;
    case MESSAGE_STOP:
        finish(w, ERR_OK, m->stop.exit_code, m->stop.reason, out);
        return ERR_OK;
    case MESSAGE_JOIN:
    case MESSAGE_WELCOME:
    case MESSAGE_REFUSE:
    case MESSAGE_PARTIAL:
    case MESSAGE_EVALUATED:
    case MESSAGE_LEAVE:
        break;
    }
    return ERR_MALFORMED; /* only workers say these */
}

static int on_parameters(struct worker *w, const struct worker_event *ev,
                         struct worker_actions *out)
{
    assert(w->receiving && ev->version == w->announced.version);
    w->receiving = false;
    w->announced_valid = false;
    if (ev->err != ERR_OK) {
        finish(w, ev->err, (uint32_t)err_exit_code(ev->err),
               "the parameters arrived damaged", out);
        return ev->err;
    }
    w->version = ev->version;
    compute_what_can_be(w, out);
    return ERR_OK;
}

static void give_result(struct worker *w, const struct worker_lease *l,
                        const struct worker_event *ev, struct worker_actions *out)
{
    struct worker_action *a = act(out, l->evaluation ? WORK_REPORT : WORK_PUSH);
    a->lease = l->lease;
    a->message = say(w, l->evaluation ? MESSAGE_EVALUATED : MESSAGE_PARTIAL);
    if (l->evaluation) {
        a->message.evaluated.lease = l->lease;
        a->message.evaluated.step = l->step;
        a->message.evaluated.seconds = ev->seconds;
        return;
    }
    assert(w->ranges > 0);
    a->transfer = w->next_transfer;
    w->next_transfer += w->ranges;
    a->message.partial.lease = l->lease;
    a->message.partial.step = l->step;
    a->message.partial.level = l->node.level;
    a->message.partial.index = l->node.index;
    a->message.partial.transfer = a->transfer;
    a->message.partial.loss = ev->loss;
    a->message.partial.targets = ev->targets;
    a->message.partial.seconds = ev->seconds;
}

static int on_computed(struct worker *w, const struct worker_event *ev,
                       struct worker_actions *out)
{
    size_t i = 0;
    while (i < w->queued && w->queue[i].lease != ev->lease)
        i++;
    assert(i < w->queued && w->queue[i].computing);
    const struct worker_lease done = w->queue[i];
    memmove(&w->queue[i], &w->queue[i + 1], (w->queued - i - 1) * sizeof *w->queue);
    w->queued--;
    give_result(w, &done, ev, out);
    receive_when_idle(w, out);
    return ERR_OK;
}

static void on_tick(struct worker *w, uint64_t now_ms, struct worker_actions *out)
{
    if (w->phase != WORKER_WORKING || now_ms - w->beat_ms < w->conf.heartbeat_ms)
        return;
    w->beat_ms = now_ms;
    struct message *m = &act(out, WORK_SEND)->message;
    *m = say(w, MESSAGE_HEARTBEAT);
    m->heartbeat.lease = w->queued ? w->queue[0].lease : 0;
}

int worker_step(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out)
{
    out->n = 0;
    if (w->phase == WORKER_FINISHED)
        return ERR_OK;
    switch (ev->kind) {
    case WORKER_START:
        join(w, out);
        return ERR_OK;
    case WORKER_TICK:
        on_tick(w, ev->now_ms, out);
        return ERR_OK;
    case WORKER_MESSAGE:
        return on_message(w, ev->message, out);
    case WORKER_CLOSED:
        finish(w, ERR_CLOSED, (uint32_t)err_exit_code(ERR_CLOSED),
               "the control channel to the coordinator has ended", out);
        return ERR_OK;
    case WORKER_PARAMETERS:
        return on_parameters(w, ev, out);
    case WORKER_COMPUTED:
        return on_computed(w, ev, out);
    }
    return ERR_INVALID;
}
