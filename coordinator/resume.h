/* resume.h - where a run starts: from nothing, or from its newest good checkpoint. */
#ifndef COORDINATOR_RESUME_H
#define COORDINATOR_RESUME_H

#include <stdbool.h>

#include "checkpoint/checkpoint.h"
#include "conf/conf.h"
#include "coordinator/store.h"
#include "nn/transformer.h"

struct resume {
    bool found;                    /* a checkpoint; else the run is new */
    char *dir;                     /* of it; to be freed with mem_free() */
    struct checkpoint_state state; /* of it, or of a new run */
};

/* Finds the checkpoint by run.resume and loads it into @store, or initialises the
 * parameters.
 * @at: a certain step, UINT64_MAX: the newest.  Logs: ERR_NO_VALID, ERR_NO_FILE
 * (run.resume must, or @at, and none there), ERR_BUSY (never, and one is there),
 * ERR_CONFIG (another configuration, option and both values named), ERR_DATA. */
int resume_run(const struct conf *conf, uint32_t vocab, uint64_t at,
               const struct transformer *model, struct store *store, struct resume *r);

#endif
