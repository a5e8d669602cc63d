/* The listening side of control.h. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/channel_tcp.h"

enum { BACKLOG = 1024, LOOK_MS = 50, SAY_EVERY_MS = 10000 };

struct control_server {
    struct loop_owner owner;
    uv_tcp_t tcp;
    struct loop *loop;
    struct control_server_options o;
    struct loop_timer *timer;
    struct channel_tcp *pending[CONTROL_PENDING_MAX]; /* not proven; the oldest first */
    unsigned pendings;
    unsigned peers; /* accepted and not yet gone */
    unsigned strangers; /* turned away, not said yet */
    uint64_t said_ms;
    bool knocks;    /* a connection waits to be accepted until there is room */
    bool full;      /* said so */
    bool closed;    /* freed with the last peer */
};

static void destroy_if_unused(struct control_server *s)
{
    if (s->closed && s->peers == 0)
        mem_free(s);
}

static void no_longer_pending(struct control_server *s, const struct channel_tcp *c)
{
    unsigned i = 0;
    while (i < s->pendings && s->pending[i] != c)
        i++;
    if (i == s->pendings)
        return;
    s->pendings--;
    memmove(&s->pending[i], &s->pending[i + 1],
            (s->pendings - i) * sizeof(struct channel_tcp *));
}

static void on_peer_gone(struct channel_tcp *c)
{
    struct control_server *s = c->maker;
    no_longer_pending(s, c);
    s->peers--;
    s->full = s->full && s->peers >= CONTROL_PEERS_MAX;
    destroy_if_unused(s);
}

/* Whoever knocks at a port for weeks must not fill the log with it. */
static void say_stranger(struct control_server *s, const char *who, const char *why)
{
    const uint64_t now = loop_now_ms(s->loop);
    s->strangers++;
    if (s->said_ms && now - s->said_ms < SAY_EVERY_MS)
        return;
    log_warn("%s turned away: %s%s", who, why,
             s->strangers > 1 ? "; it is not the only one" : "");
    if (s->strangers > 1)
        log_warn("%u connections turned away since this was last said", s->strangers);
    s->strangers = 0;
    s->said_ms = now;
}

static void on_stranger(struct channel_tcp *c, const char *why)
{
    say_stranger(c->maker, c->base.peer, why);
}

/* A connection above the limit is taken and closed: left alone it would wait for ever. */
static void turn_away(struct channel_tcp *c)
{
    c->silent = true;
    channel_tcp_end(&c->base, ERR_CLOSED);
}

static void on_proven(struct channel_tcp *c)
{
    struct control_server *s = c->maker;
    no_longer_pending(s, c);
    c->silent = false;
    c->base.incarnation = c->auth.incarnation;
    if (c->auth.role == AUTH_LANE) {
        const int fd = channel_tcp_detach(c);
        if (fd >= 0)
            s->o.on_lane(s->o.ctx, c->auth.incarnation, fd);
        return;
    }
    s->o.on_accept(s->o.ctx, &c->base);
}

static void await_proof(struct control_server *s, struct channel_tcp *c)
{
    if (s->pendings == CONTROL_PENDING_MAX) {
        struct channel_tcp *oldest = s->pending[0];
        say_stranger(s, oldest->base.peer, "too many connections wait to be let in");
        no_longer_pending(s, oldest);
        channel_tcp_end(&oldest->base, ERR_CLOSED);
    }
    s->pending[s->pendings++] = c;
    c->since_ms = loop_now_ms(s->loop);
    auth_listen(&c->auth, s->o.token);
    channel_tcp_open(c, NULL);
}

/* A flood must not close those who come in it before they could say a word: as many as
 * the kernel's queue has may be accepted in one round of the loop. */
static bool room(const struct control_server *s)
{
    return s->pendings < CONTROL_PENDING_MAX ||
           loop_now_ms(s->loop) - s->pending[0]->since_ms >= CONTROL_ROOM_MS;
}

