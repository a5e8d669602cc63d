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
 * parameters: from those of run.from, or by drawing them.
 * Logs: ERR_NO_VALID, ERR_NO_FILE (run.resume must, and none there), ERR_BUSY (never, and
 * one is there), ERR_CONFIG (another configuration, option and both values named),
 * ERR_DATA. */
int resume_run(const struct conf *conf, uint32_t vocab, const struct transformer *model,
               struct store *store, struct resume *r);

/* To evaluate the checkpoint @dir, which is good: its parameters, or their average with
 * @ema, and nothing else.  Logs: ERR_CONFIG (another vocabulary), ERR_NO_FILE (no
 * average), ERR_DATA. */
int resume_checkpoint(const char *dir, bool ema, const struct conf *conf, uint32_t vocab,
                      const struct transformer *model, struct store *store,
                      struct resume *r);

#endif
