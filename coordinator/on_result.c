/* on_result.c - what workers computed: partials of a step, losses of held-out slices. */
#include "coordinator/on_message.h"

#include <assert.h>

#include "base/err.h"

int on_partial(struct coordinator *c, struct member *from, const struct event *ev,
               struct actions *out)
{
    const struct message *m = ev->message;
    struct lease *lease = ledger_find(&c->ledger, m->partial.lease, from->worker);
    if (c->phase != PHASE_STEP || m->partial.step != c->version || !lease)
        return ERR_STALE;
    const struct tree_node node = {m->partial.level, m->partial.index};
    if (lease->arriving || !tree_same(node, lease->node) || m->partial.targets == 0)
        return ERR_MALFORMED;
    lease->arriving = true;
    members_measure(from, lease->end - lease->first, m->partial.seconds);

    struct action *a = act(out, ACTION_RECEIVE);
    a->peer = from->peer;
    a->worker = from->worker;
    a->lease = lease->id;
    a->step = c->version;
    a->node = node;
    a->transfer = m->partial.transfer;
    a->loss = m->partial.loss;
    a->targets = m->partial.targets;
    return ERR_OK;
}

int on_received(struct coordinator *c, const struct event *ev, struct actions *out)
{
    const struct member *from = members_by_peer(&c->members, ev->peer);
    if (!from || c->phase != PHASE_STEP)
        return ERR_STALE;
    struct lease *lease = ledger_find(&c->ledger, ev->lease, from->worker);
    if (!lease || !lease->arriving)
        return ERR_STALE;
    if (ev->err != ERR_OK) { /* damaged on the way: this peer cannot be believed */
        coordinator_lose(c, from->worker, ev->err, out);
        return ERR_OK;
    }
    ledger_finish_node(&c->ledger, lease, (struct ledger_sum){ev->loss, ev->targets});
    if (ledger_complete(&c->ledger))
        coordinator_step_complete(c, out);
    return ERR_OK;
}

int on_evaluated(struct coordinator *c, struct member *from, const struct event *ev,
                 struct actions *out)
{
    const struct message *m = ev->message;
    struct lease *lease = ledger_find(&c->ledger, m->evaluated.lease, from->worker);
    if (c->phase != PHASE_EVALUATE || m->evaluated.step != c->version || !lease)
        return ERR_STALE;
    if (m->evaluated.slices != lease->end - lease->first)
        return ERR_MALFORMED;
    ledger_finish_slices(&c->ledger, lease, m->evaluated.losses, m->evaluated.targets);
    if (ledger_complete(&c->ledger))
        coordinator_evaluation_complete(c, out);
    else
        coordinator_lease_held_out(c, from->worker, out);
    return ERR_OK;
}
