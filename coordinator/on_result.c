/* on_result.c - what workers answer for their slices: partials of a step, losses of
 * held-out slices, hashes, and what they give back.
 *
 * Every slice that was leased is answered once, or its worker is given up.  Answers for
 * earlier units settle what a worker owes and change nothing else. */
#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "coordinator/on_message.h"

/* --- common ---------------------------------------------------------------------------
 */

static bool of_this_unit(const struct coordinator *c, uint64_t unit)
{
    return coordinator_at_work(c) && unit == c->unit;
}

/* An answer for @slices of an earlier unit. */
static int settle(struct coordinator *c, struct member *from, uint64_t unit,
                  uint32_t slices, struct actions *out)
{
    if (unit >= c->unit || slices > from->owed)
        return ERR_MALFORMED;
    from->owed -= slices;
    share_feed(c, from, out);
    return ERR_OK;
}

static void measure(struct coordinator *c, struct member *from, uint32_t slices,
                    double seconds)
{
    members_measure(from, slices, seconds);
    if (from->held > 0 || from->due_ms == UINT64_MAX || from->due_ms <= from->since_ms)
        return;
    const double took = (double)(c->now_ms - from->since_ms),
                 planned = (double)(from->due_ms - from->since_ms);
    from->slack *= pow(took / planned, 0.25);
    from->slack = from->slack < 1 ? 1 : from->slack > 20 ? 20 : from->slack;
}

/* --- opinions -------------------------------------------------------------------------
 */

/* What it computed may be in any sum of this step: that begins again, without it. */
static void convict(struct coordinator *c, uint32_t liar, struct actions *out)
{
    struct member *one = members_by_worker(&c->members, liar);
    if (one)
        one->leaving = true;
    coordinator_restart_step(c, out);
    if (one)
        coordinator_lose(c, liar, ERR_WRONG, out);
}

/* False when the step began again, or the run ends: what is said of it is history. */
static bool take_opinion(struct coordinator *c, uint32_t worker, uint32_t v,
                         uint64_t hash, struct actions *out)
{
    uint32_t liar = 0;
    switch (audit_opinion(&c->audit, worker, v, hash, &liar)) {
    case AUDIT_OPEN:
        return true;
    case AUDIT_CONVICTS:
        convict(c, liar, out);
        return false;
    case AUDIT_UNDECIDED:
        break;
    }
    coordinator_end(c, ERR_WRONG,
                    "two workers disagree about a slice and a third one is needed to say "
                    "which of them computes wrongly",
                    out);
    return false;
}

int on_audited(struct coordinator *c, struct member *from, const struct event *ev,
               struct actions *out)
{
    const struct message *m = ev->message;
    const uint32_t slices = (uint32_t)m->audited.slices, first = m->audited.first;
    if (!of_this_unit(c, m->audited.unit))
        return settle(c, from, m->audited.unit, slices, out);
    for (uint32_t i = 0; i < slices; i++)
        if (!audit_leased(&c->audit, from->worker, first + i))
            return ERR_MALFORMED;
    for (uint32_t i = 0; i < slices; i++)
        audit_release(&c->audit, from->worker, first + i);
    from->audits -= slices;
    const uint32_t worker = from->worker;
    const bool fresh = from->fresh;
    for (uint32_t i = 0; i < slices; i++)
        if (!take_opinion(c, worker, first + i, m->audited.hashes[i], out))
            return ERR_OK;
    share_trust(c);
    if (fresh)
        share_second_opinion(c, first, out);
    share_feed_all(c, out); /* a dispute needs another opinion */
    coordinator_check_complete(c, out);
    return ERR_OK;
}

/* --- partials -------------------------------------------------------------------------
 */

