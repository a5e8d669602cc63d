/* Channels between two ends in one process (control.h).  A frame goes to the inbox of the
 * other end and is delivered from the loop; it is packed and unpacked like one that
 * travels, so that what works here works there. */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/channel.h"
#include "net/loop_uv.h"

struct letter { /* a frame in an inbox */
    struct letter *next;
    size_t bytes;
};
_Static_assert(sizeof(struct letter) <= CHANNEL_HEAD, "it lies in front of the frame");

struct channel_memory {
    struct loop_owner owner;
    struct channel base;
    uv_async_t async;             /* something to do for this end */
    struct channel_memory *other; /* NULL when it has ended */
    struct letter *first, **last; /* the inbox */
    size_t letters;
    bool silent;
};

static struct channel_memory *of(struct channel *c)
{
    assert(c->kind == CHANNEL_MEMORY);
    return (struct channel_memory *)((char *)c - offsetof(struct channel_memory, base));
}

/* --- life --- */

static void on_handle_closed(uv_handle_t *h)
{
    struct channel_memory *c = h->data;
    loop_enter(c->base.loop, "end of a connection");
    if (!c->silent && !c->base.loop->freeing)
        c->base.events.on_closed(c->base.ctx, &c->base, c->base.err);
    while (c->first) {
        struct letter *x = c->first;
        c->first = x->next;
        mem_free(x);
    }
    channel_fini(&c->base);
    mem_free(c);
}

void channel_memory_end(struct channel *base, int err)
{
    struct channel_memory *c = of(base);
    if (base->state == CHANNEL_ENDED)
        return;
    base->state = CHANNEL_ENDED;
    base->err = err;
    if (c->other) {
        c->other->other = NULL; /* it still delivers what is in its inbox */
        uv_async_send(&c->other->async);
        c->other = NULL;
    }
    uv_close((uv_handle_t *)&c->async, on_handle_closed);
}

static void abandon(struct loop_owner *o)
{
    struct channel_memory *c = (struct channel_memory *)o;
    c->silent = true;
    channel_memory_end(&c->base, ERR_CLOSED);
}

void channel_memory_close(struct channel *base, uint64_t ms)
{
    if (base->queued == 0 || ms == 0)
        channel_memory_end(base, base->queued ? ERR_TIMEOUT : ERR_OK);
    else
        base->state = CHANNEL_CLOSING; /* until the other end has taken its letters */
}

/* --- letters --- */

void channel_memory_send(struct channel *base, uint8_t *block, size_t frame_bytes)
{
    struct channel_memory *c = of(base);
    struct letter *x = (void *)block;
    if (!c->other) { /* ended, and our turn to notice has not come */
        base->queued -= frame_bytes - FRAME_HEADER;
        mem_free(block);
        return;
    }
    *x = (struct letter){.bytes = frame_bytes - FRAME_HEADER};
    *c->other->last = x;
    c->other->last = &x->next;
    c->other->letters++;
    uv_async_send(&c->other->async);
}

static struct letter *take_letter(struct channel_memory *c)
{
    struct letter *x = c->first;
    c->first = x->next;
    if (!c->first)
        c->last = &c->first;
    c->letters--;
    if (c->other) {
        struct channel *from = &c->other->base;
        assert(from->queued >= x->bytes);
        from->queued -= x->bytes;
        if (from->state == CHANNEL_CLOSING && from->queued == 0)
            channel_memory_end(from, ERR_OK);
    }
    return x;
}

/* Only the letters that are there at the start: two ends that answer each other must not
 * keep the loop from everything else. */
static void on_wake(uv_async_t *h)
{
    struct channel_memory *c = h->data;
    loop_enter(c->base.loop, "control message");
    for (size_t n = c->letters; n > 0 && c->base.state != CHANNEL_ENDED; n--) {
        struct letter *x = take_letter(c);
        const uint8_t *frame = (const uint8_t *)x + CHANNEL_HEAD;
        channel_deliver(&c->base, frame + FRAME_HEADER, x->bytes);
        mem_free(x);
    }
    if (c->base.state == CHANNEL_ENDED)
        return;
    if (c->first)
        uv_async_send(&c->async);
    else if (!c->other)
        channel_memory_end(&c->base, ERR_CLOSED);
}

static struct channel_memory *end_new(struct loop *l, struct channel_events events,
                                      void *ctx)
{
    struct channel_memory *c = mem_zalloc(sizeof *c);
    c->owner = (struct loop_owner){abandon};
    channel_init(&c->base, CHANNEL_MEMORY, l, events, ctx);
    c->base.state = CHANNEL_OPEN;
    c->last = &c->first;
    snprintf(c->base.peer, sizeof c->base.peer, "this process");
    loop_must(uv_async_init(&l->uv, &c->async, on_wake), "channel");
    c->async.data = c;
    return c;
}

void control_pair(struct loop *l, struct channel_events a_events, void *a_ctx,
                  struct channel_events b_events, void *b_ctx, struct channel **a,
                  struct channel **b)
{
    struct channel_memory *x = end_new(l, a_events, a_ctx),
                          *y = end_new(l, b_events, b_ctx);
    x->other = y;
    y->other = x;
    *a = &x->base;
    *b = &y->base;
}
