#include "coordinator/on_message.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

enum { THREADS_MAX = 1024 };

static int refuse(const struct event *ev, int err, const char *reason,
                  struct actions *out)
{
    struct action *a = act(out, ACTION_REFUSE);
    a->peer = ev->peer;
    a->err = err;
    a->reason = reason;
    return err;
}

/* Who has come so far has the token: it is one of ours, and will not become another
 * program: nobody has to wait for the rest. */
static int refuse_ours(struct coordinator *c, const struct event *ev, const char *reason,
                       struct actions *out)
{
    refuse(ev, ERR_MISMATCH, reason, out);
    if (c->phase == PHASE_GATHER)
        coordinator_end(c, ERR_MISMATCH, reason, out);
    return ERR_MISMATCH;
}

int on_join(struct coordinator *c, const struct event *ev, struct actions *out)
{
    const struct message *m = ev->message;
    if (m->join.protocol != MESSAGE_PROTOCOL || strcmp(m->join.build, c->conf.build) != 0)
        return refuse_ours(c, ev, "a worker is another version of the program", out);
    if (strcmp(m->join.kernels, c->conf.kernels) != 0)
        return refuse_ours(
            c, ev, "a worker's processor has a fused multiply-add and the coordinator's has not, or "
            "the reverse: its bits would differ", out);
    if (members_by_peer(&c->members, ev->peer))
        return ERR_MALFORMED; /* joined before on this connection */
    if (c->phase == PHASE_ENDING)
        return refuse(ev, ERR_BUSY, "the run is ending", out);

    const uint32_t rank = m->join.rank;
    if (rank && (rank > c->conf.workers || members_by_worker(&c->members, rank)))
        return refuse(ev, ERR_MISMATCH, "there is another worker of that rank", out);
    struct member *one =
        members_add(&c->members, ev->peer, rank ? rank : ++c->joined + c->conf.workers);
    one->incarnation = m->incarnation;
    one->threads = m->join.threads < 1             ? 1
                   : m->join.threads > THREADS_MAX ? THREADS_MAX
                                                   : m->join.threads;
    one->heard_ms = ev->now_ms;
    one->fresh = c->phase != PHASE_GATHER;

    struct action *a = act(out, ACTION_WELCOME);
    a->peer = ev->peer;
    a->worker = one->worker;
    if (c->phase == PHASE_GATHER && c->members.n + c->gone >= c->conf.workers)
        coordinator_begin(c, out);
    else
        share_feed(c, one, out);
    return ERR_OK;
}
