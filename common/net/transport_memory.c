/* The data lane between two ends in one process: a transfer is a memcpy, made when both
 * ends have posted it, and told to both from the loop. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "net/transport_ops.h"

enum { COORDINATOR, WORKER };

struct end {
    struct transport base;
    struct end *other; /* NULL when it is freed */
    uint32_t other_name;
    struct transfer_queue sends, receives, complete;
    struct loop_waker *waker;
    bool forgotten;
};

static struct end *of(struct transport *t)
{
    return (struct end *)t;
}

static void copy_matching(struct end *from, struct end *to)
{
    while (from->sends.first && to->receives.first) {
        struct transfer *out = transfer_pop(&from->sends),
                        *in = transfer_pop(&to->receives);
        assert(out->number == in->number && "posted in the order of the numbers");
        assert(out->bytes == in->bytes);
        if (in->bytes)
            memcpy(in->data, out->data, in->bytes);
        transfer_push(&from->complete, out);
        transfer_push(&to->complete, in);
        loop_wake(from->waker);
        loop_wake(to->waker);
    }
}

static void memory_post(struct transport *t, uint32_t peer, struct transfer *x)
{
    struct end *e = of(t);
    assert(peer == e->other_name);
    (void)peer;
    if (e->forgotten) {
        transfer_drop(t, x);
        return;
    }
    transfer_push(x->outgoing ? &e->sends : &e->receives, x);
    if (e->other) {
        copy_matching(e, e->other);
        copy_matching(e->other, e);
    }
}

/* Only what is complete at the start: a callback may post transfers that complete at
 * once.
 */
static void on_wake(void *ctx)
{
    struct end *e = ctx;
    const struct transfer *last = e->complete.first ? e->complete.last : NULL;
    for (struct transfer *x; last && (x = transfer_pop(&e->complete));) {
        if (x == last)
            last = NULL;
        transfer_done(&e->base, e->other_name, x);
    }
}

static bool memory_forget(struct transport *t, uint32_t peer)
{
    struct end *e = of(t);
    assert(peer == e->other_name);
    (void)peer;
    e->forgotten = true;
    transfer_drop_all(t, &e->sends);
    transfer_drop_all(t, &e->receives);
    transfer_drop_all(t, &e->complete);
    return false; /* a memcpy is never half done */
}

static bool memory_idle(const struct transport *t)
{
    const struct end *e = (const struct end *)t;
    return !e->sends.first && !e->receives.first && !e->complete.first;
}

static void memory_free(struct transport *t)
{
    struct end *e = of(t);
    memory_forget(t, e->other_name);
    if (e->other)
        e->other->other = NULL;
    loop_waker_free(e->waker);
    transport_fini(t);
    mem_free(e);
}

static struct end *end_new(struct loop *l, uint32_t other_name)
{
    static const struct transport_ops ops = {memory_post, memory_forget, memory_idle,
                                             memory_free};
    struct end *e = mem_zalloc(sizeof *e);
    e->base.ops = &ops;
    e->other_name = other_name;
    e->waker = loop_waker_new(l, on_wake, e);
    return e;
}

void transport_memory(struct loop *l, struct transport **coordinator,
                      struct transport **worker)
{
    struct end *c = end_new(l, WORKER), *w = end_new(l, COORDINATOR);
    c->other = w;
    w->other = c;
    *coordinator = &c->base;
    *worker = &w->base;
}
