#include "coordinator/parcels.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

struct parcels {
    const struct ranges *ranges; /* borrowed */
    uint32_t V;
    enum wire wire;
    struct crew *crew; /* borrowed */
    struct treesum *sums;
    struct outgoing *sending;
    struct incoming *receiving; /* or here, and waiting for the word */
    void (*on_arrived)(void *ctx, uint64_t partial, int err);
    void *ctx;
};

struct incoming {
    struct parcels *parcels;
    struct incoming *next;
    struct parcel what;
    struct treesum_buffer *buffer;
    size_t ranges_left;
    int err;
    uint64_t checksums[]; /* [ranges] */
};

struct outgoing {
    struct parcels *parcels;
    struct outgoing *next;
    struct transport *lane;
    uint32_t lane_peer;
    size_t ranges_left;
    void (*sent)(void *ctx);
    void *ctx;
};

struct parcels *parcels_new(const struct ranges *ranges, uint32_t V, enum wire wire,
                            struct crew *crew,
                            void (*on_arrived)(void *ctx, uint64_t partial, int err),
                            void *ctx)
{
    struct parcels *p = mem_zalloc(sizeof *p);
    *p = (struct parcels){.ranges = ranges,
                          .V = V,
                          .wire = wire,
                          .crew = crew,
                          .sums = treesum_new(V, ranges, wire),
                          .on_arrived = on_arrived,
                          .ctx = ctx};
    return p;
}

void parcels_free(struct parcels *p)
{
    for (struct outgoing *o; (o = p->sending);) {
        p->sending = o->next;
        mem_free(o);
    }
    for (struct incoming *in; (in = p->receiving);) {
        p->receiving = in->next;
        mem_free(in);
    }
    treesum_free(p->sums);
    mem_free(p);
}

/* --- partials in -----------------------------------------------------------------------
 */

static void on_range(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct incoming *in = ctx;
    struct parcels *p = in->parcels;
    (void)peer;
    const size_t r = transfer - in->what.first_transfer;
    assert(r < p->ranges->n);
    const struct range at = p->ranges->list[r];
    float *place = in->buffer->data + at.first;
    const void *bytes = wire_landing(p->wire, place, at.count);
    if (hash64(bytes, wire_bytes(p->wire, at.count)) != in->checksums[r]) {
        log_error(
            "partial of node %u.%u: range %zu does not have the checksum it was sent "
            "with",
            in->what.node.level, in->what.node.index, r);
        in->err = ERR_CORRUPT;
    }
    wire_unpack(p->wire, place, bytes, at.count);
    if (--in->ranges_left == 0)
        p->on_arrived(p->ctx, in->what.partial, in->err);
}

void parcels_receive(struct parcels *p, const struct parcel *what)
{
    const size_t n = p->ranges->n;
    struct incoming *in = mem_alloc(sizeof *in + n * sizeof(uint64_t));
    *in = (struct incoming){.parcels = p,
                            .next = p->receiving,
                            .what = *what,
                            .buffer = treesum_take(p->sums),
                            .ranges_left = n};
    p->receiving = in;
    memcpy(in->checksums, what->checksums, n * sizeof(uint64_t));
    in->what.checksums = in->checksums;
    for (size_t r = 0; r < n; r++) {
        const struct range at = p->ranges->list[r];
        transport_receive(what->lane, what->lane_peer, what->first_transfer + (uint32_t)r,
                          wire_landing(p->wire, in->buffer->data + at.first, at.count),
                          wire_bytes(p->wire, at.count), on_range, in);
    }
}

/* The buffer of a partial that is here; what was known of it is forgotten. */
static struct treesum_buffer *take_arrived(struct parcels *p, uint64_t partial,
                                           struct tree_node *node)
{
    struct incoming **at = &p->receiving;
    while (*at && (*at)->what.partial != partial)
        at = &(*at)->next;
    struct incoming *in = *at;
    assert(in && in->ranges_left == 0);
    struct treesum_buffer *b = in->buffer;
    *node = in->what.node;
    *at = in->next;
    mem_free(in);
    return b;
}

