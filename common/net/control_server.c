/* The listening side of control.h. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/channel_tcp.h"

enum { BACKLOG = 1024 };

struct control_server {
    struct loop_owner owner;
    uv_tcp_t tcp;
    struct loop *loop;
    struct channel_events events;
    void (*on_accept)(void *ctx, struct channel *c);
    void *ctx;
    unsigned peers; /* accepted and not yet gone */
    bool full;      /* said so */
    bool closed;    /* freed with the last peer */
};

static void destroy_if_unused(struct control_server *s)
{
    if (s->closed && s->peers == 0)
        mem_free(s);
}

static void on_peer_gone(struct channel_tcp *c)
{
    struct control_server *s = c->maker;
    s->peers--;
    s->full = s->full && s->peers >= CONTROL_PEERS_MAX;
    destroy_if_unused(s);
}

/* A connection above the limit is taken and closed: left alone it would wait for ever. */
static void turn_away(struct control_server *s, struct channel_tcp *c)
{
    if (!s->full)
        log_warn("more than %d connections: new ones are closed", CONTROL_PEERS_MAX);
    s->full = true;
    c->silent = true;
    channel_tcp_end(&c->base, ERR_CLOSED);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control_server *s = stream->data;
    loop_enter(s->loop, "new connection");
    if (status < 0) {
        log_warn("a connection could not be accepted: %s", uv_strerror(status));
        return;
    }
    struct channel_tcp *c = channel_tcp_new(s->loop, s->events, s->ctx);
    c->maker = s;
    c->on_gone = on_peer_gone;
    c->base.limit = FRAME_UNTRUSTED;
    s->peers++;
    if (uv_accept(stream, (uv_stream_t *)&c->tcp) != 0) {
        c->silent = true;
        channel_tcp_end(&c->base, ERR_CLOSED);
        return;
    }
    if (s->peers > CONTROL_PEERS_MAX) {
        turn_away(s, c);
        return;
    }
    channel_tcp_open(c);
    s->on_accept(s->ctx, &c->base);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct control_server *s = h->data;
    s->closed = true;
    destroy_if_unused(s);
}

void control_server_free(struct control_server *s)
{
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
                   struct channel_events events,
                   void (*on_accept)(void *ctx, struct channel *c), void *ctx,
                   struct control_server **server)
{
    struct sockaddr_storage at = {0};
    TRY(resolve(l, address, &at));
    struct control_server *s = mem_zalloc(sizeof *s);
    *s = (struct control_server){.owner = {abandon},
                                 .loop = l,
                                 .events = events,
                                 .on_accept = on_accept,
                                 .ctx = ctx};
    uv_tcp_init(&l->uv, &s->tcp);
    s->tcp.data = s;
    const int err = bind_and_listen(s, address, &at, bound);
    if (err) {
        control_server_free(s);
        return err;
    }
    *server = s;
    return ERR_OK;
}
