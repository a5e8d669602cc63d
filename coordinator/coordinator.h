/* coordinator.h - the whole behaviour of the coordinator, without any I/O.
 *
 * Events go in, actions come out.  The core reads no clock, socket or file and computes
 * no tensor: time arrives in the event; messages, leases, updates and checkpoints leave
 * as actions, and what became of them comes back as an event.  serve.c moves both between
 * this core and the world; tests do the same from a script.
 *
 *      GATHER --all joined--> STEP --last partial--> UPDATE --updated--> commit
 *         |                    ^                                           |
 *         |                    +---- EVALUATE <----- when due -------------+
 *         +--> EVALUATE (evaluation only)        ENDING --checkpoint is safe--> finish
 *
 * An evaluation is a unit of losses, and another of translations where BLEU is wanted:
 *
 *      EVALUATE --losses--> EVALUATE --translations--> SCORE --scored--> evaluated
 *
 * When the loss diverges the commit is followed by REWIND: an earlier version is loaded,
 * and its step begins, with other data (rewind.c).
 *
 * The work of one attempt at a step, or of one evaluation, is a unit.  Who computes what
 * of it is decided in share.c: pieces by speed at first; then whoever is idle takes what
 * became free, gets back from others what they have not begun, and at last computes a
 * second time what is late.
 *
 * Invariants (tests/cluster):
 *   1. each slice enters a step once (ledger.h), each step is committed once, in order;
 *      versions go back by ACTION_REWIND alone, and data never do;
 *   2. a worker gets slices only when it has answered for all it got in earlier units,
 *      and a version only when it has said that the one before is there;
 *   3. messages of another term or incarnation change nothing, results of an earlier
 *      unit are received and dropped;
 *   4. a worker that is gone holds nothing: what it had not delivered is leased anew
 *      before the event that told its end has been handled, if anybody can take it;
 *   5. a stop request ends with a checkpoint of the newest version, unless that is on
 *      disk;
 *   6. after ACTION_FINISH nothing follows.
 */
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ramp.h"
#include "base/tree.h"
#include "coordinator/audit.h"
#include "coordinator/ledger.h"
#include "coordinator/members.h"
#include "coordinator/typical.h"
#include "guard/guard.h"
#include "metrics/validation.h"
#include "net/message.h"
#include "optim/schedule.h"

enum { COORDINATOR_WHY = 200 };

struct coordinator_conf {
    uint32_t slices;           /* V */
    struct ramp ramp;          /* of them */
    uint64_t steps;            /* end at this version */
    uint64_t eval_every;       /* steps; 0: never */
    uint64_t checkpoint_every; /* versions between one on disk and the newest, at most */
    bool keep_best;            /* a checkpoint at every new best held-out loss */
    uint32_t patience;         /* stale evaluations before an early end; 0: none */
    bool stop_on_all;          /* stale in all metrics; else in any */
    uint32_t eval_slices;      /* pieces of the held-out text; 0: there is none */
    bool eval_only;            /* evaluate the version at hand, then finish */
    enum translate {           /* what is held out: its sources into hypotheses */
                     TRANSLATE_NOTHING,
                     TRANSLATE_TO_SCORE, /* after each held-out loss that is finite */
                     TRANSLATE_ONLY      /* in its place, with eval_only: a document */
    } translate;
    uint32_t workers; /* to wait for */
    uint64_t lease_ms, heartbeat_ms, start_timeout_ms;
    uint64_t rejoin_ms; /* to wait for a worker when none is left */
    double audit;       /* share of the slices that is computed twice and compared */
    uint64_t seed;      /* of the draw */
    double outlier; /* a gradient so many times the usual is computed again; 0: none is */
    bool skip_not_finite; /* such a step is committed without an update; else the end */
    double skip_loss_z, skip_norm_z; /* so is one so far from the usual; 0: none is */
    uint32_t skip_window;            /* steps that are the usual */
    double divergence; /* standard deviations of a loss that diverges; 0: none does */
    uint32_t trend_fast, trend_slow; /* steps that its averages are over */
    enum on_divergence { DIVERGED_WARN, DIVERGED_STOP, DIVERGED_REWIND } on_divergence;
    uint64_t rewind_steps; /* to go back at least */
    double rewind_rate;    /* factor on the rate, each time */
    uint32_t rewind_limit; /* times */
    struct schedule schedule;
    const char *kernels; /* numerics of this run; workers must have the same; borrowed */
    const char *build;
};

/* What a run goes on from. */
struct coordinator_from {
    uint64_t version;
    bool saved; /* it is on disk */
    struct validation validation;
    struct guard guard; /* with all turns that are known, also later ones */
};

struct event {
    uint64_t now_ms;
    enum event_kind {
        EVENT_START,    /* once, first */
        EVENT_TICK,     /* some time has passed; several per lease */
        EVENT_MESSAGE,  /* peer, message */
        EVENT_CLOSED,   /* peer: its control channel has ended */
        EVENT_RECEIVED, /* partial: it is here, whole; or err */
        EVENT_UPDATED,  /* norm: of the mean gradient; nothing was applied when it is not
                           finite, or above the limit */
        EVENT_CHECKPOINTED, /* step, err */
        EVENT_REWOUND,      /* from: it is in the store; or err, and nothing is */
        EVENT_SCORED,       /* bleu: of what this evaluation has translated */
        EVENT_STOP          /* somebody asked us to end soon */
    } kind;
    uint32_t peer;
    const struct message *message; /* borrowed */
    uint64_t partial, step;
    const struct coordinator_from *from; /* borrowed */
    double norm, clip, bleu;
    int err;
};

