/* The calling side of control.h: name, connection, channel.  Only one address of a name
 * is tried, IPv4 before IPv6, because that is what a coordinator listens on unless told.
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/channel_tcp.h"

struct call {
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct channel_tcp *channel; /* held until the call ends */
    struct control_caller who;
    enum auth_role role;
};

static void end_call(struct call *call)
{
    channel_tcp_release(call->channel);
    mem_free(call);
}

/* @rc: of libuv; UV_ECANCELED when the channel was ended meanwhile */
static void fail(struct call *call, int rc)
{
    struct channel *c = &call->channel->base;
    if (c->state != CHANNEL_ENDED)
        log_warn("%s: cannot be reached: %s", c->peer, uv_strerror(rc));
    channel_tcp_end(c, ERR_CLOSED);
    end_call(call);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct call *call = req->data;
    loop_enter(call->channel->base.loop, "connection");
    if (status < 0 || call->channel->base.state == CHANNEL_ENDED) {
        fail(call, status);
        return;
    }
    struct auth_message hello;
    auth_call(&call->channel->auth, call->who.token, call->role, call->who.incarnation,
              &hello);
    channel_tcp_open(call->channel, &hello);
    end_call(call);
}

static const struct sockaddr *choose(const struct addrinfo *list)
{
    assert(list);
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        if (a->ai_family == AF_INET)
            return a->ai_addr;
    return list->ai_addr;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct call *call = req->data;
    loop_enter(call->channel->base.loop, "connection");
    int rc = status;
    if (call->channel->base.state == CHANNEL_ENDED)
        rc = UV_ECANCELED;
    if (rc == 0) {
        call->connect.data = call;
        rc = uv_tcp_connect(&call->connect, &call->channel->tcp, choose(list),
                            on_connected);
    }
    uv_freeaddrinfo(list);
    if (rc != 0)
        fail(call, rc);
}

static int start_call(struct loop *l, const char *address, const struct address *a,
                      const struct control_caller *who, enum auth_role role,
                      struct channel_tcp *channel)
{
    char port[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    snprintf(port, sizeof port, "%u", a->port);
    struct call *call = mem_zalloc(sizeof *call);
    call->who = *who;
    call->role = role;
    call->channel = channel;
    channel->held = true;
    call->resolve.data = call;
    snprintf(channel->base.peer, CONTROL_ADDRESS, "%s", address);
    const int rc =
        uv_getaddrinfo(&l->uv, &call->resolve, on_resolved, a->host, port, &hints);
    if (rc != 0)
        fail(call, rc);
    return ERR_OK;
}

static int parse(const char *address, struct address *a)
{
    if (address_parse(address, a) == 0 && a->port != 0 && *a->host)
        return ERR_OK;
    log_error("cannot connect to '%s': expected HOST:PORT, for IPv6 [ADDRESS]:PORT",
              address);
    return ERR_INVALID;
}

int control_connect(struct loop *l, const char *address, const struct control_caller *who,
                    struct channel_events events, void *ctx, struct channel **c)
{
    struct address a;
    TRY(parse(address, &a));
    struct channel_tcp *channel = channel_tcp_new(l, events, ctx);
    *c = &channel->base;
    return start_call(l, address, &a, who, AUTH_CONTROL, channel);
}

/* --- data lanes --- */

struct lane_call {
    void (*on_lane)(void *ctx, int fd, int err);
    void *ctx;
};

static void no_message(void *ctx, struct channel *c, const struct message *m)
{
    (void)ctx;
    (void)m;
    channel_close(c, 0); /* on a lane there are none */
}

static void lane_failed(void *ctx, struct channel *c, int err)
{
    const struct lane_call *call = ctx;
    (void)c;
    call->on_lane(call->ctx, -1, err);
}

static void lane_proven(struct channel_tcp *c)
{
    const struct lane_call *call = c->maker;
    const int fd = channel_tcp_detach(c);
    call->on_lane(call->ctx, fd, fd < 0 ? ERR_IO : ERR_OK);
}

static void lane_gone(struct channel_tcp *c)
{
    mem_free(c->maker);
}

int control_connect_lane(struct loop *l, const char *address,
                         const struct control_caller *who,
                         void (*on_lane)(void *ctx, int fd, int err), void *ctx)
{
    struct address a;
    TRY(parse(address, &a));
    struct lane_call *call = mem_alloc(sizeof *call);
    *call = (struct lane_call){on_lane, ctx};
    struct channel_tcp *channel =
        channel_tcp_new(l, (struct channel_events){no_message, lane_failed}, call);
    channel->maker = call;
    channel->on_proven = lane_proven;
    channel->on_gone = lane_gone;
    return start_call(l, address, &a, who, AUTH_LANE, channel);
}
