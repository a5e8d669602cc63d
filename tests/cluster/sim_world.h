/* sim_world.h - inside the simulator: time, the network, the processes on it.
 *
 *      sim.c              time, faults, the two ends of every connection
 *      sim_coordinator.c  the coordinator's process: its core, sums, disk
 *      sim_worker.c       a worker's process: its core, threads
 *      sim_reference.c    the toy, and what an undisturbed run makes of it
 */
#ifndef CLUSTER_SIM_WORLD_H
#define CLUSTER_SIM_WORLD_H

#include <stddef.h>

#include "cluster/sim.h"
#include "coordinator/coordinator.h"
#include "worker/worker.h"

enum { SIM_THREADS = 4, SIM_GHOSTS = 16, SIM_PROCESSES = 16384 };

struct sim;

/* Something that will happen. */
struct item {
    uint64_t at_us, order;
    enum {
        ITEM_TICK_COORDINATOR,
        ITEM_TICK_WORKER,
        ITEM_TO_COORDINATOR, /* message on a connection */
        ITEM_TO_WORKER,
        ITEM_CLOSED_AT_COORDINATOR,
        ITEM_CLOSED_AT_WORKER,
        ITEM_DATA_TO_COORDINATOR, /* a transfer */
        ITEM_DATA_TO_WORKER,
        ITEM_COMPUTED,
        ITEM_UPDATED,
        ITEM_CHECKPOINTED,
        ITEM_SCORED,
        ITEM_REWIND,  /* one thing of a way back is done */
        ITEM_ARRIVED, /* a partial, at the coordinator */
        ITEM_FAULT,
        ITEM_START_COORDINATOR,
        ITEM_START_WORKER
    } kind;
    uint64_t life; /* of the process it is for; another one does not get it */
    uint32_t link; /* connection */
    struct message message;
    void *arrays[3]; /* of the message; owned */
    uint64_t value, version, partial;
    uint32_t slice;
    enum lease_kind lease;
    bool damaged;
    int err;
    double loss, seconds;
};

struct transfer_value {
    uint64_t value, version;
    bool damaged;
    uint32_t peer; /* it came from, at the coordinator */
};

struct posted {
    uint64_t partial; /* or version */
};

/* A connection with its data lane; the peer number at the coordinator is its index + 1.
 */
struct link {
    struct process *worker;
    bool open_here, open_there; /* at the coordinator, at the worker */
    uint64_t last_us[4]; /* the newest delivery to coordinator, worker; data, too */
    uint64_t cut_us[2];  /* nothing arrives before, at coordinator, at worker */
    uint64_t heard_us;   /* the newest message that the coordinator took */
    bool broken;         /* its data lane carries nothing any more */
    struct transfer_value data[2]
                              [64]; /* arrived and not posted: to coordinator, worker */
    uint32_t data_n[2];
    struct posted posted[2][64]; /* posted and not arrived */
    uint32_t posted_n[2];
    uint32_t to_receive; /* number of the next transfer to the coordinator */
};

/* A worker's process; processes are not used again. */
struct process {
    uint64_t life; /* its incarnation */
    bool alive;
    struct worker core;
    struct worker_actions actions;
    uint32_t link, slot;
    uint64_t paused_us; /* until then */
    double slowness;
    uint64_t thread_us[SIM_THREADS]; /* when each thread is free */
    uint64_t theta, theta_version;
    struct worker_action waiting[2 * SIM_THREADS]; /* slices for parameters to come */
    size_t waiting_n;
    uint64_t step;       /* of the newest lease to train with or to audit */
    uint64_t *gradient;  /* [V], of computed slices */
    bool *computed;      /* [V] */
    uint32_t wrong, nan; /* so many of its next slices will be */
    bool lied;           /* one was wrong */
    bool vanished;
    bool damage; /* its next partial arrives damaged */
    bool wild;   /* and is announced as much too long */
};

struct part { /* of the step's sum */
    struct tree_node node;
    uint64_t value;
    uint32_t peer;
};

struct record { /* of a step, by its data */
    bool known; /* it was committed */
    bool lied;  /* somebody's gradient for it was wrong */
};

struct saved { /* a checkpoint */
    bool known;
    uint64_t theta;
    struct coordinator_from from;
};

/* The undisturbed run, by the number of turns it has taken. */
struct reference {
    struct turns turns;
    uint64_t *theta[TURNS_MAX]; /* [turns.n + 1][steps + 1] parameters; the same before a
                                   turn */
    uint64_t end;               /* the version it ends with: the last, or earlier, */
    bool diverges;              /* or that which diverges, all turns taken */
};

