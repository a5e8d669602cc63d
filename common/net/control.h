/* control.h - the control channel: small messages in order, and the only detector of
 * death.  TCP (libuv); protobuf-c in checksummed, length-limited frames (frame.h,
 * codec.h); or memory, for a coordinator and a worker in one process.
 *
 * A channel ends once: after end of file, a reset, a malformed frame (which closes it),
 * or channel_close().  on_closed() then comes exactly once with the reason, on_message()
 * never after it.  Messages are queued whole, at most CONTROL_QUEUE_MAX bytes per peer; a
 * peer that does not read that much is closed with ERR_TIMEOUT.
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
 * may be sent at once. */
int control_connect(struct loop *l, const char *address, struct channel_events events,
                    void *ctx, struct channel **c);

/* Two ends in one process; messages are copied and delivered from the loop. */
void control_pair(struct loop *l, struct channel_events a_events, void *a_ctx,
                  struct channel_events b_events, void *b_ctx, struct channel **a,
                  struct channel **b);

/* Queue @m; borrowed only during the call. On a channel that has ended: nothing happens.
 */
void channel_send(struct channel *c, const struct message *m);
/* Lets queued messages leave (for at most @ms), then ends the channel; on_closed()
 * follows. */
void channel_close(struct channel *c, uint64_t ms);
void channel_attach(struct channel *c,
                    void *peer_ctx); /* a pointer for the owner's use */
void *channel_attached(const struct channel *c);
const char *channel_peer(const struct channel *c); /* "127.0.0.1:40112", for logs */

#endif
