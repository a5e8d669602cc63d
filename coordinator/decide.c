/* decide.c - what becomes of a step that is complete: it is updated and committed, or
 * committed without an update; or the run goes back, or ends.
 *
 *      loss not finite, or a spike    ACTION_SKIP at once
 *      norm not finite, or a spike    known when the update would be made: it is not
 *
 * The decisions depend on what was computed and on what the guard remembers, never on who
 * computed it or when: they are the same after a restart. */
#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "coordinator/on_message.h"

/* --- decided ---------------------------------------------------------------------------
 */

static struct action *commit(struct coordinator *c, struct actions *out)
{
    struct action *a = act(out, ACTION_COMMIT);
    a->step = c->version;
    a->version = ++c->version;
    a->rate = c->rate;
    a->loss = c->loss;
    a->noise = c->noise;
    a->targets = c->targets;
    a->data = c->data;
    return a;
}

static struct action *skip(struct coordinator *c, enum skip_why why, struct actions *out)
{
    act(out, ACTION_DISCARD);
    act(out, ACTION_SKIP)->step = c->version;
    struct action *a = commit(c, out);
    a->skipped = why;
    return a;
}

/* The loss or the gradient is not finite although it was computed twice: it is the
 * model's doing, or the data's. */
static void not_finite(struct coordinator *c, const char *reason, struct actions *out)
{
    if (!c->conf.skip_not_finite) {
        if (!rewind_begin(c, c->version + 1, reason, out))
            coordinator_end(c, ERR_NO_PROGRESS, reason, out);
        return;
    }
    skip(c, SKIP_NOT_FINITE, out);
    coordinator_after_commit(c, out);
}

/* It is finite, and far above the usual. */
static void spike(struct coordinator *c, enum skip_why why, double norm,
                  struct actions *out)
{
    const bool loss = why == SKIP_LOSS;
    struct action *a = skip(c, why, out);
    a->norm = norm;
    a->z = spikes_z(&c->guard.spikes, loss ? SPIKES_LOSS : SPIKES_NORM,
                    c->conf.skip_window, loss ? c->loss : norm);
    spikes_skip(&c->guard.spikes, c->conf.skip_window);
    coordinator_after_commit(c, out);
}

static void remember(struct coordinator *c, double norm)
{
    if (c->conf.skip_loss_z > 0 || c->conf.skip_norm_z > 0)
        spikes_accept(&c->guard.spikes, c->conf.skip_window, c->loss, norm);
    trend_add(&c->guard.trend, c->conf.trend_fast, c->conf.trend_slow, c->conf.divergence,
              c->loss);
}

/* --- slow workers ----------------------------------------------------------------------
 */

enum { SLOW_STEPS = 3, SLOW_AGAIN = 1000 };

/* Whoever computes at less than half of the median speed, said once in a while. */
static void name_slow(struct coordinator *c, struct actions *out)
{
    members_find_median(&c->members);
    const double median = c->members.median_speed;
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        m->slow_steps = m->speed > 0 && 2 * m->speed < median ? m->slow_steps + 1 : 0;
        if (m->slow_steps % SLOW_AGAIN != SLOW_STEPS)
            continue;
        struct action *a = act(out, ACTION_SLOW);
        a->peer = m->peer;
        a->worker = m->worker;
        a->speed = m->speed;
        a->median = median;
    }
}

/* --- complete --------------------------------------------------------------------------
 */

static double limit(const struct coordinator *c, enum spikes_kind kind, double z)
{
    return z > 0 ? spikes_limit(&c->guard.spikes, kind, c->conf.skip_window, z)
                 : INFINITY;
}

void decide_step(struct coordinator *c, struct actions *out)
{
    const struct ledger_sum sum = ledger_tree_sum(&c->ledger);
    c->targets = sum.targets;
    c->loss = sum.loss / (double)sum.targets;
    c->noise = sum.noise;
    share_end(c, out);
    c->phase = PHASE_UPDATE;
    name_slow(c, out);
    if (!isfinite(c->loss)) {
        not_finite(c, "the loss is not finite", out);
        return;
    }
    if (c->loss > limit(c, SPIKES_LOSS, c->conf.skip_loss_z)) {
        spike(c, SKIP_LOSS, 0, out);
        return;
    }
    c->norm_limit = limit(c, SPIKES_NORM, c->conf.skip_norm_z);
    struct action *a = act(out, ACTION_UPDATE);
    a->step = c->version;
    a->rate = c->rate;
    a->targets = c->targets;
    a->limit = c->norm_limit;
}

void on_updated(struct coordinator *c, const struct event *ev, struct actions *out)
{
    assert(c->phase == PHASE_UPDATE);
    if (!isfinite(ev->norm)) {
        not_finite(c, "the gradient of the loss is not finite", out);
        return;
    }
    if (ev->norm > c->norm_limit) {
        spike(c, SKIP_NORM, ev->norm, out);
        return;
    }
    remember(c, ev->norm);
    struct action *a = commit(c, out);
    a->norm = ev->norm;
    a->clip = ev->clip;
    coordinator_after_commit(c, out);
}
