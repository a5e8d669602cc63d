/* transport_ops.h - the inside of transport.h: the vtable, and queues of transfers. */
#ifndef NET_TRANSPORT_OPS_H
#define NET_TRANSPORT_OPS_H

#include "net/transport.h"

struct transfer {
    struct transfer *next;
    uint32_t number;
    bool outgoing;
    void *data; /* of an outgoing one, only read */
    size_t bytes;
    transport_done *done;
    void *ctx;
};

struct transport_ops {
    void (*post)(struct transport *t, uint32_t peer, struct transfer *x); /* x: theirs */
    bool (*forget)(struct transport *t, uint32_t peer);
    bool (*idle)(const struct transport *t);
    void (*free)(struct transport *t);
};

struct transport {
    const struct transport_ops *ops;
    uint64_t sent_bytes, received_bytes;
    struct transfer *spare; /* a step allocates no transfers once there are enough */
};

struct transfer_queue { /* zeroed is empty */
    struct transfer *first, *last;
};

void transfer_push(struct transfer_queue *q, struct transfer *x);
struct transfer *transfer_pop(struct transfer_queue *q); /* NULL: empty */
/* Counts it, gives it back and tells its owner.  The owner may call the transport. */
void transfer_done(struct transport *t, uint32_t peer, struct transfer *x);
void transfer_drop(struct transport *t, struct transfer *x);
void transfer_drop_all(struct transport *t, struct transfer_queue *q);

void transport_fini(struct transport *t);

#endif
