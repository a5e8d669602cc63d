#include "net/transport.h"

#include <assert.h>

#include "base/mem.h"
#include "net/transport_ops.h"

/* --- queues --- */

void transfer_push(struct transfer_queue *q, struct transfer *x)
{
    x->next = NULL;
    if (q->first)
        q->last->next = x;
    else
        q->first = x;
    q->last = x;
}

struct transfer *transfer_pop(struct transfer_queue *q)
{
    struct transfer *x = q->first;
    if (x)
        q->first = x->next;
    return x;
}

void transfer_drop(struct transport *t, struct transfer *x)
{
    x->next = t->spare;
    t->spare = x;
}

void transfer_drop_all(struct transport *t, struct transfer_queue *q)
{
    for (struct transfer *x; (x = transfer_pop(q));)
        transfer_drop(t, x);
}

void transfer_done(struct transport *t, uint32_t peer, struct transfer *x)
{
    const struct transfer was = *x;
    if (was.outgoing)
        t->sent_bytes += was.bytes;
    else
        t->received_bytes += was.bytes;
    transfer_drop(t, x);
    was.done(was.ctx, peer, was.number);
}

void transport_fini(struct transport *t)
{
    while (t->spare) {
        struct transfer *x = t->spare;
        t->spare = x->next;
        mem_free(x);
    }
}

/* --- the interface --- */

static void post(struct transport *t, uint32_t peer, struct transfer what)
{
    assert(what.bytes <= TRANSPORT_BYTES_MAX && what.done);
    assert(what.data || what.bytes == 0);
    struct transfer *x = t->spare;
    if (x)
        t->spare = x->next;
    else
        x = mem_alloc(sizeof *x);
    *x = what;
    t->ops->post(t, peer, x);
}

void transport_send(struct transport *t, uint32_t peer, uint32_t transfer,
                    const void *data, size_t bytes, transport_done *done, void *ctx)
{
    post(t, peer,
         (struct transfer){.number = transfer,
                           .outgoing = true,
                           .data = (void *)data,
                           .bytes = bytes,
                           .done = done,
                           .ctx = ctx});
}

void transport_receive(struct transport *t, uint32_t peer, uint32_t transfer, void *data,
                       size_t bytes, transport_done *done, void *ctx)
{
    post(t, peer,
         (struct transfer){
             .number = transfer, .data = data, .bytes = bytes, .done = done, .ctx = ctx});
}

bool transport_forget(struct transport *t, uint32_t peer)
{
    return t->ops->forget(t, peer);
}

bool transport_idle(const struct transport *t)
{
    return t->ops->idle(t);
}

uint64_t transport_sent_bytes(const struct transport *t)
{
    return t->sent_bytes;
}

uint64_t transport_received_bytes(const struct transport *t)
{
    return t->received_bytes;
}

void transport_free(struct transport *t)
{
    t->ops->free(t);
}
