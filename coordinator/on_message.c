#include "coordinator/on_message.h"

#include "base/err.h"

int on_message(struct coordinator *c, const struct event *ev, struct actions *out)
{
    const struct message *m = ev->message;
    if (m->kind == MESSAGE_JOIN)
        return on_join(c, ev, out);

    struct member *from = members_by_peer(&c->members, ev->peer);
    if (!from)
        return ERR_UNKNOWN;
    if (m->term != c->term || m->incarnation != from->incarnation)
        return ERR_STALE;
    from->heard_ms = ev->now_ms;

    switch (m->kind) {
    case MESSAGE_PARTIAL:
        return on_partial(c, from, ev, out);
    case MESSAGE_EVALUATED:
        return on_evaluated(c, from, ev, out);
    case MESSAGE_HEARTBEAT:
        return ERR_OK;
    case MESSAGE_LEAVE:
        coordinator_lose(c, from->worker, ERR_CLOSED, out);
        return ERR_OK;
    case MESSAGE_JOIN:
    case MESSAGE_WELCOME:
    case MESSAGE_REFUSE:
    case MESSAGE_LEASE:
    case MESSAGE_COMMIT:
    case MESSAGE_STOP:
        break;
    }
    return ERR_MALFORMED; /* only the coordinator says these */
}