struct action {
    enum action_kind {
        ACTION_WELCOME,    /* peer, worker */
        ACTION_REFUSE,     /* peer, err, reason */
        ACTION_PARAMETERS, /* peer: send the newest version */
        ACTION_LEASE,      /* peer, unit, step, version, lease, first, end */
        ACTION_REVOKE,     /* peer, unit, lease, first, end, unwanted */
        ACTION_RECEIVE,    /* peer, partial, unit, node, transfer; targets, of data;
                              unwanted:    it will be dropped, and is of any step; message
                              borrowed    as in the event */
        ACTION_ADD,        /* partial: add it to the sum */
        ACTION_DROP,       /* partial: it is not needed */
        ACTION_DISCARD,    /* forget the sum of this step */
        ACTION_UPDATE, /* step, rate, targets, limit: apply the step's gradient, unless
                          its norm is above the limit */
        ACTION_SKIP,   /* step: the next version has the same parameters */
        ACTION_COMMIT, /* record, with data: into the journal; the newest version is step
                          + 1 */
        ACTION_TRANSLATED, /* first: the slice, for the first time in this evaluation;
                              message borrowed as in the event */
        ACTION_SCORE,      /* version: EVENT_SCORED follows */
        ACTION_EVALUATED,  /* version, loss, bleu (NAN: not measured), targets, best,
                              best_bleu */
        ACTION_CHECKPOINT, /* version, halfway: write the newest version */
        ACTION_DIVERGES,   /* version, loss, usual, sigma: of its averages */
        ACTION_REWIND,    /* step, version, data, rate, loss, usual, reason: note the turn
                             (guard/turns.h); forget the versions after this one; load it,
                             or one before; EVENT_REWOUND follows */
        ACTION_HEARTBEAT, /* peer */
        ACTION_SLOW,      /* peer, worker, speed, median: much slower than the others */
        ACTION_DOUBT,     /* peer, worker, first, end: its result is computed again */
        ACTION_LOST,      /* peer, worker, err: given up; ERR_OK: it left */
        ACTION_STOP,      /* peer: tell it to end */
        ACTION_FINISH     /* err, reason: end the process */
    } kind;
    uint32_t peer, worker;
    int err;
    const char *reason; /* static text, or the core's */
    uint64_t unit, step, version, partial;
    uint64_t data; /* the step whose samples these are; of a turn: the offset */
    enum lease_kind lease;
    enum skip_why { SKIP_NONE, SKIP_NOT_FINITE, SKIP_LOSS, SKIP_NORM } skipped;
    bool best, best_bleu, unwanted, halfway;
    struct tree_node node;
    uint32_t first, end, transfer;
    double rate, limit, loss, bleu, noise, norm, clip, z, usual, sigma, speed, median;
    uint64_t targets;
};

struct actions {
    size_t n, room;
    struct action *list; /* owned */
};

/* A partial that was announced and is on its way. */
struct arriving {
    uint64_t partial, unit;
    uint32_t worker;
    struct tree_node node;
    struct ledger_sum sum;
    bool drop;
};

struct coordinator {
    struct coordinator_conf conf;
    /* read-only */
    enum coordinator_phase {
        PHASE_GATHER,
        PHASE_STEP,
        PHASE_UPDATE,
        PHASE_REWIND,
        PHASE_EVALUATE,
        PHASE_SCORE,
        PHASE_ENDING,
        PHASE_FINISHED
    } phase;
    uint64_t term,
        version;   /* version: parameters in force; the step being made has its number */
    uint64_t data; /* the step whose samples the step at hand takes */
    uint32_t slices; /* of that: of the step at hand */
    uint64_t unit; /* of work: at hand in STEP and EVALUATE, else the next one's number */
    struct validation validation;
    struct members members;
    struct ledger ledger;
    struct audit audit;
    /* private */
    struct arriving *arriving; /* [arrivings] */
    size_t arrivings, arriving_room;
    uint64_t partials; /* announced so far: the number of the newest */
    uint64_t now_ms, gather_since_ms, ticked_ms, beat_ms, alone_since_ms;
    uint32_t joined;       /* late; they are numbered after the ranks */
    uint32_t gone;         /* workers that were lost before the start */
    uint64_t checkpointed; /* newest version on disk; UINT64_MAX: none */
    bool checkpoint_running, checkpoint_due;
    bool waiting; /* a version is to be saved, once the checkpoint that runs is done */
    bool held;    /* the step is complete, and its update waits for that, too */
    bool stopping;
    int end_err;
    const char *end_reason;
    char why[COORDINATOR_WHY];  /* end_reason, when it is not static */
    bool diverging;             /* and that was said */
    bool translating;           /* in EVALUATE: the loss is known, or not asked for */
    struct ledger_sum held_out; /* of this evaluation */
    const char *rewind_reason;  /* in REWIND */
    uint32_t way;               /* times that it went back in this process */
    double rate;
    uint64_t targets;
    double loss, noise, norm_limit;
    struct guard guard;
    struct typical typical; /* length of a gradient per target, of the last partials */
};

/* A new run. */
struct coordinator_from coordinator_from_nothing(void);
void coordinator_init(struct coordinator *c, const struct coordinator_conf *conf,
                      uint64_t term, const struct coordinator_from *from);
void coordinator_fini(struct coordinator *c);

/* Take one event; *out is cleared, then holds what is to be done, in order.  Errors say
 * what was wrong with a message, which then changed nothing: ERR_STALE, ERR_MALFORMED,
 * ERR_UNKNOWN (sender is no member). */
int coordinator_step(struct coordinator *c, const struct event *ev, struct actions *out);

void actions_fini(struct actions *a);

#endif
