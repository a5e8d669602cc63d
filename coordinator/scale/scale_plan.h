/* scale_plan.h - what `lockstep scale` measures: which counts of workers, with which
 * options, on which hosts.
 *
 * Threads.  All points have the same compute threads in each worker, or they could not be
 * compared: cluster.threads where it is given; else what the hosts have for a slot, of
 * the hosts the fewest; on this machine alone its cores over the largest count.
 */
#ifndef COORDINATOR_SCALE_PLAN_H
#define COORDINATOR_SCALE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/command.h"
#include "coordinator/hostfile.h"
#include "coordinator/machine.h"
#include "coordinator/scale/scaling.h"
#include "coordinator/scale/scaling_log.h"
#include "coordinator/trial_conf.h"

enum { SCALE_WORKERS = 4095 };

struct scale_asked {
    struct command_conf conf;
    unsigned count[SCALING_COUNTS]; /* ascending */
    size_t counts;                /* 0: 1, 2, 4, ... up to one per slot, or per core */
    bool mode[SCALING_MODES];
    const char *hostfile, *agent; /* NULL: none; ssh */
    struct scaling_length length;
    const char *scratch; /* the run directory of the trials */
};

struct scale_plan { /* read-only */
    size_t n;
    struct scaling_config *config; /* [n] */
    struct trial_conf *words;      /* [n] */
    struct scaling_facts facts;
    unsigned threads; /* of each worker */
    uint64_t fingerprint;
    bool pairs, bfloat16_products;
    struct machine here;
    struct hosts hosts;      /* n 0: this machine */
    struct machine *machine; /* [machines] that compute */
    size_t machines;
};

/* Loads and checks the configuration of every point, asks the hosts, opens the data.
 * Logs; ERR_*, then there is nothing to free. */
int scale_plan_make(struct scale_plan *p, const struct scale_asked *a);
void scale_plan_fini(struct scale_plan *p);

#endif
