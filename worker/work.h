/* work.h - a worker in the world: moves events and actions between its core (worker.h),
 * the control channel, the data lane and the compute threads.
 *
 *      struct work *w = work_new(loop, lane, 0, &options);
 *      control_connect(loop, address, work_events, w, &channel);
 *      work_begin(w, channel);
 *      ... loop_run() ...
 *      work_free(w);
 *
 * Loop thread only.
 */
#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include "conf/conf.h"
#include "net/control.h"
#include "net/loop.h"
#include "net/transport.h"
#include "net/world.h"

struct work_options {
    uint64_t incarnation; /* of this attempt to work, drawn at random */
    uint32_t rank; /* of the MPI world; 0: none */
    uint32_t threads;
    const char *kernels; /* borrowed */
    uint64_t heartbeat_ms;
    void (*on_welcome)(void *ctx, uint32_t worker,
                       const struct conf *run);           /* may be NULL */
    void (*on_finish)(void *ctx, int err, int exit_code); /* once; the worker is done */
    void *ctx;
};

struct work;

extern const struct channel_events work_events; /* their ctx is the struct work */

/* @coordinator: its number on the data lane. */
struct work *work_new(struct loop *l, struct transport *lane, uint32_t coordinator,
                      const struct work_options *o);
void work_begin(struct work *w, struct channel *c); /* joins */
/* Give back what is not begun, deliver the rest, then finish. */
void work_leave(struct work *w);
/* Its data lane has ended: so does its control channel. */
void work_lane_ended(struct work *w);
void work_free(struct work *w);                     /* after the loop has ended */

#endif
