/* join.h - a worker that comes over TCP to a run that goes on, and comes back when it was
 * given up although it lives (it was stopped for a while, or cut off). */
#ifndef WORKER_JOIN_H
#define WORKER_JOIN_H

#include <stdbool.h>

#include "conf/conf.h"
#include "net/control.h"

struct join_options {
    /* Where the coordinator is and what its token is, asked before each attempt.  ERR_*,
     * logged. */
    int (*find)(void *ctx, char address[CONTROL_ADDRESS], uint8_t token[AUTH_TOKEN]);
    /* Whether the run this worker was in is done: it may have ended while the worker was
     * stopped or cut off. */
    bool (*is_done)(void *ctx);
    void *ctx;
    unsigned threads;
    const char *kernels; /* borrowed */
    double wait_s; /* to look for a coordinator that cannot be reached; 0: one attempt */
    void (*on_welcome)(void *ctx, uint32_t worker, const struct conf *run);
};

/* Until the run ends, this worker is refused, or a signal (SIGTERM, SIGINT, SIGUSR1) asks
 * it to leave: then it delivers what it has begun and goes.  Returns the exit code. */
int join_run(const struct join_options *o);

#endif
