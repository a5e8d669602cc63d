#include "coordinator/on_message.h"

#include "base/err.h"

static int on_pulled(struct coordinator *c, struct member *from, const struct message *m,
                     struct actions *out)
{
    if (!from->pulling || m->pulled.version != from->version)
        return ERR_MALFORMED;
    from->pulling = false;
    share_feed(c, from, out);
    return ERR_OK;
}

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
    case MESSAGE_AUDITED:
        return on_audited(c, from, ev, out);
    case MESSAGE_RELEASED:
        return on_released(c, from, ev, out);
    case MESSAGE_PULLED:
        return on_pulled(c, from, m, out);
    case MESSAGE_HEARTBEAT:
        return ERR_OK;
    case MESSAGE_LEAVE:
        from->leaving = true;
        return ERR_OK;
    case MESSAGE_JOIN:
    case MESSAGE_WELCOME:
    case MESSAGE_REFUSE:
    case MESSAGE_LEASE:
    case MESSAGE_REVOKE:
    case MESSAGE_COMMIT:
    case MESSAGE_STOP:
        break;
    }
    return ERR_MALFORMED; /* only the coordinator says these */
}
