/* sim.h - a whole cluster in one thread: the real cores of coordinator and workers on a
 * virtual clock, network and disk, with faults drawn from a seed.
 *
 *      struct sim_options o = sim_draw(seed);          a swarm: each seed its own faults
 *      const char *wrong = sim_run(&o, &sometimes);    NULL: all was right
 *
 * The mathematics is a toy with exact answers: the gradient of a slice is a hash of
 * (parameters, step, slice), sums wrap around in 64 bits, the update is a hash of
 * parameters and sum.  A slice that is lost, counted twice, or computed with other
 * parameters than it should shows in all that follows.
 *
 * Checked after every event:
 *   1. a step is updated with each of its slices once;
 *   2. the parameters of each version, and what is said of it in commit and evaluation,
 *      are those of the undisturbed run, also when it is made again after a restart;
 *   3. versions and checkpoints on disk never go back, but by a turn of the undisturbed
 * run, which has its own rule for them and for spikes (sim_reference.c);
 *   4. nobody who is gone holds a slice; nothing follows the end;
 *   5. no version is sent, evaluated or saved before its commit is in the journal;
 *   6. whoever was not heard for a lease is given up, whatever his connection says;
 *   7. it ends at the version at which the undisturbed run does, early or not;
 *   8. who is convicted has lied; one damaged transfer changes nothing but its sender's
 *      membership (damage changes the value: what is added in spite of it shows in 2).
 * Until a time drawn from the seed faults happen; then everything is healed, and the run
 * must come to its end in SIM_LIVENESS_MS.
 */
#ifndef CLUSTER_SIM_H
#define CLUSTER_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ramp.h"

enum { SIM_LIVENESS_MS = 120000 };

/* What can happen; each seed has some of it. */
enum sim_fault {
    SIM_CRASH,       /* a worker dies */
    SIM_VANISH,      /* its machine does: nobody is told, only silence tells */
    SIM_PAUSE,       /* it stops for a while */
    SIM_SLOW,        /* it computes at a quarter of its speed */
    SIM_LEAVE,       /* it is asked to go */
    SIM_JOIN,        /* another one comes */
    SIM_CUT,         /* one direction of its connection carries nothing for a while */
    SIM_RESET,       /* its connection breaks */
    SIM_DAMAGE,      /* one of its transfers arrives damaged */
    SIM_GHOST,       /* a message of a former life is delivered to the living */
    SIM_WRONG,       /* one of its gradients is wrong, in a run that audits every slice */
    SIM_NAN,         /* one of its losses is not finite although it should be */
    SIM_COORDINATOR, /* the coordinator dies, and is started again */
    SIM_STOP,        /* it is asked to end, and started again */
    SIM_DISK,        /* a checkpoint fails */
    SIM_FAULTS
};

/* What must have happened to some seed, or the faults test nothing. */
enum sim_sometimes {
    SOMETIMES_RELEASED_TO_IDLE,
    SOMETIMES_COPIED_LATE,
    SOMETIMES_COPY_DROPPED,
    SOMETIMES_LOST_BUSY,
    SOMETIMES_LOST_SILENT,
    SOMETIMES_LOST_VANISHED,
    SOMETIMES_LOST_DELIVERED,
    SOMETIMES_LOST_ARRIVING,
    SOMETIMES_LEFT,
    SOMETIMES_JOINED_LATE,
    SOMETIMES_JOINED_IN_STEP,
    SOMETIMES_JOINED_IN_UPDATE,
    SOMETIMES_JOINED_IN_SCORE,
    SOMETIMES_CUT_TO_COORDINATOR,
    SOMETIMES_CUT_TO_WORKER,
    SOMETIMES_SECOND_WON,
    SOMETIMES_STALE_IGNORED,
    SOMETIMES_FENCED,
    SOMETIMES_FENCED_TERM,
    SOMETIMES_UPDATED_BESIDE,
    SOMETIMES_DOUBTED,
    SOMETIMES_CONVICTED,
    SOMETIMES_UNAUDITED,
    SOMETIMES_DAMAGE_FOUND,
    SOMETIMES_RESUMED,
    SOMETIMES_MADE_AGAIN,
    SOMETIMES_EVALUATED_FIRST,
    SOMETIMES_ENDED_EARLY,
    SOMETIMES_CHECKPOINT_FAILED,
    SOMETIMES_HELD,
    SOMETIMES_CHECKPOINT_TORN,
    SOMETIMES_ALONE,
    SOMETIMES_SLOW_NAMED,
    SOMETIMES_SPIKE,
    SOMETIMES_DIVERGED,
    SOMETIMES_REWOUND,
    SOMETIMES_REWOUND_FARTHER,
    SOMETIMES_REWOUND_TWICE,
    SOMETIMES_REWIND_TORN,
    SOMETIMES_TURN_FORGOTTEN,
    SOMETIMES_TURN_AHEAD,
    SOMETIMES_SAME_NUMBER,
    SOMETIMES_ENDED_EARLY_BACK,
    SOMETIMES_KINDS
};
extern const char *const sim_sometimes_names[SOMETIMES_KINDS];

struct sim_options {
    uint64_t seed;
    uint32_t workers, slices, eval_slices, threads;
    struct ramp ramp;
    uint64_t steps, eval_every, checkpoint_every;
    uint32_t patience; /* evaluations; 0: none */
    bool scores;       /* translations, at each evaluation */
    double audit;
    double divergence, skip_loss_z, skip_norm_z; /* 0: off */
    uint32_t skip_window, rewind_limit;
    uint64_t rewind_steps;
    uint32_t slice_us, delay_us; /* of computing a slice, of a message: on average */
    uint32_t fault_every_ms;     /* on average; 0: none */
    uint64_t healed_ms;
    uint8_t weight[SIM_FAULTS]; /* how often each is drawn; 0: never */
    FILE *trace;                /* NULL: none */
};

struct sim_result {
    uint64_t sometimes[SOMETIMES_KINDS];
    uint64_t events, faults, virtual_ms;
    uint64_t parameters; /* of the last version */
    uint64_t starts;     /* of the coordinator */
    uint64_t computed;   /* slices, all copies */
};

/* Every thousandth has a thousand workers. */
struct sim_options sim_draw(uint64_t seed);

/* Adds to *result.  Returns NULL, or what was wrong (static until the next call). */
const char *sim_run(const struct sim_options *o, struct sim_result *result);

#endif
