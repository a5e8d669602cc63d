/* trial.h - a short training beside this process: a child that is `lockstep train`, or
 * `lockstep launch` when it wants workers, and its steps as they are decided.
 *
 *      trial_take_signals();
 *      TRY(trial_start(&t, &options));
 *      code = trial_wait(&t, look, ctx);      look: trial_steps(&t, each, ctx), say
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
    const char *const *launch; /* more options of launch */
    size_t launch_n;
    const char *log;     /* what it has to say goes there; NULL: to our stderr */
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

/* From now on SIGTERM, SIGINT and SIGUSR1 are counted, and given to the trial that is
 * waited for: finish the step and leave; the second time: at once. */
void trial_take_signals(void);
unsigned trial_asked(void);

/* Waits until it has ended; returns its exit code.  Now and then, and at last after its
 * end, calls @look; while that is false the trial is not wanted any more, and stops. */
int trial_wait(struct trial *t, bool (*look)(void *ctx), void *ctx);

/* Calls @each for the steps since the last call.  ERR_*, logged. */
int trial_steps(struct trial *t,
                void (*each)(void *ctx, const struct journal_record *step), void *ctx);

#endif
