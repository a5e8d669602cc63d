/* channel_tcp.h - a channel over TCP, for the two that make one: control_server.c, which
 * accepts, and control_call.c, which connects. */
#ifndef NET_CHANNEL_TCP_H
#define NET_CHANNEL_TCP_H

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
    bool connected;
    bool silent; /* nobody is to be told of the end */
    bool gone;   /* the socket is closed, on_closed() was called */

    /* the maker's */
    void *maker;
    void (*on_gone)(struct channel_tcp *c); /* may be NULL */
    bool held; /* the maker still looks at it: keep the memory until release */
};

struct channel_tcp *channel_tcp_new(struct loop *l, struct channel_events events,
                                    void *ctx);
/* The socket is connected: name the peer, start reading, let waiting frames leave. */
void channel_tcp_open(struct channel_tcp *c);
void channel_tcp_release(struct channel_tcp *c);

/* "127.0.0.1:40112", "[::1]:40112" */
void tcp_address_print(const struct sockaddr *at, char text[CONTROL_ADDRESS]);

#endif