enum { SIM_TREND_FAST = 2, SIM_TREND_SLOW = 12 };

struct sim {
    struct sim_options o;
    struct sim_result *result;
    uint64_t random, now_us, order;
    struct item *heap; /* by time, then order */
    size_t items, item_room;
    bool healed, done;
    char wrong[512];

    struct link *link;
    uint32_t links, link_room;
    struct process **process;
    size_t processes, process_room;

    /* the coordinator's process */
    bool up;
    uint64_t life, term;
    struct coordinator core;
    struct actions actions;
    uint32_t way; /* turns that were known before the event at hand */
    uint64_t theta, version, committed; /* committed: version in the journal */
    bool
        *translated; /* [eval_slices], since the last score; and the sum of their words */
    double words;
    uint32_t *second; /* [slices]: the peer to which it was leased as a copy; 0: none */
    struct part *part;
    size_t parts;
    struct transfer_value *arrived; /* [partial]: values of those not added or dropped */
    size_t arrived_room;
    bool fail_checkpoint, saving;
    uint64_t booted_version; /* with which this life began */
    struct saved saving_as;
    /* what lasts */
    struct saved *disk;    /* [steps + 1] by version; 0: the beginning, always */
    uint64_t disk_version; /* the newest of them */
    struct turns turns;    /* of the journal */
    bool rewinding;        /* a life ended while it was on its way back */
    unsigned given_up;     /* checkpoints that failed since the newest */
    struct record *record; /* [record_room] */
    size_t record_room;
    uint64_t alone_version; /* being made when fewer than two workers were there */
    struct reference reference;

    bool member[SIM_PROCESSES];    /* by worker number */
    struct item ghost[SIM_GHOSTS]; /* messages of former lives, with their link */
    uint32_t ghosts;
};

uint64_t sim_random(struct sim *s);
uint64_t sim_below(struct sim *s, uint64_t n);
/* @mean, more or less */
uint64_t sim_about(struct sim *s, uint64_t mean);
void sim_trace(struct sim *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_wrong(struct sim *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_sometimes(struct sim *s, enum sim_sometimes what);

/* A zeroed item for @after_us from now; borrowed until the next. */
struct item *sim_add(struct sim *s, int kind, uint64_t after_us);
/* A message, with copies of its arrays, or a transfer: in order, delayed. */
void sim_send(struct sim *s, uint32_t link, bool to_worker, const struct message *m);
void sim_transfer(struct sim *s, uint32_t link, bool to_worker, struct transfer_value v);
/* One end closes; the other learns it. */
void sim_close(struct sim *s, uint32_t link, bool by_worker);

/* The toy. */
uint64_t toy_gradient(uint64_t theta, uint64_t step, uint32_t slice);
uint64_t toy_update(uint64_t theta, uint64_t sum);
double toy_loss(uint64_t theta, uint64_t step, uint32_t slice);
uint32_t sim_slices(const struct sim *s, uint64_t data); /* of the step with these data */
double toy_step_loss(const struct sim *s, uint64_t theta, uint64_t step);
double toy_norm(uint64_t theta, uint64_t step);
double toy_held_out(uint64_t theta, uint32_t slice);
double toy_held_out_loss(const struct sim *s, uint64_t theta);
uint32_t toy_word(uint64_t theta, uint32_t slice); /* that it is translated into */
double toy_bleu(const struct sim *s, uint64_t theta);
uint64_t toy_start(const struct sim *s);

void reference_make(struct sim *s);
void reference_free(struct sim *s);
/* Parameters of @version after @turns. */
uint64_t reference_theta(const struct sim *s, uint32_t turns, uint64_t version);
uint64_t sim_mix(uint64_t x);

void coordinator_boot(struct sim *s);
void coordinator_down(struct sim *s); /* dies: nobody is told but by its connections */
void coordinator_event(struct sim *s, struct event ev);
void coordinator_item(struct sim *s, const struct item *i);
void coordinator_check(struct sim *s);

struct process *process_boot(struct sim *s, uint32_t slot, uint32_t rank);
void process_down(struct sim *s, struct process *p);
void process_parameters(struct sim *s, struct process *p, struct transfer_value v);
void process_event(struct sim *s, struct process *p, struct worker_event ev,
                   const struct message *m);
void process_item(struct sim *s, const struct item *i);
void process_free(struct process *p);
/* What is posted and what has come meet. */
void link_match(struct sim *s, uint32_t link, bool to_worker);

#endif
