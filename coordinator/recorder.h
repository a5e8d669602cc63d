/* recorder.h - what a run leaves behind while it works: journal, log.jsonl, status.json
 * and the lines on the terminal.  Loop thread only, but for recorder_sync(). */
#ifndef COORDINATOR_RECORDER_H
#define COORDINATOR_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/coordinator.h"
#include "coordinator/roofline.h"
#include "metrics/statistics.h"

struct recorder;

struct recorder_options {
    const char *run_dir; /* borrowed; the process owns it */
    uint64_t steps, log_every;
    /* which a step has: *first to *last, for what is said of it */
    void (*samples)(void *ctx, uint64_t step, uint64_t *first, uint64_t *last);
    void *ctx;
    uint64_t version, term; /* to start from; the term is at least 1 more than any in the
                               journal when 0 */
    const struct validation *validation; /* so far; borrowed while it is opened */
    double flops_per_token, peak_flops; /* peak of all threads together */
    double held_out_bytes_per_token;
    enum wire wire; /* of partials */
};

/* Opens the files; reads the journal.  Errors are logged: ERR_CORRUPT, ERR_IO, ... */
int recorder_open(const struct recorder_options *o, struct recorder **r);
void recorder_close(struct recorder *r);
uint64_t recorder_term(const struct recorder *r); /* of this coordinator */

void recorder_running(struct recorder *r, uint32_t workers);
void recorder_commit(struct recorder *r, const struct action *commit,
                     const struct roofline_step *time);
/* What the step that led to @version was examined for, after its commit. */
void recorder_statistics(struct recorder *r, uint64_t version, const struct statistics *s);
void recorder_diverges(struct recorder *r, const struct action *diverges);
/* The journal has the turn, but not for good: recorder_sync(). */
void recorder_rewind(struct recorder *r, const struct action *rewind);
/* What is on disk of the versions after this one is no longer of the run. */
void recorder_rewound(struct recorder *r, const struct coordinator_from *from);
void recorder_evaluated(struct recorder *r, const struct action *evaluated);
/* Any thread, before a checkpoint is published: the journal has its steps for good. */
void recorder_sync(struct recorder *r);
/* It took @seconds, of which training stood still for @waited. */
void recorder_checkpoint(struct recorder *r, uint64_t step, int err, double seconds,
                         double waited);
/* Something that happened: a line of log.jsonl, and the number of workers for
 * status.json. */
void recorder_event(struct recorder *r, const char *event, const char *text,
                    uint32_t workers);
/* Now and then: status.json says every two seconds that this coordinator lives. */
void recorder_alive(struct recorder *r);
void recorder_end(struct recorder *r, int err, const char *reason);

#endif
