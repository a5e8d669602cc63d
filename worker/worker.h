/* worker.h - the whole behaviour of a worker, without any I/O.
 *
 * A worker is a stateless function: it holds the newest parameters it was sent, computes
 * leases in the order they came, and gives the results back.  Like the coordinator's, its
 * core takes events and returns actions.
 *
 *      JOINING --welcome--> WORKING --stop, or the channel ends--> FINISHED
 *
 * Invariants (tests/cluster):
 *   1. a lease is computed with exactly the version it names, or not at all;
 *   2. parameters are replaced only while nothing is computed with them;
 *   3. results carry the term and incarnation under which the lease was given;
 *   4. the transfers a worker sends are numbered without gaps.
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
    uint8_t token[MESSAGE_TOKEN];
    uint64_t heartbeat_ms;
};

struct worker_event {
    uint64_t now_ms;
    enum worker_event_kind {
        WORKER_START, /* the channel is there: join */
        WORKER_TICK,
        WORKER_MESSAGE,    /* message */
        WORKER_CLOSED,     /* the control channel has ended */
        WORKER_PARAMETERS, /* version has arrived whole; or err */
        WORKER_COMPUTED    /* lease: done, with loss, targets, seconds */
    } kind;
    const struct message *message;
    uint64_t version, lease, targets;
    double loss, seconds;
    int err;
};

struct worker_action {
    enum worker_action_kind {
        WORK_SEND,      /* message */
        WORK_PREPARE,   /* welcomed: build model and threads from the event's message */
        WORK_ANNOUNCED, /* version: keep the checksums of the event's message */
        WORK_RECEIVE,   /* version, transfer: take these parameters */
        WORK_KEEP,      /* lease: copy the slices of the event's message */
        WORK_COMPUTE,   /* lease, kept before */
        WORK_PUSH,      /* lease, transfer, message: add its checksums and send both */
        WORK_REPORT,    /* lease, message: add the losses of its slices and send it */
        WORK_FINISH     /* err, exit_code, reason: end the process */
    } kind;
    struct message message;
    uint64_t version, lease;
    uint32_t transfer;
    int err, exit_code;
    char reason[256];
};

struct worker_actions {
    size_t n, room;
    struct worker_action *list; /* owned */
};

struct worker_lease {
    uint64_t lease, step, version;
    bool evaluation, computing;
    struct tree_node node;
};

struct worker {
    struct worker_conf conf;
    /* read-only */
    enum { WORKER_JOINING, WORKER_WORKING, WORKER_FINISHED } phase;
    uint32_t number;
    uint64_t term, version; /* version: parameters in hand; UINT64_MAX: none */
    /* private */
    struct worker_lease *queue; /* in the order they came; the first are being computed */
    size_t queued, room;
    bool announced_valid, receiving;
    struct {
        uint64_t version;
        uint32_t transfer;
    } announced;
    uint32_t ranges; /* transfers that a vector takes; worker_set_ranges() */
    uint32_t next_transfer;
    uint64_t beat_ms;
};

void worker_init(struct worker *w, const struct worker_conf *conf);
void worker_fini(struct worker *w);

/* After WORK_PREPARE: in how many ranges the vector travels. */
void worker_set_ranges(struct worker *w, uint32_t ranges);

/* Errors name what was wrong with a message, which then changed nothing. */
int worker_step(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out);

void worker_actions_fini(struct worker_actions *a);

#endif
