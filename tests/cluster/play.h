/* play.h - a cluster of real cores in one thread, without any I/O: messages, partials and
 * parameters are moved by hand, in an order drawn from a seed (each channel keeps its
 * own order).
 *
 * The mathematics is a toy with exact answers: slice v of step s has the gradient
 * 1000 s + v, the parameters are the sum of all gradients so far, so a slice that was
 * lost, counted twice or computed with another version shows in the final number.
 */
#ifndef CLUSTER_PLAY_H
#define CLUSTER_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/coordinator.h"
#include "worker/worker.h"

enum { PLAY_WORKERS_MAX = 8, PLAY_TRACE = 1 << 16 };

struct play;

struct play_options {
    uint32_t workers;
    uint32_t slices, eval_slices;
    uint64_t steps, eval_every, checkpoint_every;
    uint64_t seed;
    uint64_t stop_after;   /* events; 0: never.  Then EVENT_STOP */
    uint64_t kill_after;   /* events; 0: never.  Then worker 1 is gone */
    uint64_t from_version; /* resumed */
    bool eval_only;
    bool disk_full;      /* every checkpoint fails */
    uint64_t diverge_at; /* the gradient of this step is not finite; 0: never */
};

struct play *play_new(const struct play_options *o);
/* Runs until the coordinator finishes or nothing moves any more; true if it finished. */
bool play_run(struct play *p);
void play_free(struct play *p);

int play_err(const struct play *p); /* of ACTION_FINISH */
uint64_t play_version(const struct play *p);
uint64_t play_parameters(const struct play *p);
uint64_t play_expected(uint32_t slices, uint64_t version); /* of parameters */
uint64_t play_checkpoint(const struct play *p);            /* newest version on disk */
uint64_t play_evaluations(const struct play *p);
const char *play_trace(const struct play *p); /* what the coordinator did, by line */

#endif