static void expect_partial(struct coordinator *c, const struct member *from,
                           const struct event *ev, struct tree_node node, bool drop,
                           struct actions *out)
{
    const struct message *m = ev->message;
    if (c->arrivings == c->arriving_room) {
        c->arriving_room = c->arriving_room ? 2 * c->arriving_room : 16;
        c->arriving = mem_resize(c->arriving, c->arriving_room * sizeof *c->arriving);
    }
    c->arriving[c->arrivings++] =
        (struct arriving){.partial = ++c->partials,
                          .unit = m->partial.unit,
                          .worker = from->worker,
                          .node = node,
                          .sum = {m->partial.loss, m->partial.targets, m->partial.noise},
                          .drop = drop};
    struct action *a = act(out, ACTION_RECEIVE);
    a->peer = from->peer;
    a->worker = from->worker;
    a->partial = c->partials;
    a->unit = m->partial.unit;
    a->node = node;
    a->transfer = m->partial.transfer;
    a->targets = m->partial.targets;
    a->data = c->data;
    a->unwanted = drop;
}

/* Length of the gradient, per target. */
static double size_of(const struct message *m)
{
    return sqrt(m->partial.squares) / (double)m->partial.targets;
}

/* Not finite, or so far from what was usual that a broken machine is likelier. */
static bool suspicious(const struct coordinator *c, const struct message *m)
{
    if (!isfinite(m->partial.loss) || !isfinite(m->partial.squares))
        return true;
    const double usual = typical_value(&c->typical);
    return c->conf.outlier > 0 && usual > 0 && size_of(m) > c->conf.outlier * usual;
}

static bool doubted_before(const struct coordinator *c, uint32_t first, uint32_t end)
{
    for (uint32_t v = first; v < end; v++)
        if (!c->ledger.slice[v].doubted)
            return false;
    return true;
}

/* What is hard to believe is computed again, elsewhere if there is anybody. */
static void doubt(struct coordinator *c, const struct member *from, uint32_t first,
                  uint32_t end, struct actions *out)
{
    struct action *a = act(out, ACTION_DOUBT);
    a->peer = from->peer;
    a->worker = from->worker;
    a->first = first;
    a->end = end;
    const uint32_t worker = from->worker;
    ledger_doubt(&c->ledger, worker, first, end);
    share_uncover(c);
    share_again(c, worker, first, end, out);
}

int on_partial(struct coordinator *c, struct member *from, const struct event *ev,
               struct actions *out)
{
    const struct message *m = ev->message;
    const struct tree_node node = {m->partial.level, m->partial.index};
    if (!tree_valid(node, c->conf.slices) || m->partial.targets == 0)
        return ERR_MALFORMED;
    const uint32_t first = tree_first(node), end = tree_end(node, c->conf.slices);
    if (!of_this_unit(c, m->partial.unit) || c->phase != PHASE_STEP) {
        TRY(settle(c, from, m->partial.unit, end - first, out));
        expect_partial(c, from, ev, node, true, out);
        return ERR_OK;
    }
    if ((m->partial.slices && m->partial.slices != end - first) ||
        !ledger_announce(&c->ledger, from->worker, first, end))
        return ERR_MALFORMED;
    from->held -= end - first;
    measure(c, from, end - first, m->partial.seconds);
    const bool bad = suspicious(c, m) && !doubted_before(c, first, end) &&
                     !ledger_done(&c->ledger, first, end);
    expect_partial(c, from, ev, node, bad, out);
    const uint32_t worker = from->worker;
    for (uint32_t i = 0; i < m->partial.slices; i++) /* of what is doubted, too */
        if (!take_opinion(c, worker, first + i, m->partial.hashes[i], out))
            return ERR_OK;
    if (bad) {
        doubt(c, from, first, end, out);
        return ERR_OK;
    }
    if (isfinite(m->partial.squares))
        typical_add(&c->typical, size_of(m)); /* also what was confirmed: it may last */
    if (share_trust(c))
        share_feed_all(c, out);
    else
        share_feed(c, members_by_worker(&c->members, worker), out);
    coordinator_check_complete(c, out); /* it may have settled the last question */
    return ERR_OK;
}

