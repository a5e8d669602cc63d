/* journal.h - RUN/journal: one record per decision, appended, never rewritten.
 *
 *      header   "LSJRNL01"
 *      record   u32 length of the body | u32 kind | body | u64 XXH3-64 of all before it
 *               in the record; little-endian; length at most JOURNAL_BODY_MAX
 *
 * A journal is valid when
 *   1. it begins with the header;
 *   2. every record has a known kind, the length of that kind and its checksum;
 *   3. only the last record may be incomplete: a torn tail, which a writer that was
 * killed leaves and the next one cuts off.
 *
 * After a restart from a checkpoint the steps since then appear again, under a higher
 * term; journal_open() gives them back, so that the owner can see that what is computed
 * again is the same.
 */
#ifndef CHECKPOINT_JOURNAL_H
#define CHECKPOINT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_BODY_MAX = 256 };

enum journal_kind {
    JOURNAL_START = 1, /* a coordinator took over: step it goes on from */
    JOURNAL_COMMIT,    /* the step is decided */
    JOURNAL_EVALUATION,
    JOURNAL_CHECKPOINT, /* of this step is on disk */
    JOURNAL_END,        /* exit code in targets */
    JOURNAL_SKIPPED     /* the step is decided: loss or gradient not finite, no update */
};

struct journal_record {
    uint32_t kind;
    uint32_t reserved; /* 0 */
    uint64_t term, step;
    uint64_t targets; /* target tokens of the step or evaluation */
    double wall;      /* seconds since 1970 */
    double loss, rate, norm, clip;
};

struct journal;

/* Opens or makes RUN/journal, cuts off a torn tail (with a warning) and calls @each for
 * every record so far.  ERR_CORRUPT, logged with offset and remedy, for damage in the
 * middle. */
int journal_open(const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx,
                 struct journal **j);
void journal_close(struct journal *j);

/* ERR_NO_SPACE, ERR_IO: logged once per journal; what was written of the record is cut
 * off again. */
int journal_append(struct journal *j, const struct journal_record *r);
int journal_sync(struct journal *j);

/* Reads without changing anything; a torn tail is ignored. */
int journal_read(const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx);

#endif
