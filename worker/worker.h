/* worker.h - the whole behaviour of a worker, without any I/O.
 *
 * A worker is a stateless function: it holds the newest parameters it was sent, computes
 * the slices leased to it, adds what it can along the tree, and gives the results back.
 * Like the coordinator's, its core takes events and returns actions.
 *
 *      JOINING --welcome--> WORKING --stop, leave, or the channel ends--> FINISHED
 *
 * A slice to train with is queued, given to the compute threads, computed, and then part
 * of a node that is pushed: as soon as all slices of the node are computed and its parent
 * has a slice that is not this worker's.  Only queued slices can be given back.
 *
 * Invariants (tests/cluster):
 *   1. a slice is computed with exactly the version its lease names, or not at all; it may
 *      be begun while that is still arriving;
 *   2. parameters are replaced only while nothing is held;
 *   3. results carry the term and incarnation under which the lease was given;
 *   4. the transfers a worker sends are numbered without gaps;
 *   5. every slice leased is answered once: pushed, reported or released.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"
#include "net/message.h"

struct worker_conf {
    uint64_t incarnation; /* random, of this process */
    uint32_t rank, pid, threads;
    const char *host, *build, *kernels; /* borrowed */
    uint64_t heartbeat_ms;
    uint64_t silence_ms; /* a coordinator not heard for so long is gone */
};

struct worker_event {
    uint64_t now_ms;
    enum worker_event_kind {
        WORKER_START, /* the channel is there: join */
        WORKER_TICK,
        WORKER_MESSAGE,    /* message */
        WORKER_CLOSED,     /* the control channel has ended; err: why */
        WORKER_PARAMETERS, /* version has arrived whole; or err */
        WORKER_COMPUTED,   /* lease, slice: done, with loss, targets, noise, hash, seconds */
        WORKER_LEAVE       /* somebody asked this worker to go */
    } kind;
    const struct message *message;
    enum lease_kind lease;
    uint32_t slice;
    uint64_t version, targets, hash;
    double loss, noise, seconds;
    int err;
};

struct worker_action {
    enum worker_action_kind {
        WORK_SEND,      /* message; its arrays are borrowed until the next event */
        WORK_PREPARE,   /* welcomed: build model and threads from the event's message */
        WORK_ANNOUNCED, /* version: keep the checksums of the event's message */
        WORK_RECEIVE,   /* version, transfer: take these parameters */
        WORK_KEEP,      /* copy the slices of the event's message */
        WORK_COMPUTE,   /* lease, slice, kept before; with the version received last, each
                           part of it as soon as it is here */
        WORK_FORGET,    /* lease, slice: it will not be computed, or has been */
        WORK_TRANSLATED, /* lease, slice, message: add its translations and send both */
        WORK_PUSH,      /* node, transfer, message: add its checksums and send both */
        WORK_DISCARD,   /* node: nobody needs its sum */
        WORK_FINISH     /* err, exit_code, reason: end the process */
    } kind;
    struct message message;
    uint64_t version;
    enum lease_kind lease;
    uint32_t slice, transfer;
    struct tree_node node;
    int err, exit_code;
    char reason[256];
};

struct worker_actions {
    size_t n, room;
    struct worker_action *list; /* owned */
};

enum worker_slice_state { SLICE_NONE, SLICE_QUEUED, SLICE_GIVEN, SLICE_COMPUTED };

struct worker_slice { /* to train with */
    enum worker_slice_state state;
    bool unwanted; /* somebody else was faster */
    double loss, noise, seconds;
    uint64_t targets, hash;
};

struct worker_run { /* slices whose losses or hashes are reported together */
    enum lease_kind lease;
    uint32_t first, count, given, left;
    double seconds;
    double *losses;            /* [count]; of held-out slices */
    uint64_t *targets, *hashes; /* [count]; of one kind each */
};

struct worker_job {
    enum lease_kind lease;
    uint32_t slice;
};

struct worker {
    struct worker_conf conf;
    /* read-only */
    enum { WORKER_JOINING, WORKER_WORKING, WORKER_FINISHED } phase;
    uint32_t number;
    uint64_t term, version; /* version: parameters in hand; UINT64_MAX: none */
    uint32_t held;          /* slices leased and not answered */
    /* private */
    uint64_t unit, unit_version;
    struct worker_slice *slice; /* [V] */
    struct worker_run *run;     /* [runs] */
    size_t runs, run_room;
    struct worker_job *queue; /* [queued], in the order they came */
    size_t queued, queue_room;
    uint32_t given; /* to the compute threads */
    bool announced, leaving;
    uint64_t announced_version;
    uint32_t ranges, V; /* worker_set_shape() */
    bool hashing;
    uint32_t next_transfer;
    uint64_t beat_ms, heard_ms, ticked_ms;
    uint64_t *hashes; /* [V], by slice: of the partials pushed in this event */
    void *scratch;    /* arrays of the report sent in this event */
};

void worker_init(struct worker *w, const struct worker_conf *conf);
void worker_fini(struct worker *w);

/* After WORK_PREPARE: in how many ranges the vector travels, how many slices a step has,
 * whether the hashes of gradients are wanted. */
void worker_set_shape(struct worker *w, uint32_t ranges, uint32_t V, bool hashing);

/* Take one event; *out is cleared, then holds what is to be done, in order.  Errors say
 * why a message was ignored: ERR_STALE, ERR_MALFORMED. */
int worker_step(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out);

void worker_actions_fini(struct worker_actions *a);

#endif
