/* start.h - one start of a job under mpirun, to its end: `lockstep launch` makes one
 * after the other.
 *
 * mpirun's exit status says little (it is 0 when ranks were killed under
 * --enable-recovery), so the verdict is read from status.json, which only the coordinator
 * writes.
 */
#ifndef COORDINATOR_START_H
#define COORDINATOR_START_H

#include <signal.h>
#include <stdbool.h>

#include "checkpoint/run_dir.h"
#include "coordinator/hostfile.h"
#include "coordinator/mpirun.h"

struct start_options {
    const struct mpirun_options *mpirun;
    const char *run_dir;
    const struct hosts
        *hosts; /* the coordinator is on the first that answers; none: here */
    const volatile sig_atomic_t
        *asked; /* signals so far: the first is passed on, another ends all */
};

/* True: the run ended, as *status says, which is the coordinator's or, when nobody got as
 * far as that, one of our own with the exit code alone.  False: it was lost on the way.
 * An mpirun that hangs is ended: GRACE_S after the run, and when the coordinator is gone:
 * its process, or its host. */
bool start_job(const struct start_options *o, struct run_status *status);

#endif
