/* trial.h - a short training beside this process: a child that is `lockstep train`, or
 * `lockstep launch` when it wants workers, and its steps as they are decided.
 *
 *      TRY(trial_start(&t, &options));
 *      while (!trial_ended(&t, &code)) { trial_steps(&t, each, ctx); ... }
 *      trial_steps(&t, each, ctx);
 *
 * Steps are read from the run's journal, each once and in order, whatever was computed
 * again. When this process dies the child stops as it would on a signal.  One thread.
 */
#ifndef COORDINATOR_TRIAL_H
#define COORDINATOR_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "checkpoint/journal.h"

struct trial_options {
    unsigned workers;         /* 0: in one process, without mpirun */
    const char *hostfile;     /* as of launch; NULL: none */
    const char *file;         /* configuration; NULL: none */
    const char *const *words; /* options, which name run.dir, too */
    size_t n;
    const char *run_dir; /* borrowed, as all of these */
};

struct trial {
    /* private */
    pid_t pid;      /* 0: not running */
    unsigned asked; /* to stop */
    bool launched;
    const char *run_dir;
    uint64_t seen; /* steps that were given */
};

/* ERR_IO, logged. */
int trial_start(struct trial *t, const struct trial_options *o);

/* *code: its exit code. */
bool trial_ended(struct trial *t, int *code);

/* Finish the step and leave; when asked again, at once. */
void trial_stop(struct trial *t);

/* Calls @each for the steps since the last call.  ERR_*, logged. */
int trial_steps(struct trial *t,
                void (*each)(void *ctx, const struct journal_record *step), void *ctx);

#endif
