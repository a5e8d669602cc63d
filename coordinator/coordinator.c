#include "coordinator/coordinator.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "coordinator/early.h"
#include "coordinator/on_message.h"

struct coordinator_from coordinator_from_nothing(void)
{
    struct coordinator_from from = {0};
    validation_init(&from.validation);
    return from;
}

void coordinator_go_on_from(struct coordinator *c, const struct coordinator_from *from)
{
    c->version = from->version;
    c->checkpointed = from->saved ? from->version : UINT64_MAX;
    c->validation = from->validation;
    c->guard = from->guard;
}

void coordinator_init(struct coordinator *c, const struct coordinator_conf *conf,
                      uint64_t term, const struct coordinator_from *from)
{
    assert(conf->slices > 0 && conf->workers > 0 && conf->heartbeat_ms < conf->lease_ms);
    *c = (struct coordinator){.conf = *conf, .term = term, .unit = 1};
    coordinator_go_on_from(c, from);
}

void coordinator_fini(struct coordinator *c)
{
    members_fini(&c->members);
    ledger_fini(&c->ledger);
    audit_fini(&c->audit);
    mem_free(c->arriving);
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

static void checkpoint(struct coordinator *c, bool halfway, struct actions *out)
{
    assert(!c->checkpoint_running);
    c->checkpoint_running = true;
    c->checkpoint_due = false;
    struct action *a = act(out, ACTION_CHECKPOINT);
    a->version = c->version;
    a->halfway = halfway;
}

void coordinator_end(struct coordinator *c, int err, const char *reason,
                     struct actions *out)
{
    if (c->phase == PHASE_ENDING || c->phase == PHASE_FINISHED)
        return;
    if (coordinator_at_work(c))
        share_end(c, out);
    c->end_err = err;
    c->end_reason = reason;
    c->phase = PHASE_ENDING;
    if (c->checkpoint_running)
        return; /* EVENT_CHECKPOINTED goes on from here */
    if (c->checkpointed == c->version || c->conf.eval_only || c->version == 0)
        finish(c, out);
    else
        checkpoint(c, false, out);
}

static void on_checkpointed(struct coordinator *c, const struct event *ev,
                            struct actions *out)
{
    assert(c->checkpoint_running);
    c->checkpoint_running = false;
    if (ev->err == ERR_OK)
        c->checkpointed = ev->step;
    if (c->phase == PHASE_REWIND) {
        rewind_go(c, out);
        return;
    }
    if (c->phase != PHASE_ENDING) {
        const bool waiting = c->waiting;
        c->waiting = c->held = false;
        if (waiting)
            coordinator_go_on(c, out);
        else
            coordinator_check_complete(c, out);
        return;
    }
    if (ev->step != c->version) { /* an older one was under way when the end came */
        checkpoint(c, false, out);
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

static void begin_step(struct coordinator *c, struct actions *out)
{
    const struct turn turn = turns_at(&c->guard.turns, c->version);
    c->phase = PHASE_STEP;
    c->data = c->version + turn.offset;
    c->rate = schedule_rate(&c->conf.schedule, c->version) * turn.rate;
    c->slices = ramp_slices(c->conf.ramp, c->conf.slices, c->data);
    ledger_begin(&c->ledger, c->slices);
    audit_begin(&c->audit, c->slices, c->conf.audit, c->conf.seed, c->version);
    share_begin(c, out);
}

void coordinator_restart_step(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_STEP);
    share_end(c, out);
    act(out, ACTION_DISCARD);
    begin_step(c, out);
}

static void begin_held_out(struct coordinator *c, bool translating, struct actions *out)
{
    c->phase = PHASE_EVALUATE;
    c->translating = translating;
    ledger_begin(&c->ledger, c->conf.eval_slices);
    share_begin(c, out);
}

static void begin_evaluation(struct coordinator *c, struct actions *out)
{
    begin_held_out(c, c->conf.translate == TRANSLATE_ONLY, out);
}

/* Whether the step at hand would put more than checkpoint_every versions between the one
 * on disk and the newest, and a checkpoint is on its way that changes that. */
static bool too_far(const struct coordinator *c)
{
    const uint64_t saved = c->checkpointed == UINT64_MAX ? 0 : c->checkpointed;
    return c->checkpoint_running && c->conf.checkpoint_every &&
           c->version + 1 - saved > c->conf.checkpoint_every;
}

/* One every checkpoint_every steps, which stays; and one half-way, until the next is on
 * disk: a death while one is written must not cost more than checkpoint_every steps, nor
 * the disk hold the training back for that. */
static bool halfway(const struct coordinator *c)
{
    const uint64_t every = c->conf.checkpoint_every;
    return every > 1 && c->version % every == every / 2 && c->version != c->checkpointed;
}

/* Between two steps: checkpoint when due, then the next step or the end. */
void coordinator_go_on(struct coordinator *c, struct actions *out)
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
    if (c->checkpoint_due && c->checkpoint_running) {
        c->waiting = true;
        return;
    }
    if (c->checkpoint_due || (halfway(c) && !c->checkpoint_running))
        checkpoint(c, !c->checkpoint_due, out);
    begin_step(c, out);
}

static bool evaluation_due(const struct coordinator *c)
{
    return c->conf.eval_slices && c->conf.eval_every && !c->stopping &&
           (c->version % c->conf.eval_every == 0 || c->version >= c->conf.steps);
}

void coordinator_after_commit(struct coordinator *c, struct actions *out)
{
    if (c->end_reason) /* the end came while the update ran */
        coordinator_end(c, c->end_err, c->end_reason, out);
    else if (rewind_diverged(c, out))
        return;
    else if (evaluation_due(c))
        begin_evaluation(c, out);
    else
        coordinator_go_on(c, out);
}

static double held_out_loss(const struct coordinator *c)
{
    return c->held_out.loss / (double)c->held_out.targets;
}

/* @bleu: NAN when it was not measured. */
static void evaluated(struct coordinator *c, double bleu, struct actions *out)
{
    const double value[] = {
        [VALIDATION_HELD_OUT_LOSS] = held_out_loss(c), [VALIDATION_BLEU] = bleu};
    validation_take(&c->validation, c->version, value);
    const bool best = validation_is_best(&c->validation, VALIDATION_HELD_OUT_LOSS),
               best_bleu = validation_is_best(&c->validation, VALIDATION_BLEU);
    if ((best || best_bleu) && c->conf.keep_best && c->version != c->checkpointed)
        c->checkpoint_due = true;
    struct action *a = act(out, ACTION_EVALUATED);
    a->version = c->version;
    a->loss = held_out_loss(c);
    a->bleu = bleu;
    a->targets = c->held_out.targets;
    a->best = best;
    a->best_bleu = best_bleu;
    if (c->conf.eval_only)
        coordinator_end(c, ERR_OK, "evaluated", out);
    else if (c->version < c->conf.steps && early_due(c))
        coordinator_end(c, ERR_OK, early_why(c, c->why), out);
    else if (c->checkpoint_due && c->checkpoint_running)
        c->waiting = true; /* the next version would be saved in its place */
    else
        coordinator_go_on(c, out);
}

static void losses_complete(struct coordinator *c, struct actions *out)
{
    c->held_out = ledger_slice_sum(&c->ledger);
    share_end(c, out);
    if (c->conf.translate == TRANSLATE_TO_SCORE && isfinite(held_out_loss(c)))
        begin_held_out(c, true, out);
    else
        evaluated(c, NAN, out);
}

static void translations_complete(struct coordinator *c, struct actions *out)
{
    share_end(c, out);
    c->translating = false;
    if (c->conf.translate == TRANSLATE_ONLY) {
        coordinator_end(c, ERR_OK, "translated", out);
        return;
    }
    c->phase = PHASE_SCORE;
    act(out, ACTION_SCORE)->version = c->version;
}

static void on_scored(struct coordinator *c, const struct event *ev, struct actions *out)
{
    if (c->phase == PHASE_SCORE) /* else the end came before */
        evaluated(c, ev->bleu, out);
}

void coordinator_check_complete(struct coordinator *c, struct actions *out)
{
    if (!coordinator_at_work(c) || c->waiting || !ledger_complete(&c->ledger))
        return;
    if (c->phase == PHASE_EVALUATE)
        (c->translating ? translations_complete : losses_complete)(c, out);
    else if (audit_complete(&c->audit, c->members.n)) {
        c->held = too_far(c);
        if (!c->held)
            decide_step(c, out);
    }
}

/* --- members ---------------------------------------------------------------------------
 */

/* Whoever saved the version at hand ended between its commit and its evaluation. */
static bool was_not_evaluated(const struct coordinator *c)
{
    return c->version > 0 && c->validation.step != c->version && evaluation_due(c);
}

/* Likewise, it may not have decided whether the loss diverges. */
void coordinator_take_up(struct coordinator *c, struct actions *out)
{
    if (early_due(c))
        coordinator_end(c, ERR_OK, early_why(c, c->why), out);
    else if (rewind_diverged(c, out))
        return;
    else if (was_not_evaluated(c))
        begin_evaluation(c, out);
    else
        coordinator_go_on(c, out);
}

void coordinator_begin(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_GATHER && c->members.n > 0);
    if (c->conf.eval_only)
        begin_evaluation(c, out);
    else
        coordinator_take_up(c, out);
}

