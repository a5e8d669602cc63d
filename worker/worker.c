#include "worker/worker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "worker/answer.h"

void worker_init(struct worker *w, const struct worker_conf *conf)
{
    *w = (struct worker){.conf = *conf, .version = UINT64_MAX};
}

void worker_fini(struct worker *w)
{
    for (size_t i = 0; i < w->runs; i++)
        run_fini(&w->run[i]);
    mem_free(w->run);
    mem_free(w->slice);
    mem_free(w->queue);
    mem_free(w->hashes);
    mem_free(w->scratch);
    *w = (struct worker){0};
}

void worker_actions_fini(struct worker_actions *a)
{
    mem_free(a->list);
    *a = (struct worker_actions){0};
}

void worker_set_shape(struct worker *w, uint32_t ranges, uint32_t V, bool hashing)
{
    assert(ranges > 0 && V > 0 && !w->slice);
    w->ranges = ranges;
    w->V = V;
    w->hashing = hashing;
    w->slice = mem_zalloc(V * sizeof *w->slice);
    w->hashes = mem_zalloc(V * sizeof *w->hashes);
}

struct worker_action *work_act(struct worker_actions *out, enum worker_action_kind kind)
{
    if (out->n == out->room) {
        out->room = out->room ? 2 * out->room : 16;
        out->list = mem_resize(out->list, out->room * sizeof *out->list);
    }
    struct worker_action *a = &out->list[out->n++];
    *a = (struct worker_action){.kind = kind};
    return a;
}

struct message work_say(const struct worker *w, enum message_kind kind)
{
    return (struct message){
        .kind = kind, .term = w->term, .incarnation = w->conf.incarnation};
}

static void finish(struct worker *w, int err, uint32_t exit_code, const char *reason,
                   struct worker_actions *out)
{
    struct worker_action *a = work_act(out, WORK_FINISH);
    a->err = err;
    a->exit_code = (int)exit_code;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    w->phase = WORKER_FINISHED;
}

static void join(struct worker *w, struct worker_actions *out)
{
    struct message *m = &work_act(out, WORK_SEND)->message;
    *m = work_say(w, MESSAGE_JOIN);
    m->join.protocol = MESSAGE_PROTOCOL;
    m->join.rank = w->conf.rank;
    m->join.pid = w->conf.pid;
    m->join.threads = w->conf.threads;
    m->join.host = w->conf.host;
    m->join.build = w->conf.build;
    m->join.kernels = w->conf.kernels;
}

/* --- the queue ------------------------------------------------------------------------
 */

static void enqueue(struct worker *w, enum lease_kind lease, uint32_t slice)
{
    if (w->queued == w->queue_room) {
        w->queue_room = w->queue_room ? 2 * w->queue_room : 64;
        w->queue = mem_resize(w->queue, w->queue_room * sizeof *w->queue);
    }
    size_t at = w->queued++;
    if (lease == LEASE_AUDIT) { /* somebody waits to be trusted */
        memmove(w->queue + 1, w->queue, at * sizeof *w->queue);
        at = 0;
    }
    w->queue[at] = (struct worker_job){lease, slice};
}

static uint64_t newest(const struct worker *w)
{
    return w->announced ? w->announced_version : w->version;
}

/* One more than there are threads, so that none waits for us; the rest can be given
 * back.  What was announced is on its way: the threads wait for each part of it. */
static void hand_out(struct worker *w, struct worker_actions *out)
{
    size_t taken = 0;
    assert(w->queued == 0 || newest(w) == w->unit_version);
    for (; taken < w->queued && w->given <= w->conf.threads; taken++, w->given++) {
        const struct worker_job job = w->queue[taken];
        if (job.lease == LEASE_TRAIN)
            w->slice[job.slice].state = SLICE_GIVEN;
        else
            run_find(w, job.lease, job.slice)->given++;
        struct worker_action *a = work_act(out, WORK_COMPUTE);
        a->lease = job.lease;
        a->slice = job.slice;
    }
    if (taken > 0)
        memmove(w->queue, w->queue + taken, (w->queued - taken) * sizeof *w->queue);
    w->queued -= taken;
}

