/* channel_tcp.h - a channel over TCP, for the two that make one: control_server.c, which
 * accepts, and control_call.c, which connects. */
#ifndef NET_CHANNEL_TCP_H
#define NET_CHANNEL_TCP_H

#include "net/auth.h"
#include "net/channel.h"
#include "net/loop_uv.h"

struct tcp_write; /* a frame on its way */

struct channel_tcp {
    struct loop_owner owner;
    struct channel base;
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
    struct frame_decoder in;
    struct loop_timer *deadline;     /* of CLOSING */
    struct tcp_write *first, **last; /* frames that wait for the connection */
    struct auth auth;
    bool connected; /* the other end is still to be asked who it is */
    bool silent; /* nobody is to be told of the end */
    bool gone;   /* the socket is closed, on_closed() was called */

    /* the maker's */
    void *maker;
    uint64_t since_ms;
    void (*on_proven)(struct channel_tcp *c); /* the other end knows the token */
    void (*on_stranger)(struct channel_tcp *c, const char *why); /* it does not */
    void (*on_gone)(struct channel_tcp *c);                      /* may be NULL */
    bool held; /* the maker still looks at it: keep the memory until release */
};

struct channel_tcp *channel_tcp_new(struct loop *l, struct channel_events events,
                                    void *ctx);
/* The socket is connected: name the peer and start reading.  Messages move when both ends
 * have shown that they know the token; @hello: the caller's first word, or NULL. */
void channel_tcp_open(struct channel_tcp *c, const struct auth_message *hello);
/* The connection, which is proven, becomes a plain socket that the caller owns; the
 * channel ends, telling nobody.  -1, logged: there are no descriptors left. */
int channel_tcp_detach(struct channel_tcp *c);
void channel_tcp_release(struct channel_tcp *c);

/* "127.0.0.1:40112", "[::1]:40112" */
void tcp_address_print(const struct sockaddr *at, char text[CONTROL_ADDRESS]);

#endif
