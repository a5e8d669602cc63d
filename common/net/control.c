#include "net/control.h"

#include <assert.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/channel.h"

void channel_init(struct channel *c, enum channel_kind kind, struct loop *l,
                  struct channel_events events, void *ctx)
{
    assert(events.on_message && events.on_closed);
    *c = (struct channel){.kind = kind,
                          .loop = l,
                          .events = events,
                          .ctx = ctx,
                          .codec = codec_new(),
                          .limit = FRAME_MAX};
}

void channel_fini(struct channel *c)
{
    codec_free(c->codec);
}

static void channel_end(struct channel *c, int err)
{
    switch (c->kind) {
    case CHANNEL_TCP:
        channel_tcp_end(c, err);
        return;
    case CHANNEL_MEMORY:
        channel_memory_end(c, err);
        return;
    }
}

int channel_deliver(struct channel *c, const uint8_t *payload, size_t bytes)
{
    struct message m;
    if (c->state != CHANNEL_OPEN)
        return ERR_OK;
    const int err = codec_unpack(c->codec, c->peer, payload, bytes, &m);
    if (err) {
        channel_end(c, err);
        return err;
    }
    log_trace("%s: %s received, %zu bytes", c->peer, message_name(m.kind), bytes);
    c->events.on_message(c->ctx, c, &m);
    return ERR_OK;
}

/* Is there room for @bytes more? If not, the channel ends. */
static bool room(struct channel *c, const struct message *m, size_t bytes)
{
    if (bytes > FRAME_MAX) {
        log_error("%s: a %s message of %zu bytes is larger than %d; use more slices or a "
                  "smaller batch",
                  c->peer, message_name(m->kind), bytes, FRAME_MAX);
        channel_end(c, ERR_TOO_BIG);
        return false;
    }
    if (c->queued + bytes > CONTROL_QUEUE_MAX) {
        log_warn("%s: closed, it does not read: %zu bytes wait for it, at most %d may",
                 c->peer, c->queued + bytes, CONTROL_QUEUE_MAX);
        channel_end(c, ERR_TIMEOUT);
        return false;
    }
    return true;
}

void channel_send(struct channel *c, const struct message *m)
{
    if (c->state == CHANNEL_CLOSING || c->state == CHANNEL_ENDED)
        return;
    size_t bytes;
    uint8_t *block = codec_pack(m, CHANNEL_HEAD + FRAME_HEADER, &bytes);
    if (!room(c, m, bytes)) {
        mem_free(block);
        return;
    }
    log_trace("%s: %s sent, %zu bytes", c->peer, message_name(m->kind), bytes);
    uint8_t *frame = block + CHANNEL_HEAD;
    frame_header(frame, frame + FRAME_HEADER, bytes);
    c->queued += bytes;
    switch (c->kind) {
    case CHANNEL_TCP:
        channel_tcp_send(c, block, FRAME_HEADER + bytes);
        return;
    case CHANNEL_MEMORY:
        channel_memory_send(c, block, FRAME_HEADER + bytes);
        return;
    }
}

void channel_close(struct channel *c, uint64_t ms)
{
    if (c->state == CHANNEL_CLOSING || c->state == CHANNEL_ENDED)
        return;
    switch (c->kind) {
    case CHANNEL_TCP:
        channel_tcp_close(c, ms);
        return;
    case CHANNEL_MEMORY:
        channel_memory_close(c, ms);
        return;
    }
}

void channel_limit(struct channel *c, size_t bytes)
{
    assert(bytes <= FRAME_MAX);
    c->limit = bytes;
    codec_limit(c->codec, bytes);
}

void channel_attach(struct channel *c, void *peer_ctx)
{
    c->attached = peer_ctx;
}

void *channel_attached(const struct channel *c)
{
    return c->attached;
}

const char *channel_peer(const struct channel *c)
{
    return c->peer;
}

uint64_t channel_incarnation(const struct channel *c)
{
    return c->incarnation;
}
