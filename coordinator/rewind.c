/* rewind.c - a loss that diverges, and the way back.
 *
 * Whether, from where, how far and with which data is a function of what was computed and
 * of the configuration: not of the workers, nor of what is on disk, nor of the time.  So
 * whoever starts from any checkpoint of any of the ways that the run has taken comes to
 * the same turns; what is noted of them only saves computing what led there again.
 *
 *      decided --no checkpoint is being written--> ACTION_REWIND   the journal has the
 * turn for good; versions after it are removed; it, or one before, is loaded
 *      --EVENT_REWOUND--> its step, with the data of the turn
 *
 * What the workers still compute is of an earlier unit, and what they have of parameters
 * of another way: they get them anew, whatever the number of the version. */
#include <assert.h>

#include "base/err.h"
#include "coordinator/on_message.h"

static bool may_go_back(const struct coordinator *c)
{
    return c->conf.divergence > 0 && c->conf.on_divergence == DIVERGED_REWIND &&
           c->guard.turns.n < c->conf.rewind_limit;
}

bool rewind_begin(struct coordinator *c, uint64_t next, const char *reason,
                  struct actions *out)
{
    if (!may_go_back(c))
        return false;
    const uint64_t back =
        turns_back(c->version, c->conf.rewind_steps, c->conf.checkpoint_every);
    const struct turn before = turns_newest(&c->guard.turns);
    const bool added = turns_add(
        &c->guard.turns, (struct turn){.version = back,
                                       .offset = before.offset + next - back,
                                       .rate = before.rate * c->conf.rewind_rate});
    if (!added)
        return false;
    c->phase = PHASE_REWIND;
    c->rewind_reason = reason;
    c->checkpoint_due = false;
    act(out, ACTION_DISCARD); /* of a step that is not finite */
    if (!c->checkpoint_running)
        rewind_go(c, out);
    return true;
}

void rewind_go(struct coordinator *c, struct actions *out)
{
    assert(c->phase == PHASE_REWIND && !c->checkpoint_running);
    const struct turn turn = turns_newest(&c->guard.turns);
    struct action *a = act(out, ACTION_REWIND);
    a->step = c->version;
    a->version = turn.version;
    a->data = turn.offset;
    a->rate = turn.rate;
    a->loss = c->guard.trend.fast;
    a->usual = c->guard.trend.slow;
    a->reason = c->rewind_reason;
}

void on_rewound(struct coordinator *c, const struct event *ev, struct actions *out)
{
    assert(c->phase == PHASE_REWIND);
    if (ev->err) { /* there is nothing that could be saved */
        c->checkpointed = c->version;
        coordinator_end(c, ev->err, "the version to go back to could not be loaded", out);
        return;
    }
    assert(ev->from->version <= turns_newest(&c->guard.turns).version);
    coordinator_go_on_from(c, ev->from);
    c->diverging = false;
    c->way++;
    coordinator_take_up(c, out);
}

static void say(struct coordinator *c, struct actions *out)
{
    struct action *a = act(out, ACTION_DIVERGES);
    a->version = c->version;
    a->loss = c->guard.trend.fast;
    a->usual = c->guard.trend.slow;
    a->sigma = c->conf.divergence;
}

bool rewind_diverged(struct coordinator *c, struct actions *out)
{
    const bool said = c->diverging;
    c->diverging =
        trend_diverges(&c->guard.trend, c->conf.trend_fast, c->conf.divergence);
    if (!c->diverging)
        return false;
    if (!said)
        say(c, out);
    if (c->conf.on_divergence == DIVERGED_WARN)
        return false;
    if (!rewind_begin(c, c->version, "the loss diverges", out))
        coordinator_end(c, ERR_NO_PROGRESS,
                        c->conf.on_divergence == DIVERGED_STOP
                            ? "the loss diverges"
                            : "the loss diverges, and train.rewind_limit is reached",
                        out);
    return true;
}