void work_unqueue(struct worker *w, enum lease_kind lease, uint32_t first, uint32_t end,
                  struct worker_actions *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->queued; i++) {
        const struct worker_job job = w->queue[i];
        if (job.lease != lease || job.slice < first || job.slice >= end) {
            w->queue[kept++] = job;
            continue;
        }
        struct worker_action *a = work_act(out, WORK_FORGET);
        a->lease = lease;
        a->slice = job.slice;
    }
    w->queued = kept;
}

/* --- messages -------------------------------------------------------------------------
 */

static int on_welcome(struct worker *w, const struct message *m,
                      struct worker_actions *out)
{
    if (w->phase != WORKER_JOINING)
        return ERR_MALFORMED;
    w->phase = WORKER_WORKING;
    w->term = m->term;
    w->number = m->welcome.worker;
    work_act(out, WORK_PREPARE);
    return ERR_OK;
}

static int on_commit(struct worker *w, const struct message *m,
                     struct worker_actions *out)
{
    if (w->announced || w->held > 0)
        return ERR_MALFORMED; /* parameters are for whom has answered */
    assert(w->given == 0);
    w->announced = true;
    w->announced_version = m->commit.version;
    work_act(out, WORK_ANNOUNCED)->version = m->commit.version;
    struct worker_action *a = work_act(out, WORK_RECEIVE);
    a->version = m->commit.version;
    a->transfer = m->commit.transfer;
    return ERR_OK;
}

/* A version that is neither here nor announced would be waited for without end; slices
 * held twice would be answered once. */
static bool can_be_computed(const struct worker *w, const struct message *m)
{
    const uint32_t first = m->lease.first, end = first + (uint32_t)m->lease.slices;
    if (m->lease.version != newest(w) || newest(w) == UINT64_MAX ||
        m->lease.unit < w->unit || (m->lease.unit > w->unit && w->held > 0))
        return false;
    const bool held_out =
        m->lease.kind == LEASE_HELD_OUT || m->lease.kind == LEASE_TRANSLATE;
    if (!held_out && end > w->V)
        return false;
    for (uint32_t v = first; v < end; v++)
        if (m->lease.kind == LEASE_TRAIN ? w->slice[v].state != SLICE_NONE
                                         : run_find(w, m->lease.kind, v) != NULL)
            return false;
    return true;
}

static int on_lease(struct worker *w, const struct message *m, struct worker_actions *out)
{
    if (!can_be_computed(w, m))
        return ERR_MALFORMED;
    const uint32_t first = m->lease.first, count = (uint32_t)m->lease.slices;
    w->unit = m->lease.unit;
    w->unit_version = m->lease.version;
    w->held += count;
    if (w->leaving) { /* it crossed our Leave */
        answer_released(w, m->lease.kind, first, count, out);
        return ERR_OK;
    }
    work_act(out, WORK_KEEP);
    if (m->lease.kind == LEASE_HELD_OUT || m->lease.kind == LEASE_AUDIT)
        run_add(w, m->lease.kind, first, count);
    for (uint32_t v = first; v < first + count; v++) {
        if (m->lease.kind == LEASE_TRAIN)
            w->slice[v] = (struct worker_slice){.state = SLICE_QUEUED};
        if (m->lease.kind == LEASE_TRANSLATE) /* much to compute and to say */
            run_add(w, LEASE_TRANSLATE, v, 1);
        enqueue(w, m->lease.kind, v);
    }
    hand_out(w, out);
    return ERR_OK;
}

static int on_revoke(struct worker *w, const struct message *m,
                     struct worker_actions *out)
{
    const uint32_t first = m->revoke.first, end = first + m->revoke.count;
    if (m->revoke.unit != w->unit)
        return ERR_STALE; /* all of it has been answered */
    if (m->revoke.kind == LEASE_TRAIN)
        answer_revoked_slices(w, first, end, m->revoke.unwanted, out);
    else
        answer_revoked_runs(w, m->revoke.kind, first, end, out);
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
    case MESSAGE_REVOKE:
        return on_revoke(w, m, out);
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
    case MESSAGE_AUDITED:
    case MESSAGE_RELEASED:
    case MESSAGE_PULLED:
    case MESSAGE_LEAVE:
        break;
    }
    return ERR_MALFORMED; /* only workers say these */
}

/* --- the rest -------------------------------------------------------------------------
 */