static void take_in(struct control_server *s)
{
    struct channel_tcp *c = channel_tcp_new(s->loop, s->o.events, s->o.ctx);
    c->maker = s;
    c->silent = true; /* the owner hears of it when it is proven */
    c->on_proven = on_proven;
    c->on_stranger = on_stranger;
    c->on_gone = on_peer_gone;
    s->peers++;
    s->knocks = false;
    if (uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)&c->tcp) != 0) {
        turn_away(c);
        return;
    }
    if (s->peers > CONTROL_PEERS_MAX) {
        if (!s->full)
            log_warn("more than %d connections: new ones are closed", CONTROL_PEERS_MAX);
        s->full = true;
        turn_away(c);
        return;
    }
    await_proof(s, c);
}

static void on_timer(void *ctx)
{
    struct control_server *s = ctx;
    const uint64_t now = loop_now_ms(s->loop);
    while (s->pendings > 0 && now - s->pending[0]->since_ms > CONTROL_PROOF_MS) {
        struct channel_tcp *c = s->pending[0];
        say_stranger(s, c->base.peer, "it did not say who it is");
        no_longer_pending(s, c);
        channel_tcp_end(&c->base, ERR_TIMEOUT);
    }
    if (s->knocks && room(s))
        take_in(s);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control_server *s = stream->data;
    loop_enter(s->loop, "new connection");
    if (status < 0) {
        log_warn("a connection could not be accepted: %s", uv_strerror(status));
        return;
    }
    if (room(s))
        take_in(s);
    else
        s->knocks = true; /* libuv asks for no other before this one is accepted */
}

static void on_listener_closed(uv_handle_t *h)
{
    struct control_server *s = h->data;
    s->closed = true;
    destroy_if_unused(s);
}

void control_server_free(struct control_server *s)
{
    if (s->timer)
        loop_timer_free(s->timer);
    s->timer = NULL;
    uv_close((uv_handle_t *)&s->tcp, on_listener_closed);
}

static void abandon(struct loop_owner *o)
{
    control_server_free((struct control_server *)o);
}

/* Name to number, waiting for it: listening happens once, at start. */
static int resolve(struct loop *l, const char *address, struct sockaddr_storage *at)
{
    struct address a;
    char port[8];
    uv_getaddrinfo_t req;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    if (address_parse(address, &a) != 0) {
        log_error("cannot listen on '%s': expected HOST:PORT, for IPv6 [ADDRESS]:PORT",
                  address);
        return ERR_INVALID;
    }
    snprintf(port, sizeof port, "%u", a.port);
    const int rc =
        uv_getaddrinfo(&l->uv, &req, NULL, *a.host ? a.host : "127.0.0.1", port, &hints);
    if (rc != 0) {
        log_error("cannot listen on '%s': %s", address, uv_strerror(rc));
        return ERR_INVALID;
    }
    memcpy(at, req.addrinfo->ai_addr, req.addrinfo->ai_addrlen);
    uv_freeaddrinfo(req.addrinfo);
    return ERR_OK;
}

static int bind_and_listen(struct control_server *s, const char *address,
                           const struct sockaddr_storage *at, char bound[CONTROL_ADDRESS])
{
    struct sockaddr_storage got = {0};
    int size = sizeof got;
    int rc = uv_tcp_bind(&s->tcp, (const struct sockaddr *)at, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
    if (rc == 0)
        rc = uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&got, &size);
    if (rc != 0) {
        log_error("cannot listen on '%s': %s; choose another with cluster.listen",
                  *address ? address : "loopback", uv_strerror(rc));
        return ERR_IO;
    }
    tcp_address_print((const struct sockaddr *)&got, bound);
    return ERR_OK;
}

int control_listen(struct loop *l, const char *address, char bound[CONTROL_ADDRESS],
                   const struct control_server_options *o, struct control_server **server)
{
    struct sockaddr_storage at = {0};
    TRY(resolve(l, address, &at));
    struct control_server *s = mem_zalloc(sizeof *s);
    s->owner = (struct loop_owner){abandon};
    s->loop = l;
    s->o = *o;
    uv_tcp_init(&l->uv, &s->tcp);
    s->tcp.data = s;
    const int err = bind_and_listen(s, address, &at, bound);
    if (err) {
        control_server_free(s);
        return err;
    }
    s->timer = loop_timer_new(l, LOOK_MS, LOOK_MS, on_timer, s);
    *server = s;
    return ERR_OK;
}
