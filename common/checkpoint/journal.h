/* journal.h - RUN/journal: one record per decision, appended, never rewritten.
 *
 *      header   "LSJRNL01"
 *      record   u32 length of the body | u32 kind | body | u64 XXH3-64 of all before it
 *               in the record; little-endian; length at most JOURNAL_BODY_MAX
 *
 * A journal is valid when
 *   1. it begins with the header;
 *   2. every record has a known kind, the length of that kind and its checksum;
 *   3. what breaks 2 was never said to be there to stay by a record that comes after it.
 *
 * Records are synced when a checkpoint is written, not one by one.  A machine that goes
 * down may keep later records and lose earlier ones; so what is not valid is cut off
 * with all after it, unless it had been synced: that is damage.  START says that all
 * before it had been, CHECKPOINT has the number of bytes that had been, in targets.
 *
 * After a restart from a checkpoint the steps since then appear again, under a higher
 * term; journal_open() gives them back, so that the owner can see that what is computed
 * again is the same.  Steps appear again after REWIND, too, from its version on; those
 * are other steps, of other data (guard/turns.h).
 */
#ifndef CHECKPOINT_JOURNAL_H
#define CHECKPOINT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

enum { JOURNAL_BODY_MAX = 256 };

enum journal_kind {
    JOURNAL_START = 1, /* a coordinator took over: step it goes on from */
    JOURNAL_COMMIT,    /* the step is decided */
    JOURNAL_EVALUATION,
    JOURNAL_CHECKPOINT, /* of this step is on disk; targets: by journal_append() */
    JOURNAL_END,        /* exit code in targets */
    JOURNAL_SKIPPED,    /* the step is decided: loss or gradient not finite, no update */
    JOURNAL_SPIKE_LOSS, /* decided: loss far above the last ones, no update; clip: z */
    JOURNAL_SPIKE_NORM, /* the same for the norm of the gradient */
    JOURNAL_REWIND      /* of what follows from this version on: data offset in targets,
                           factor on the rate in rate; loss, norm: the averages that told */
};

/* The step is decided, with or without an update. */
static inline bool journal_is_step(uint32_t kind)
{
    return kind == JOURNAL_COMMIT || kind == JOURNAL_SKIPPED ||
           kind == JOURNAL_SPIKE_LOSS || kind == JOURNAL_SPIKE_NORM;
}

struct journal_record {
    uint32_t kind;
    uint32_t reserved; /* 0 */
    uint64_t term, step;
    uint64_t targets; /* target tokens of the step or evaluation */
    double wall;      /* seconds since 1970 */
    double loss, rate, norm, clip;
};

struct journal;

/* Opens or makes RUN/journal, cuts off what was not whole (with a warning) and calls
 * @each for every record so far.  ERR_CORRUPT, logged with offset and remedy, for
 * damage. */
int journal_open(const struct disk *d, const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx,
                 struct journal **j);
void journal_close(struct journal *j);

/* ERR_NO_SPACE, ERR_IO: logged once per journal; what was written of the record is cut
 * off again.  After a failed sync nothing can be appended. */
int journal_append(struct journal *j, const struct journal_record *r);
/* Any thread: what was appended before is there to stay. */
int journal_sync(struct journal *j);

/* Reads without changing anything; a torn tail is ignored. */
int journal_read(const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx);

#endif