void parcels_slices(struct parcels *p, uint32_t V)
{
    p->V = V;
    treesum_slices(p->sums, V);
}

/* What the crew adds. */
struct addition {
    struct parcels *parcels;
    struct tree_node node;
    struct treesum_buffer *partial;
    _Atomic(struct treesum_buffer *) root; /* all ranges of it are in one buffer */
};

static void add_range(void *ctx, size_t r)
{
    struct addition *a = ctx;
    struct treesum_buffer *sum;
    if (treesum_add(a->parcels->sums, a->node, tree_root(a->parcels->V), r, a->partial,
                    &sum))
        atomic_store(&a->root, sum);
}

struct treesum_buffer *parcels_add(struct parcels *p, uint64_t partial)
{
    struct addition a = {.parcels = p};
    a.partial = take_arrived(p, partial, &a.node);
    treesum_discard(p->sums, a.node);
    crew_run(p->crew, p->ranges->n, add_range, &a);
    return atomic_load(&a.root);
}

void parcels_drop(struct parcels *p, uint64_t partial)
{
    struct tree_node node;
    treesum_give(p->sums, take_arrived(p, partial, &node));
}

void parcels_give(struct parcels *p, struct treesum_buffer *root)
{
    treesum_give(p->sums, root);
}

void parcels_reset(struct parcels *p)
{
    treesum_reset(p->sums);
}

/* --- parameters out
 * ---------------------------------------------------------------------- */

static void end_sending(struct outgoing **at)
{
    struct outgoing *o = *at;
    const struct outgoing done = *o;
    *at = o->next;
    mem_free(o);
    done.sent(done.ctx);
}

static void on_range_sent(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct outgoing *o = ctx;
    (void)peer;
    (void)transfer;
    if (--o->ranges_left > 0)
        return;
    struct outgoing **at = &o->parcels->sending;
    while (*at != o)
        at = &(*at)->next;
    end_sending(at);
}

static void forget_outgoing(struct parcels *p, const struct transport *lane,
                            uint32_t lane_peer)
{
    for (struct outgoing **at = &p->sending; *at;)
        if ((*at)->lane == lane && (*at)->lane_peer == lane_peer)
            end_sending(at);
        else
            at = &(*at)->next;
}

static void forget_incoming(struct parcels *p, const struct transport *lane,
                            uint32_t lane_peer, bool parked)
{
    for (struct incoming **at = &p->receiving; *at;) {
        struct incoming *in = *at;
        if (in->what.lane != lane || in->what.lane_peer != lane_peer) {
            at = &in->next;
            continue;
        }
        *at = in->next;
        if (in->ranges_left == 0 || !parked)
            treesum_give(p->sums, in->buffer);
        mem_free(in);
    }
}

void parcels_forget(struct parcels *p, struct transport *lane, uint32_t lane_peer)
{
    const bool parked = transport_forget(lane, lane_peer);
    forget_outgoing(p, lane, lane_peer);
    forget_incoming(p, lane, lane_peer, parked);
}

void parcels_send(struct parcels *p, struct transport *lane, uint32_t lane_peer,
                  uint32_t first_transfer, const float *theta, void (*sent)(void *ctx),
                  void *ctx)
{
    struct outgoing *o = mem_alloc(sizeof *o);
    *o = (struct outgoing){p, p->sending, lane, lane_peer, p->ranges->n, sent, ctx};
    p->sending = o;
    for (size_t r = 0; r < p->ranges->n; r++) {
        const struct range at = p->ranges->list[r];
        transport_send(lane, lane_peer, first_transfer + (uint32_t)r, theta + at.first,
                       at.count * sizeof *theta, on_range_sent, o);
    }
}
