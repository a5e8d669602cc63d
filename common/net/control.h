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
 *      ERR_REFUSED    it does not know the token that was given (auth.h)
 *      ERR_MISMATCH   it knows the token and speaks another protocol
 *      ERR_TIMEOUT    it did not read: CONTROL_QUEUE_MAX bytes wait, or the time of
 *                     channel_close() was over
 *      ERR_MALFORMED  it sent something else than messages (codec.h)
 *      ERR_TOO_BIG    it sent, or was to be sent, a message above the limit (frame.h)
 *
 * Messages are queued whole; they move when both ends have shown that they know the job's
 * token.  Before that a listener takes frames of AUTH_BYTES_MAX bytes for CONTROL_PROOF_MS,
 * from at most CONTROL_PENDING_MAX connections, and its owner hears nothing of them.  One
 * more closes the oldest, but not before that had CONTROL_ROOM_MS to prove itself; until
 * then it waits in the kernel's queue.  At most CONTROL_PEERS_MAX are served at a time; those that say
 * nothing are the owner's to close, by a timer.
 *
 * Loop thread only.
 */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "net/auth.h"
#include "net/loop.h"
#include "net/message.h"

enum {
    CONTROL_QUEUE_MAX = 256 << 20,
    CONTROL_ADDRESS = 300,
    CONTROL_PEERS_MAX = 4096,
    CONTROL_PENDING_MAX = 128,
    CONTROL_PROOF_MS = 5000,
    CONTROL_ROOM_MS = 200 /* two round trips of any cluster; 640 strangers a second */
};

struct channel;

struct channel_events {
    void (*on_message)(void *ctx, struct channel *c, const struct message *m);
    void (*on_closed)(void *ctx, struct channel *c, int err); /* c is gone afterwards */
};

/* The listening side.  @address "HOST:PORT", "HOST" or "" (loopback, any port);
 * what is really listened on is written to @bound as "HOST:PORT".  Errors: ERR_IO,
 * ERR_INVALID, logged with the address. */
struct control_server;
struct control_server_options {
    uint8_t token[AUTH_TOKEN];
    struct channel_events events;
    /* A proven caller's channel; channel_attach() may attach a context, messages follow. */
    void (*on_accept)(void *ctx, struct channel *c);
    /* A proven caller's data lane, a connected socket: the owner's to close. */
    void (*on_lane)(void *ctx, uint64_t incarnation, int fd);
    void *ctx; /* of all */
};
int control_listen(struct loop *l, const char *address, char bound[CONTROL_ADDRESS],
                   const struct control_server_options *o,
                   struct control_server **server);
void control_server_free(
    struct control_server *s); /* stops accepting; channels live on */

/* Who calls. */
struct control_caller {
    uint8_t token[AUTH_TOKEN];
    uint64_t incarnation; /* of the process */
};

/* The calling side: on_closed(ERR_CLOSED) when the connection cannot be made; messages
 * may be sent at once.  ERR_INVALID, logged: @address is not HOST:PORT. */
int control_connect(struct loop *l, const char *address, const struct control_caller *who,
                    struct channel_events events, void *ctx, struct channel **c);
/* A data lane: @on_lane gets the socket when the listener has accepted it, or -1 and the
 * reason.  Nothing may be sent on it before the control channel has asked for it. */
int control_connect_lane(struct loop *l, const char *address,
                         const struct control_caller *who,
                         void (*on_lane)(void *ctx, int fd, int err), void *ctx);

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
/* From the next message on the peer's have at most @bytes (FRAME_MAX at first), and take at
 * most four times that and 16 KiB, unpacked; a larger one ends the channel: ERR_TOO_BIG. */
void channel_limit(struct channel *c, size_t bytes);
void channel_attach(struct channel *c,
                    void *peer_ctx); /* a pointer for the owner's use */
void *channel_attached(const struct channel *c);
const char *channel_peer(const struct channel *c); /* "127.0.0.1:40112", for logs */
/* Of an accepted channel: what its caller proved to be; 0 within one process. */
uint64_t channel_incarnation(const struct channel *c);

#endif