static int on_parameters(struct worker *w, const struct worker_event *ev,
                         struct worker_actions *out)
{
    assert(w->announced && ev->version == w->announced_version);
    w->announced = false;
    if (ev->err != ERR_OK) {
        finish(w, ev->err, (uint32_t)err_exit_code(ev->err),
               "the parameters arrived damaged", out);
        return ev->err;
    }
    w->version = ev->version;
    struct message *m = &work_act(out, WORK_SEND)->message;
    *m = work_say(w, MESSAGE_PULLED);
    m->pulled.version = ev->version;
    return ERR_OK;
}

static void on_computed(struct worker *w, const struct worker_event *ev,
                        struct worker_actions *out)
{
    assert(w->given > 0 && !w->announced && "all parameters are read in a forward pass");
    w->given--;
    hand_out(w, out); /* no thread waits for what follows */
    if (ev->lease == LEASE_TRAIN)
        answer_slice(w, ev, out);
    else
        answer_run(w, ev, out);
    struct worker_action *a = work_act(out, WORK_FORGET);
    a->lease = ev->lease;
    a->slice = ev->slice;
}

static void on_leave(struct worker *w, struct worker_actions *out)
{
    w->leaving = true;
    if (w->phase != WORKER_WORKING)
        return;
    struct message *m = &work_act(out, WORK_SEND)->message;
    *m = work_say(w, MESSAGE_LEAVE);
    m->leave.reason = "asked to leave";
    answer_revoked_slices(w, 0, w->V, false, out);
    answer_revoked_runs(w, LEASE_HELD_OUT, 0, UINT32_MAX, out);
    answer_revoked_runs(w, LEASE_AUDIT, 0, UINT32_MAX, out);
    answer_revoked_runs(w, LEASE_TRANSLATE, 0, UINT32_MAX, out);
}

static void on_tick(struct worker *w, uint64_t now_ms, struct worker_actions *out)
{
    const uint64_t pause_ms = now_ms - w->ticked_ms;
    w->ticked_ms = now_ms;
    if (pause_ms > w->conf.silence_ms / 2) /* who did not listen cannot say who spoke */
        w->heard_ms = now_ms;
    if (now_ms - w->heard_ms > w->conf.silence_ms) {
        finish(w, ERR_TIMEOUT, (uint32_t)err_exit_code(ERR_TIMEOUT),
               "the coordinator is silent", out);
        return;
    }
    if (w->phase != WORKER_WORKING || now_ms - w->beat_ms < w->conf.heartbeat_ms)
        return;
    w->beat_ms = now_ms;
    struct message *m = &work_act(out, WORK_SEND)->message;
    *m = work_say(w, MESSAGE_HEARTBEAT);
    m->heartbeat.held = w->held;
}

static void on_closed(struct worker *w, int err, struct worker_actions *out)
{
    if (err == ERR_REFUSED || err == ERR_MISMATCH)
        finish(w, err, (uint32_t)err_exit_code(err),
               "the coordinator and this worker do not belong together", out);
    else
        finish(w, ERR_CLOSED, (uint32_t)err_exit_code(ERR_CLOSED),
               "the control channel to the coordinator has ended", out);
}

static int handle(struct worker *w, const struct worker_event *ev,
                  struct worker_actions *out)
{
    switch (ev->kind) {
    case WORKER_START:
        w->heard_ms = w->ticked_ms = ev->now_ms;
        join(w, out);
        return ERR_OK;
    case WORKER_TICK:
        on_tick(w, ev->now_ms, out);
        return ERR_OK;
    case WORKER_MESSAGE:
        w->heard_ms = ev->now_ms;
        return on_message(w, ev->message, out);
    case WORKER_CLOSED:
        on_closed(w, ev->err, out);
        return ERR_OK;
    case WORKER_PARAMETERS:
        return on_parameters(w, ev, out);
    case WORKER_COMPUTED:
        on_computed(w, ev, out);
        return ERR_OK;
    case WORKER_LEAVE:
        on_leave(w, out);
        return ERR_OK;
    }
    return ERR_INVALID;
}

int worker_step(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out)
{
    out->n = 0;
    if (w->phase == WORKER_FINISHED)
        return ERR_OK;
    const int err = handle(w, ev, out);
    if (w->leaving && w->held == 0 && w->phase != WORKER_FINISHED)
        finish(w, ERR_OK, 0, "left as asked", out);
    return err;
}
