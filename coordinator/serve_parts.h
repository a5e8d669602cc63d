/* serve_parts.h - inside serve.c and its two halves: what they share.  Not for others.
 *
 *      serve.c          opening, events and actions
 *      serve_peers.c    who is there: welcome, leases, farewell
 *      serve_lane.c     parameters out, partials in, the update between them
 *      serve_rewind.c   back to an earlier version
 *      serve_translate.c  what is held out, translated: the score of it; or a document
 */
#ifndef COORDINATOR_SERVE_PARTS_H
#define COORDINATOR_SERVE_PARTS_H

#include "checkpoint/run_dir.h"
#include "coordinator/background.h"
#include "coordinator/coordinator.h"
#include "coordinator/examine.h"
#include "coordinator/parcels.h"
#include "coordinator/peers.h"
#include "coordinator/recorder.h"
#include "coordinator/resume.h"
#include "coordinator/saver.h"
#include "coordinator/scorer.h"
#include "coordinator/serve.h"
#include "coordinator/store.h"
#include "coordinator/supply.h"

enum { GOODBYE_MS = 1000, LANES_WAITING = 64 };

struct serve {
    struct serve_options o;
    struct run_dir dir;
    struct supply supply;
    struct vocabulary vocabulary; /* of what is supplied */
    struct transformer model;
    struct crew *crew; /* for what is done to whole vectors */
    struct store store;
    struct examine examine;
    struct resume resume;
    struct recorder *recorder; /* NULL when only evaluating */
    struct scorer *scorer;     /* NULL: BLEU is not asked for */
    double bleu;               /* of the score that is being made; its thread's */
    char *conf_text;
    struct coordinator_conf conf;
    struct coordinator core;
    struct actions actions;

    struct loop *loop;
    struct transport *lane;     /* of this process, or of the MPI world */
    struct transport *tcp_lane; /* of those who joined by TCP */
    struct {
        uint64_t incarnation, since_ms;
        int fd;
    } lane_waiting[LANES_WAITING]; /* connections whose workers have not joined yet */
    size_t lanes_waiting;
    uint8_t token[AUTH_TOKEN];
    bool published; /* address and token are in the run directory */
    struct control_server *server;
    struct parcels *parcels;
    struct saver *saver;
    struct background *updater;
    struct loop_timer *tick;
    struct loop_signal *signals[3];
    struct peers peers;

    struct treesum_buffer *gradient; /* the complete sum of the step */
    struct store_update update;
    struct turns turns; /* for the way back that is under way; its thread's */
    int rewind_err;
    struct action commit; /* the newest: for the doorbell of its parameters */
    bool lost_any, finished, running;
    struct {                        /* of the step that is under way */
        double commit, announced, update; /* monotonic seconds; 0: not yet */
        double received, sent;            /* bytes up to its commit */
    } clock;
    double waiting_since; /* for the disk; 0: training goes on */
    bool said_waiting;
    double waited_s;    /* for the checkpoint that runs, so far */
    double copy_wait_s; /* of the update that runs; its thread's */
};

/* Gives the core an event and does what it says.  Not to be called from an action. */
void serve_feed(struct serve *s, struct event ev);
/* Sends @m to the peer in the words of this term, if it is still there. */
void serve_say(struct serve *s, uint32_t peer, struct message m);

/* One action each. */
void serve_welcome(struct serve *s, const struct action *a);
void serve_refuse(struct serve *s, const struct action *a);
void serve_lease(struct serve *s, const struct action *a);
void serve_revoke(struct serve *s, const struct action *a);
void serve_lost(struct serve *s, const struct action *a);
void serve_slow(struct serve *s, const struct action *a);
void serve_doubt(struct serve *s, const struct action *a);
void serve_stop(struct serve *s, const struct action *a);
void serve_parameters(struct serve *s, const struct action *a);
int serve_receive(struct serve *s, const struct action *a, const struct message *m);
void serve_add(struct serve *s, const struct action *a);
void serve_discard(struct serve *s);
void serve_update(struct serve *s, const struct action *a);
void serve_rewind(struct serve *s, const struct action *a);
void serve_translated(struct serve *s, const struct action *a, const struct message *m);
void serve_score(struct serve *s);

/* ERR_MALFORMED (logged): translations that cannot be of the slice they name. */
int serve_check_translated(const struct serve *s, const struct peer *p,
                           const struct message *m);

/* A worker's data lane is here before its Join; those that wait too long are closed. */
void serve_on_lane(void *ctx, uint64_t incarnation, int fd);
void serve_close_lanes(struct serve *s, uint64_t older_than_ms);
/* @p gets its lane.  ERR_CLOSED: it joined by TCP and there is none. */
int serve_attach_lane(struct serve *s, struct peer *p);

/* Of the parcels: a partial is here. */
void serve_on_arrived(void *ctx, uint64_t partial, int err);

#endif
