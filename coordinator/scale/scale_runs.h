/* scale_runs.h - the runs of a scaling experiment, made one after the other and kept.
 *
 *      OUT/scale.json                 what is measured, written after every run
 *      OUT/runs/strong-n2-r1.jsonl    log.jsonl of a run
 *      OUT/runs/strong-n2-r1.log      what it had to say
 *      OUT/run.scratch                the run directory of the one that goes on
 *
 * Of every repeat all points are measured before the next begins.  Points with the same
 * key - one worker, strong and weak - are measured once.
 */
#ifndef COORDINATOR_SCALE_RUNS_H
#define COORDINATOR_SCALE_RUNS_H

#include <jansson.h>

#include "coordinator/scale/scale_plan.h"
#include "coordinator/scale/scaling_report.h"

struct scale_runs {
    const struct scale_plan *plan; /* borrowed, as the next ones */
    const struct scale_asked *asked;
    const char *out;
    unsigned repeats;
    const char *const *launch; /* [launch_n] more options for each launch */
    size_t launch_n;
    /* read-only */
    struct scaling_run *run; /* [n] */
    size_t n, kept;          /* kept: of them, from scale.json */
    struct scaling_failure *failure;
    size_t failures;
    int failed_code; /* exit code of the last that failed; 0: none */
    json_t *others;  /* runs of scale.json that are of other settings */
    bool stopped;    /* somebody asked for it */
    /* private */
    double seconds; /* that the runs of this process took */
    size_t made;
};

/* What an earlier call has left in OUT/scale.json, unless @again.  Logs; ERR_*. */
int scale_runs_open(struct scale_runs *r, bool again);
void scale_runs_close(struct scale_runs *r);

/* Makes the missing ones, and calls @save after each.  A run that fails is noted, and the
 * others go on; but a point that has never succeeded is not tried again.  Logs; ERR_*
 * when files fail. */
int scale_runs_make(struct scale_runs *r, int (*save)(void *ctx), void *ctx);

#endif
