/* compute.h - the threads that compute slices, and the sums they make of them.
 *
 * One thread per slice, products single-threaded: no fork and join inside a slice, and
 * the same bits for any number of threads.  Threads take slices in the order they were
 * started; gradients are added along the tree as they come (flat/treesum.h), and the sum
 * of a node can be taken out when all its slices have been collected.
 *
 * Rules: 1. theta is replaced from compute_expect() on, while compute_idle(), front to
 * back; slices that are started meanwhile wait in their forward pass for what of it they
 * read next (compute_arrived()); 2. a job belongs to the caller and lives until it was collected;
 * 3. on_done is called from a compute thread and must only wake the loop.
 */
#ifndef WORKER_COMPUTE_H
#define WORKER_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"
#include "flat/range.h"
#include "flat/treesum.h"
#include "net/message.h"
#include "nn/transformer.h"
#include "worker/translating.h"

struct compute;

struct compute_job { /* one slice */
    enum lease_kind lease;
    uint32_t number; /* of the slice in its step, or in the held-out text */
    struct slice slice;
    bool statistics; /* to train with, in a step that is examined: noise is wanted */
    /* results */
    struct slice_result result;
    struct hypotheses hypotheses; /* of slices to be translated; owned */
    int err;                      /* of that */
    double noise;  /* sum of the squares of the gradient's elements / targets^2 */
    uint64_t hash; /* of the gradient; of audits, and of all when hashing */
    double seconds; /* that it took, without waiting for theta */
    /* private */
    struct compute_job *next;
};

struct compute_options {
    unsigned threads;
    size_t rows; /* of a slice, at most */
    uint32_t V;  /* slices per step */
    enum wire wire;
    bool hashing;
    const struct conf_translate *translate; /* borrowed */
    void (*on_done)(void *ctx);
    void *ctx;
};

/* @whole: the vector as one range; borrowed, like @t. */
struct compute *compute_new(const struct transformer *t, const struct ranges *whole,
                            const struct compute_options *o);
/* Waits for running slices; queued ones are dropped. */
void compute_free(struct compute *c);

float *compute_theta(struct compute *c); /* [count]; see rule 1 */
/* Nothing of the next theta is here. */
void compute_expect(struct compute *c);
/* theta[0, count) is; @count grows from call to call.  New ones are all there. */
void compute_arrived(struct compute *c, size_t count);
bool compute_idle(struct compute *c);
void compute_start(struct compute *c, struct compute_job *job);
struct compute_job *compute_collect(struct compute *c); /* a finished job, or NULL */

/* The sum of a node all of whose slices were collected, and of which no larger node was
 * computed here.  Give it back when it is not needed any more. */
struct treesum_buffer *compute_extract(struct compute *c, struct tree_node node);
void compute_give(struct compute *c, struct treesum_buffer *sum);

/* Bytes that compute_new() and a step need, for --dry-run. */
size_t compute_bytes(const struct transformer *t, unsigned threads, size_t rows,
                     uint32_t leased_slices);

#endif
