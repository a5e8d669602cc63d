#include "coordinator/coordinator.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "coordinator/on_message.h"

void coordinator_init(struct coordinator *c, const struct coordinator_conf *conf,
                      uint64_t term, uint64_t version, bool resumed)
{
    assert(conf->slices > 0 && conf->workers > 0 && conf->heartbeat_ms < conf->lease_ms);
    *c = (struct coordinator){.conf = *conf,
                              .term = term,
                              .version = version,
                              .held_out_loss = NAN,
                              .best_loss = NAN,
                              .checkpointed = resumed ? version : UINT64_MAX};
    ledger_init(&c->ledger);
}

void coordinator_fini(struct coordinator *c)
{
    members_fini(&c->members);
    ledger_fini(&c->ledger);
}

void actions_fini(struct actions *a)
{
    mem_free(a->list);
    *a = (struct actions){0};
}

struct action *act(struct actions *out, enum action_kind kind)
{
    if (out->n == out->room) {
        out->room = out->room ? 2 * out->room : 32;
        out->list = mem_resize(out->list, out->room * sizeof *out->list);
    }
    struct action *a = &out->list[out->n++];
    *a = (struct action){.kind = kind};
    return a;
}

/* --- the end -------------------------------------------------------------------------
 */

static void finish(struct coordinator *c, struct actions *out)
{
    for (size_t i = 0; i < c->members.n; i++)
        act(out, ACTION_STOP)->peer = c->members.list[i].peer;
    struct action *a = act(out, ACTION_FINISH);
    a->err = c->end_err;
    a->reason = c->end_reason;
    a->version = c->version;
    c->phase = PHASE_FINISHED;
}

static void checkpoint(struct coordinator *c, struct actions *out)
{
    assert(!c->checkpoint_running);
    c->checkpoint_running = true;
    c->checkpoint_due = false;
    act(out, ACTION_CHECKPOINT)->version = c->version;
}

void coordinator_end(struct coordinator *c, int err, const char *reason,
                     struct actions *out)
{
    if (c->phase == PHASE_ENDING || c->phase == PHASE_FINISHED)
        return;
    c->end_err = err;
    c->end_reason = reason;
    c->phase = PHASE_ENDING;
    if (c->checkpoint_running)
        return; /* EVENT_CHECKPOINTED goes on from here */
    if (c->checkpointed == c->version || c->conf.eval_only || c->version == 0)
        finish(c, out);
    else
        checkpoint(c, out);
}

static void go_on(struct coordinator *c, struct actions *out);

static void on_checkpointed(struct coordinator *c, const struct event *ev,
                            struct actions *out)
{
    assert(c->checkpoint_running);
    c->checkpoint_running = false;
    if (ev->err == ERR_OK)
        c->checkpointed = ev->step;
    if (c->waiting && c->phase == PHASE_EVALUATE) {
        c->waiting = false;
        go_on(c, out);
        return;
    }
    if (c->phase != PHASE_ENDING)
        return;
    if (ev->step != c->version) { /* an older one was under way when the end came */
        checkpoint(c, out);
        return;
    }
    if (ev->err != ERR_OK && (c->end_err == ERR_OK || c->end_err == ERR_STOPPED)) {
        c->end_err = ev->err;
        c->end_reason = "the last checkpoint could not be written";
    }
    finish(c, out);
}

/* --- work ------------------------------------------------------------------------------
 */

static void lease_out(struct coordinator *c, const struct lease *l, bool evaluation,
                      struct actions *out)
{
    struct member *to = members_by_worker(&c->members, l->worker);
    if (to->version != c->version) { /* a worker without slices needs no parameters */
        to->version = c->version;
        act(out, ACTION_PARAMETERS)->peer = to->peer;
    }
    struct action *a = act(out, ACTION_LEASE);
    a->peer = to->peer;
    a->worker = l->worker;
    a->lease = l->id;
    a->step = a->version = c->version;
    a->evaluation = evaluation;
    a->node = l->node;
    a->first = l->first;
    a->end = l->end;
}

/* All slices of the step, in contiguous aligned pieces by measured speed. */
static void begin_step(struct coordinator *c, struct actions *out)
{
    c->phase = PHASE_STEP;
    c->rate = schedule_rate(&c->conf.schedule, c->version);
    ledger_begin(&c->ledger, c->conf.slices);

    uint32_t *cut = mem_alloc((c->members.n + 1) * sizeof *cut);
    members_cut(&c->members, c->conf.slices, cut);
    for (size_t i = 0; i < c->members.n; i++) {
        struct tree_node nodes[2 * TREE_LEVELS];
        const size_t n = tree_cover(cut[i], cut[i + 1], c->conf.slices, nodes);
        for (size_t k = 0; k < n; k++)
            lease_out(c,
                      ledger_grant_node(&c->ledger, c->members.list[i].worker, nodes[k]),
                      false, out);
    }
    mem_free(cut);
}

