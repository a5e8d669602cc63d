/* compute.h - the threads that compute slices, and the sums they make of them.
 *
 * One thread per slice, products single-threaded: no fork and join inside a slice, and
 * the same bits for any number of threads.  Threads take slices in the order of the jobs
 * and of the slices in them; the gradients of a job are added along the tree as they come
 * (flat/treesum.h), and the last one done reports the job.
 *
 * Rules: 1. theta is only read while jobs are queued or running, and only replaced while
 * compute_idle(); 2. the slices of a job belong to the caller and live until
 * the job was collected; 3. on_done is called from a compute thread and must only wake
 * the loop.
 */
#ifndef WORKER_COMPUTE_H
#define WORKER_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"
#include "flat/range.h"
#include "flat/treesum.h"
#include "nn/transformer.h"

struct compute;

struct compute_job {
    uint64_t id;
    bool evaluation;
    struct tree_node node; /* of a training job: what its slices add up to */
    size_t slices;
    const struct slice *slice; /* [slices] */
    /* results */
    struct slice_result *result; /* [slices], caller's memory */
    struct slice_result total;   /* training: added along the tree */
    struct treesum_buffer *sum;  /* training: the partial; give it back when sent */
    double seconds;              /* of computing, over all threads */
    /* private */
    size_t started, finished;
    struct compute_job *next;
};

/* Slices have at most @rows rows; V slices per step. @whole: the vector as one range. */
struct compute *compute_new(const struct transformer *t, unsigned threads, size_t rows,
                            uint32_t V, const struct ranges *whole, bool bfloat16,
                            void (*on_done)(void *ctx), void *ctx);
void compute_free(
    struct compute *c); /* waits for running slices; queued ones are dropped */

float *compute_theta(struct compute *c); /* [count]; see rule 1 */
bool compute_idle(struct compute *c);
void compute_start(struct compute *c, struct compute_job *job);
struct compute_job *compute_collect(struct compute *c); /* a finished job, or NULL */
void compute_give(struct compute *c, struct treesum_buffer *partial);

/* Bytes that compute_new() and a step need, for --dry-run. */
size_t compute_bytes(const struct transformer *t, unsigned threads, size_t rows,
                     uint32_t leased_slices);

#endif
