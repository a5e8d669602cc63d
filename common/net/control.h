/* control.h - the control channel: small messages in order, and the only detector of
 * death.  TCP (libuv); protobuf-c in checksummed, length-limited frames (frame.h,
 * codec.h); or memory, for a coordinator and a worker in one process.
 *
 * A channel ends once: after end of file, a reset, a malformed frame (which closes it),
 * or channel_close().  on_closed() then comes exactly once with the reason, on_message()
 * never after it:
 *
 *      ERR_OK         channel_close(), and every message has left
 *      ERR_CLOSED     the peer went, or could not be reached
 *      ERR_TIMEOUT    it did not read: CONTROL_QUEUE_MAX bytes wait, or the time of
 *                     channel_close() was over
 *      ERR_MALFORMED  it sent something else than messages (codec.h)
 *      ERR_TOO_BIG    it sent, or was to be sent, a message above the limit (frame.h)
 *
 * Messages are queued whole.  An accepted channel takes messages of 4 KiB, until the
 * owner has seen enough to trust its peer with 64 MiB: channel_trust().  At most
 * CONTROL_PEERS_MAX are accepted at a time; those that say nothing are the owner's to
 * close, by a timer.
 *
 * Loop thread only.
 */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/message.h"

enum { CONTROL_QUEUE_MAX = 256 << 20, CONTROL_ADDRESS = 300, CONTROL_PEERS_MAX = 4096 };

struct channel;

struct channel_events {
    void (*on_message)(void *ctx, struct channel *c, const struct message *m);
    void (*on_closed)(void *ctx, struct channel *c, int err); /* c is gone afterwards */
};

/* The listening side.  @address "HOST:PORT", "HOST" or "" (loopback, any port);
 * what is really listened on is written to @bound as "HOST:PORT".  on_accept() may attach
 * a context with channel_attach(); messages follow.  Errors: ERR_IO, ERR_INVALID, logged
 * with the address. */
struct control_server;
int control_listen(struct loop *l, const char *address, char bound[CONTROL_ADDRESS],
                   struct channel_events events,
                   void (*on_accept)(void *ctx, struct channel *c), void *ctx,
                   struct control_server **server);
void control_server_free(
    struct control_server *s); /* stops accepting; channels live on */

/* The calling side: on_closed(ERR_CLOSED) when the connection cannot be made; messages
 * may be sent at once.  Trusts its peer from the start.  ERR_INVALID, logged: @address is
 * not HOST:PORT. */
int control_connect(struct loop *l, const char *address, struct channel_events events,
                    void *ctx, struct channel **c);

/* Two ends in one process; messages are copied and delivered from the loop. */
void control_pair(struct loop *l, struct channel_events a_events, void *a_ctx,
                  struct channel_events b_events, void *b_ctx, struct channel **a,
                  struct channel **b);

/* Queue @m; borrowed only during the call.  On a channel that has ended or was closed:
 * nothing happens. */
void channel_send(struct channel *c, const struct message *m);
/* Lets queued messages leave and the peer close in its turn (for at most @ms), then ends
 * the channel; on_closed() follows, on_message() does not. */
void channel_close(struct channel *c, uint64_t ms);
/* The peer has shown who it is: from now on large messages are taken. */
void channel_trust(struct channel *c);
void channel_attach(struct channel *c,
                    void *peer_ctx); /* a pointer for the owner's use */
void *channel_attached(const struct channel *c);
const char *channel_peer(const struct channel *c); /* "127.0.0.1:40112", for logs */

#endif