/* A worker gets a part of what is free, smaller towards the end. */
void coordinator_lease_held_out(struct coordinator *c, uint32_t worker,
                                struct actions *out)
{
    uint32_t first, end;
    if (!ledger_free_run(&c->ledger, &first, &end))
        return;
    uint32_t share = (end - first) / (2 * (uint32_t)c->members.n);
    share = share < 1 ? 1 : share;
    const uint32_t largest = 1 + c->conf.eval_slices / (4 * (uint32_t)c->members.n);
    share = share > largest ? largest : share;
    lease_out(c, ledger_grant(&c->ledger, worker, first, first + share), true, out);
}

static void begin_evaluation(struct coordinator *c, struct actions *out)
{
    c->phase = PHASE_EVALUATE;
    ledger_begin(&c->ledger, c->conf.eval_slices);
    for (int deep = 0; deep < 2; deep++) /* two each, so that nobody waits for the next */
        for (size_t i = 0; i < c->members.n; i++)
            coordinator_lease_held_out(c, c->members.list[i].worker, out);
}

/* Between two steps: checkpoint when due, then the next step or the end. */
static void go_on(struct coordinator *c, struct actions *out)
{
    if (c->version > 0 && c->conf.checkpoint_every &&
        c->version % c->conf.checkpoint_every == 0 && c->version != c->checkpointed)
        c->checkpoint_due = true;
    if (c->version >= c->conf.steps) {
        coordinator_end(c, ERR_OK, "all steps are done", out);
        return;
    }
    if (c->stopping) {
        coordinator_end(c, ERR_STOPPED, "stopped on request", out);
        return;
    }
    if (c->checkpoint_due && !c->checkpoint_running)
        checkpoint(c, out);
    begin_step(c, out);
}

static bool evaluation_due(const struct coordinator *c)
{
    return c->conf.eval_slices && c->conf.eval_every && !c->stopping &&
           (c->version % c->conf.eval_every == 0 || c->version >= c->conf.steps);
}

void coordinator_step_complete(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_STEP && ledger_complete(&c->ledger));
    const struct ledger_sum sum = ledger_tree_sum(&c->ledger);
    c->targets = sum.targets;
    c->loss = sum.loss / (double)sum.targets;
    if (!isfinite(c->loss)) {
        coordinator_end(c, ERR_NO_PROGRESS, "the loss is not finite", out);
        return;
    }
    c->phase = PHASE_UPDATE;
    struct action *a = act(out, ACTION_UPDATE);
    a->step = c->version;
    a->rate = c->rate;
    a->targets = c->targets;
}

static void on_updated(struct coordinator *c, const struct event *ev, struct actions *out)
{
    assert(c->phase == PHASE_UPDATE);
    if (!isfinite(ev->norm)) {
        coordinator_end(c, ERR_NO_PROGRESS, "the gradient of the loss is not finite",
                        out);
        return;
    }
    struct action *a = act(out, ACTION_COMMIT);
    a->step = c->version;
    a->version = ++c->version;
    a->rate = c->rate;
    a->loss = c->loss;
    a->norm = ev->norm;
    a->clip = ev->clip;
    a->targets = c->targets;
    if (c->end_reason) { /* the end came while the update ran */
        coordinator_end(c, c->end_err, c->end_reason, out);
        return;
    }
    if (evaluation_due(c))
        begin_evaluation(c, out);
    else
        go_on(c, out);
}

void coordinator_evaluation_complete(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_EVALUATE && ledger_complete(&c->ledger));
    const struct ledger_sum sum = ledger_slice_sum(&c->ledger);
    c->held_out_loss = sum.loss / (double)sum.targets;
    const bool best = isfinite(c->held_out_loss) &&
                      !(c->held_out_loss >= c->best_loss); /* also the first */
    if (best && !c->conf.eval_only) {
        c->best_loss = c->held_out_loss;
        c->best_version = c->version;
        if (c->conf.keep_best && c->version != c->checkpointed)
            c->checkpoint_due = true;
    }
    struct action *a = act(out, ACTION_EVALUATED);
    a->version = c->version;
    a->loss = c->held_out_loss;
    a->targets = sum.targets;
    a->best = best;
    if (c->conf.eval_only)
        coordinator_end(c, ERR_OK, "evaluated", out);
    else if (c->checkpoint_due && c->checkpoint_running)
        c->waiting = true; /* the next version would be saved in its place */
    else
        go_on(c, out);
}

