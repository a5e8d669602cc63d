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
    channel_tcp_open(call->channel);
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

int control_connect(struct loop *l, const char *address, struct channel_events events,
                    void *ctx, struct channel **c)
{
    struct address a;
    char port[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (address_parse(address, &a) != 0 || a.port == 0 || !*a.host) {
        log_error("cannot connect to '%s': expected HOST:PORT, for IPv6 [ADDRESS]:PORT",
                  address);
        return ERR_INVALID;
    }
    snprintf(port, sizeof port, "%u", a.port);
    struct call *call = mem_zalloc(sizeof *call);
    call->channel = channel_tcp_new(l, events, ctx);
    call->channel->held = true;
    call->resolve.data = call;
    snprintf(call->channel->base.peer, CONTROL_ADDRESS, "%s", address);
    *c = &call->channel->base;
    const int rc =
        uv_getaddrinfo(&l->uv, &call->resolve, on_resolved, a.host, port, &hints);
    if (rc != 0)
        fail(call, rc);
    return ERR_OK;
}