static void forget_arriving(struct coordinator *c, uint32_t worker)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->arrivings; i++)
        if (c->arriving[i].worker != worker)
            c->arriving[kept++] = c->arriving[i];
    c->arrivings = kept;
}

static void end_when_alone(struct coordinator *c, struct actions *out)
{
    if (c->members.n > 0 || c->phase == PHASE_ENDING || c->phase == PHASE_FINISHED ||
        c->phase == PHASE_UPDATE || c->phase == PHASE_REWIND || c->phase == PHASE_SCORE)
        return;
    if (c->stopping)
        coordinator_end(c, ERR_STOPPED, "stopped on request", out);
    else if (c->phase != PHASE_GATHER &&
             c->now_ms - c->alone_since_ms >= c->conf.rejoin_ms)
        coordinator_end(c, ERR_CLOSED, "all workers were lost", out);
}

/* A rank that is gone before the start does not come back. */
static void gather_without(struct coordinator *c, struct actions *out)
{
    c->gone++;
    if (c->gone == c->conf.workers)
        coordinator_end(c, ERR_CLOSED, "all workers were lost before the start", out);
    else if (c->members.n > 0 && c->members.n + c->gone == c->conf.workers)
        coordinator_begin(c, out);
}

void coordinator_lose(struct coordinator *c, uint32_t worker, int err,
                      struct actions *out)
{
    const struct member *one = members_by_worker(&c->members, worker);
    struct action *a = act(out, ACTION_LOST);
    a->worker = worker;
    a->peer = one->peer;
    a->err = err;
    forget_arriving(c, worker);
    if (coordinator_at_work(c)) {
        ledger_forget(&c->ledger, worker);
        share_uncover(c);
        audit_forget(&c->audit, worker);
    }
    members_remove(&c->members, worker);
    if (c->members.n == 0)
        c->alone_since_ms = c->now_ms;
    if (c->phase == PHASE_GATHER)
        gather_without(c, out);
    else if (coordinator_at_work(c))
        share_spread(c, out);
    coordinator_check_complete(c, out);
    end_when_alone(c, out);
}