int on_received(struct coordinator *c, const struct event *ev, struct actions *out)
{
    size_t i = 0;
    while (i < c->arrivings && c->arriving[i].partial != ev->partial)
        i++;
    if (i == c->arrivings)
        return ERR_STALE;
    const struct arriving one = c->arriving[i];
    c->arriving[i] = c->arriving[--c->arrivings];
    const uint32_t first = tree_first(one.node), end = tree_end(one.node, c->conf.slices);
    const bool drop = ev->err || one.drop || !of_this_unit(c, one.unit) ||
                      ledger_done(&c->ledger, first, end);
    struct action *a = act(out, drop ? ACTION_DROP : ACTION_ADD);
    a->partial = one.partial;
    a->node = one.node;
    if (ev->err) { /* damaged on the way: this peer cannot be believed */
        coordinator_lose(c, one.worker, ev->err, out);
        return ERR_OK;
    }
    if (drop)
        return ERR_OK;
    ledger_finish_node(&c->ledger, one.node, one.sum);
    share_revoke_others(c, one.worker, first, end, out);
    coordinator_check_complete(c, out);
    return ERR_OK;
}

/* --- held-out slices ------------------------------------------------------------------
 */

/* What is translated comes one slice at a time, with its sentences; losses have none. */
static bool fits_its_lease(const struct coordinator *c, const struct message *m)
{
    return c->translating ? m->evaluated.slices == 1 && m->evaluated.sentences > 0
                          : m->evaluated.sentences == 0;
}

static void finish_held_out(struct coordinator *c, uint32_t v, struct ledger_sum value,
                            struct actions *out)
{
    if (c->ledger.slice[v].done)
        return;
    ledger_finish_slice(&c->ledger, v, value);
    if (c->translating)
        act(out, ACTION_TRANSLATED)->first = v;
}

int on_evaluated(struct coordinator *c, struct member *from, const struct event *ev,
                 struct actions *out)
{
    const struct message *m = ev->message;
    const uint32_t slices = (uint32_t)m->evaluated.slices, first = m->evaluated.first;
    if (!of_this_unit(c, m->evaluated.unit) || c->phase != PHASE_EVALUATE)
        return settle(c, from, m->evaluated.unit, slices, out);
    if (!fits_its_lease(c, m) ||
        !ledger_announce(&c->ledger, from->worker, first, first + slices))
        return ERR_MALFORMED;
    from->held -= slices;
    from->leases--;
    for (uint32_t i = 0; i < slices; i++)
        finish_held_out(c, first + i,
                        (struct ledger_sum){.loss = m->evaluated.losses[i],
                                            .targets = m->evaluated.targets[i]},
                        out);
    share_revoke_others(c, from->worker, first, first + slices, out);
    share_feed(c, from, out);
    coordinator_check_complete(c, out);
    return ERR_OK;
}

/* --- given back -----------------------------------------------------------------------
 */

int on_released(struct coordinator *c, struct member *from, const struct event *ev,
                struct actions *out)
{
    const struct message *m = ev->message;
    const uint32_t first = m->released.first, count = m->released.count;
    if (!of_this_unit(c, m->released.unit))
        return settle(c, from, m->released.unit, count, out);
    if (m->released.kind == LEASE_AUDIT) {
        for (uint32_t v = first; v < first + count; v++) {
            if (!audit_leased(&c->audit, from->worker, v))
                return ERR_MALFORMED;
            audit_release(&c->audit, from->worker, v);
        }
        from->audits -= count;
    } else {
        if (ledger_release(&c->ledger, from->worker, first, first + count) != count)
            return ERR_MALFORMED;
        share_uncover(c);
        from->held -= count;
        from->leases -= c->phase == PHASE_EVALUATE && count > 0;
        from->dry = from->asked && count == 0;
        from->asked = false;
    }
    share_feed_all(c, out);
    return ERR_OK;
}
