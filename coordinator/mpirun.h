/* mpirun.h - one run of mpirun as a child of `lockstep launch`. */
#ifndef COORDINATOR_MPIRUN_H
#define COORDINATOR_MPIRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mpirun_setting { /* an MCA parameter of Open MPI */
    const char *name, *value;
};

struct mpirun_options {
    unsigned workers;
    const char *hosts;                     /* "a:3,b:2"; NULL: this machine */
    const char *agent;                     /* the remote shell, with its arguments */
    const struct mpirun_setting *settings; /* they replace ours of the same name */
    size_t n_settings;
    const char *train;        /* the sub-command: "train" */
    const char *const *words; /* its arguments */
    size_t n;
    bool verbose; /* print the command */
};

struct mpirun {
    pid_t pid;        /* 0: not running */
    char scratch[64]; /* shared memory of this run; "" when it is spread over hosts */
};

/* ERR_IO, logged, when it cannot be started; ERR_CONFIG when mpirun is not installed. */
int mpirun_start(struct mpirun *m, const struct mpirun_options *o);

/* Has it ended?  *status as of waitpid(). */
bool mpirun_ended(struct mpirun *m, int *status);

/* Sends SIGUSR1 to all ranks: finish the step, write a checkpoint, leave. */
void mpirun_ask(const struct mpirun *m);

/* Ends it however it hangs: SIGTERM, after 2 s SIGKILL.  Waits. */
void mpirun_end(struct mpirun *m);

/* Removes what a run left in shared memory; after it has ended. */
void mpirun_clean(struct mpirun *m);

#endif
