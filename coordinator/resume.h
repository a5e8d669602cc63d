/* resume.h - where a run starts: from nothing, or from its newest good checkpoint; and
 * where it goes back to.
 *
 * What it knows of its turns (guard/turns.h) is in the checkpoint, up to then, and in the
 * journal.  Checkpoints that a turn has left behind are removed, the newest first, after
 * the journal has the turn for good and before anything else is written: wherever that
 * ends, the next start finishes it.  A turn that neither of them has is taken again. */
#ifndef COORDINATOR_RESUME_H
#define COORDINATOR_RESUME_H

#include <stdbool.h>

#include "base/hash.h"
#include "checkpoint/checkpoint.h"
#include "conf/conf.h"
#include "coordinator/coordinator.h"
#include "coordinator/store.h"
#include "nn/transformer.h"

/* Of the data: ids mean nothing without it. */
struct vocabulary {
    uint32_t size;
    char hash[HASH_HEX]; /* tokenizer_hash() */
};

struct resume {
    bool found;                    /* a checkpoint; else the run is new */
    char *dir;                     /* of it; to be freed with mem_free() */
    struct checkpoint_state state; /* of it, or of a new run */
};

/* For the owner of the run directory: removes checkpoints as above.
 * Finds the checkpoint by run.resume and loads it into @store, or initialises the
 * parameters: from those of run.from, or by drawing them.
 * Logs: ERR_NO_VALID, ERR_NO_FILE (run.resume must, and none there), ERR_BUSY (never, and
 * one is there), ERR_CONFIG (another configuration, option and both values named; another
 * vocabulary),
 * ERR_DATA. */
int resume_run(const struct conf *conf, const struct vocabulary *vocabulary,
               const struct transformer *model, struct store *store, struct resume *r);

/* To evaluate the checkpoint @dir, which is good: its parameters, or their average with
 * @ema, and nothing else.  Logs: ERR_CONFIG (another vocabulary), ERR_NO_FILE (no
 * average), ERR_DATA. */
int resume_checkpoint(const char *dir, bool ema, const struct conf *conf,
                      const struct vocabulary *vocabulary,
                      const struct transformer *model, struct store *store,
                      struct resume *r);

/* The version that the newest of @turns begins with, or the newest before it that there
 * is;
 * @store, which was left, is overwritten.  Any thread.  Logs; ERR_* as above: @store has
 * no version. */
int resume_back(const struct conf *conf, const struct turns *turns,
                const struct vocabulary *vocabulary, const struct transformer *model,
                struct store *store, struct resume *r);

struct coordinator_from resume_from(const struct resume *r);

#endif