/* --- members ---------------------------------------------------------------------------
 */

void coordinator_begin(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_GATHER && c->members.n == c->conf.workers);
    if (c->conf.eval_only)
        begin_evaluation(c, out);
    else
        go_on(c, out);
}

static void remove_member(struct coordinator *c, uint32_t worker, int err,
                          struct actions *out)
{
    struct action *a = act(out, ACTION_LOST);
    a->worker = worker;
    a->peer = members_by_worker(&c->members, worker)->peer;
    a->err = err;
    members_remove(&c->members, worker);
}

/* The end of the job, until lost slices are leased anew: what is reached is saved.  While
 * the others are still awaited too: a rank that is gone does not come back. */
static void end_for_lost(struct coordinator *c, int err, struct actions *out)
{
    const char *reason = c->phase == PHASE_GATHER
                             ? "a worker was lost before all had joined"
                             : "a worker was lost";
    if (c->phase == PHASE_UPDATE) { /* the commit must come first */
        c->end_err = err;
        c->end_reason = reason;
        return;
    }
    coordinator_end(c, err, reason, out);
}

void coordinator_lose(struct coordinator *c, uint32_t worker, int err,
                      struct actions *out)
{
    remove_member(c, worker, err, out);
    end_for_lost(c, err, out);
}

/* Who did not listen cannot say who was silent: after a pause of its own (SIGSTOP, a
 * sleeping laptop, long work on the loop) everybody has a whole lease again. */
static void forgive_own_pause(struct coordinator *c, uint64_t now_ms)
{
    const uint64_t pause_ms = now_ms - c->ticked_ms;
    c->ticked_ms = now_ms;
    if (pause_ms <= c->conf.lease_ms / 2)
        return;
    c->gather_since_ms += pause_ms;
    for (size_t i = 0; i < c->members.n; i++)
        c->members.list[i].heard_ms = now_ms;
}

static void lose_silent(struct coordinator *c, uint64_t now_ms, struct actions *out)
{
    const size_t before = c->members.n;
    for (size_t i = c->members.n; i-- > 0;)
        if (now_ms - c->members.list[i].heard_ms > c->conf.lease_ms)
            remove_member(c, c->members.list[i].worker, ERR_TIMEOUT, out);
    if (c->members.n < before)
        end_for_lost(c, ERR_TIMEOUT, out);
}

static void on_tick(struct coordinator *c, uint64_t now_ms, struct actions *out)
{
    forgive_own_pause(c, now_ms);
    if (c->phase == PHASE_GATHER &&
        now_ms - c->gather_since_ms > c->conf.start_timeout_ms) {
        c->end_err = ERR_TIMEOUT;
        c->end_reason = "not all workers joined in time (cluster.start_timeout)";
        finish(c, out);
        return;
    }
    lose_silent(c, now_ms, out);
}

static void on_stop(struct coordinator *c, struct actions *out)
{
    c->stopping = true;
    if (c->phase == PHASE_GATHER || c->phase == PHASE_EVALUATE)
        coordinator_end(c, ERR_STOPPED, "stopped on request", out);
}

int coordinator_step(struct coordinator *c, const struct event *ev, struct actions *out)
{
    out->n = 0;
    if (c->phase == PHASE_FINISHED)
        return ERR_OK;
    switch (ev->kind) {
    case EVENT_START:
        c->gather_since_ms = c->ticked_ms = ev->now_ms;
        if (!c->conf.eval_only && c->version >= c->conf.steps)
            coordinator_end(c, ERR_OK, "all steps were done before", out);
        return ERR_OK;
    case EVENT_TICK:
        on_tick(c, ev->now_ms, out);
        return ERR_OK;
    case EVENT_MESSAGE:
        return on_message(c, ev, out);
    case EVENT_CLOSED: {
        const struct member *one = members_by_peer(&c->members, ev->peer);
        if (one)
            coordinator_lose(c, one->worker, ERR_CLOSED, out);
        return ERR_OK;
    }
    case EVENT_RECEIVED:
        return on_received(c, ev, out);
    case EVENT_UPDATED:
        on_updated(c, ev, out);
        return ERR_OK;
    case EVENT_CHECKPOINTED:
        on_checkpointed(c, ev, out);
        return ERR_OK;
    case EVENT_STOP:
        on_stop(c, out);
        return ERR_OK;
    }
    return ERR_INVALID;
}