/* Who did not listen cannot say who was silent: after a pause of its own (SIGSTOP, a
 * sleeping laptop, long work on the loop) everybody has a whole lease again. */
static void forgive_own_pause(struct coordinator *c)
{
    const uint64_t pause_ms = c->now_ms - c->ticked_ms;
    c->ticked_ms = c->now_ms;
    if (pause_ms <= c->conf.lease_ms / 2)
        return;
    c->gather_since_ms += pause_ms;
    c->alone_since_ms += pause_ms;
    for (size_t i = 0; i < c->members.n; i++)
        c->members.list[i].heard_ms = c->now_ms;
}

static void lose_silent(struct coordinator *c, struct actions *out)
{
    for (size_t i = c->members.n; i-- > 0;)
        if (i < c->members.n &&
            c->now_ms - c->members.list[i].heard_ms > c->conf.lease_ms)
            coordinator_lose(c, c->members.list[i].worker, ERR_TIMEOUT, out);
}

static void beat(struct coordinator *c, struct actions *out)
{
    if (c->now_ms - c->beat_ms < c->conf.heartbeat_ms)
        return;
    c->beat_ms = c->now_ms;
    for (size_t i = 0; i < c->members.n; i++)
        act(out, ACTION_HEARTBEAT)->peer = c->members.list[i].peer;
}

static void stop_gathering(struct coordinator *c, struct actions *out)
{
    if (c->now_ms - c->gather_since_ms <= c->conf.start_timeout_ms)
        return;
    if (c->members.n > 0) {
        coordinator_begin(c, out);
        return;
    }
    coordinator_end(c, ERR_TIMEOUT, "no worker joined in time (cluster.start_timeout)",
                    out);
}

static void on_tick(struct coordinator *c, struct actions *out)
{
    forgive_own_pause(c);
    lose_silent(c, out);
    members_find_median(&c->members);
    if (c->phase == PHASE_GATHER)
        stop_gathering(c, out);
    if (coordinator_at_work(c))
        share_feed_all(c, out);
    end_when_alone(c, out);
    if (c->phase != PHASE_FINISHED)
        beat(c, out);
}

static void on_stop(struct coordinator *c, struct actions *out)
{
    c->stopping = true;
    if (c->phase == PHASE_GATHER || c->phase == PHASE_EVALUATE || c->phase == PHASE_SCORE)
        coordinator_end(c, ERR_STOPPED, "stopped on request", out);
    end_when_alone(c, out);
}

int coordinator_step(struct coordinator *c, const struct event *ev, struct actions *out)
{
    out->n = 0;
    if (c->phase == PHASE_FINISHED)
        return ERR_OK;
    c->now_ms = ev->now_ms;
    switch (ev->kind) {
    case EVENT_START:
        c->gather_since_ms = c->ticked_ms = c->beat_ms = ev->now_ms;
        if (!c->conf.eval_only && c->version >= c->conf.steps)
            coordinator_end(c, ERR_OK, "all steps were done before", out);
        else if (!c->conf.eval_only && early_due(c))
            coordinator_end(c, ERR_OK, early_why(c, c->why), out);
        return ERR_OK;
    case EVENT_TICK:
        on_tick(c, out);
        return ERR_OK;
    case EVENT_MESSAGE:
        return on_message(c, ev, out);
    case EVENT_CLOSED: {
        const struct member *one = members_by_peer(&c->members, ev->peer);
        if (one)
            coordinator_lose(c, one->worker, one->leaving ? ERR_OK : ERR_CLOSED, out);
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
    case EVENT_REWOUND:
        on_rewound(c, ev, out);
        return ERR_OK;
    case EVENT_SCORED:
        on_scored(c, ev, out);
        return ERR_OK;
    case EVENT_STOP:
        on_stop(c, out);
        return ERR_OK;
    }
    return ERR_INVALID;
}
