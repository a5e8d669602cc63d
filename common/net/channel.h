/* channel.h - the inside of a channel (control.h): what its two kinds have in common.
 *
 * A channel goes through these states, always forward:
 *
 *      OPENING   tcp: name and connection are being looked for, then both ends prove that
 *                they know the token; messages wait
 *      OPEN      messages move
 *      CLOSING   channel_close(): what was queued leaves, what comes is thrown away
 *      ENDED     handles are being closed; then on_closed(err), and the memory is freed
 */
#ifndef NET_CHANNEL_H
#define NET_CHANNEL_H

#include <stdbool.h>

#include "net/codec.h"
#include "net/control.h"
#include "net/frame.h"

enum channel_kind { CHANNEL_TCP, CHANNEL_MEMORY };
enum channel_state { CHANNEL_OPENING, CHANNEL_OPEN, CHANNEL_CLOSING, CHANNEL_ENDED };

struct channel {
    enum channel_kind kind;
    enum channel_state state;
    int err; /* why it ended */
    struct loop *loop;
    struct channel_events events;
    void *ctx;      /* of the events */
    void *attached; /* of the owner */
    struct codec *codec;
    size_t limit;  /* bytes of a message that is received */
    size_t queued; /* bytes that wait to leave */
    uint64_t incarnation; /* of a proven caller */
    char peer[CONTROL_ADDRESS];
};

void channel_init(struct channel *c, enum channel_kind kind, struct loop *l,
                  struct channel_events events, void *ctx);
void channel_fini(struct channel *c);

/* A frame of @c has arrived: unpack, call on_message() when OPEN.  An error is logged and
 * ends the channel. */
int channel_deliver(struct channel *c, const uint8_t *payload, size_t bytes);

/* The kinds.  @frame is a whole frame on the heap, theirs from now on; @head bytes in
 * front of it are free for their own use. */
enum { CHANNEL_HEAD = 256 };
void channel_tcp_send(struct channel *base, uint8_t *block, size_t frame_bytes);
void channel_tcp_close(struct channel *base, uint64_t ms);
void channel_tcp_end(struct channel *base, int err);
void channel_memory_send(struct channel *base, uint8_t *block, size_t frame_bytes);
void channel_memory_close(struct channel *base, uint64_t ms);
void channel_memory_end(struct channel *base, int err);

#endif
