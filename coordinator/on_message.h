/* on_message.h - inside the coordinator core: what its files call of each other.  Not for
 * users of the core.
 *
 *      coordinator.c   phases, checkpoints, the end
 *      decide.c        what becomes of a step that is complete
 *      rewind.c        a loss that diverges, and the way back
 *      share.c         who computes what
 *      on_message.c    messages, in on_join.c and on_result.c by kind
 */
#ifndef COORDINATOR_ON_MESSAGE_H
#define COORDINATOR_ON_MESSAGE_H

#include "coordinator/coordinator.h"

int on_message(struct coordinator *c, const struct event *ev, struct actions *out);
int on_join(struct coordinator *c, const struct event *ev, struct actions *out);
int on_partial(struct coordinator *c, struct member *from, const struct event *ev,
               struct actions *out);
int on_received(struct coordinator *c, const struct event *ev, struct actions *out);
int on_evaluated(struct coordinator *c, struct member *from, const struct event *ev,
                 struct actions *out);
int on_audited(struct coordinator *c, struct member *from, const struct event *ev,
               struct actions *out);
int on_released(struct coordinator *c, struct member *from, const struct event *ev,
                struct actions *out);

/* Appends an action of @kind, all other fields zero; borrowed until the next. */
struct action *act(struct actions *out, enum action_kind kind);

/* --- share.c */

/* A unit of work begins: everybody who can gets a piece; or ends: who still holds
 * something owes an answer. */
void share_begin(struct coordinator *c, struct actions *out);
void share_end(struct coordinator *c, struct actions *out);
/* @m may have become idle: the next piece of work for it. */
void share_feed(struct coordinator *c, struct member *m, struct actions *out);
/* Slices became free, or time has passed: for everybody who is idle. */
void share_feed_all(struct coordinator *c, struct actions *out);
/* What a lost worker held goes to others at once, idle or not. */
void share_spread(struct coordinator *c, struct actions *out);
/* Another worker than @not computes these, if there is one. */
void share_again(struct coordinator *c, uint32_t not, uint32_t first, uint32_t end,
                 struct actions *out);
/* A newcomer has said what it makes of slice @v: somebody trusted computes it, too. */
void share_second_opinion(struct coordinator *c, uint32_t v, struct actions *out);
/* Newcomers with whom somebody trusted agrees are newcomers no longer; are there any? */
bool share_trust(struct coordinator *c);
/* Slices have lost a holder: what is late may need a copy again. */
void share_uncover(struct coordinator *c);
/* These are done: nobody else needs to compute them. */
void share_revoke_others(struct coordinator *c, uint32_t worker, uint32_t first,
                         uint32_t end, struct actions *out);

/* --- coordinator.c */

/* All that can join have joined. */
void coordinator_begin(struct coordinator *c, struct actions *out);
/* The unit of work may be complete. */
void coordinator_check_complete(struct coordinator *c, struct actions *out);
/* The step at hand begins again, without anything that was computed for it. */
void coordinator_restart_step(struct coordinator *c, struct actions *out);
void coordinator_lose(struct coordinator *c, uint32_t worker, int err,
                      struct actions *out);
/* Save what is reached and finish; the first reason counts. */
void coordinator_end(struct coordinator *c, int err, const char *reason,
                     struct actions *out);

/* Between two steps: what is due, then the next one or the end. */
void coordinator_go_on(struct coordinator *c, struct actions *out);
void coordinator_go_on_from(struct coordinator *c, const struct coordinator_from *from);
/* The version at hand was loaded: what is left to be decided of it, then likewise. */
void coordinator_take_up(struct coordinator *c, struct actions *out);
/* A step is decided: what is due after it, or the end. */
void coordinator_after_commit(struct coordinator *c, struct actions *out);

/* --- decide.c */

/* All partials of the step are here. */
void decide_step(struct coordinator *c, struct actions *out);
void on_updated(struct coordinator *c, const struct event *ev, struct actions *out);

/* --- rewind.c */

/* True: the loss diverges, and the run goes back or ends. */
bool rewind_diverged(struct coordinator *c, struct actions *out);
/* Back, past the data of all steps before @next; false: it may not. */
bool rewind_begin(struct coordinator *c, uint64_t next, const char *reason,
                  struct actions *out);
/* No checkpoint is being written. */
void rewind_go(struct coordinator *c, struct actions *out);
void on_rewound(struct coordinator *c, const struct event *ev, struct actions *out);

static inline bool coordinator_at_work(const struct coordinator *c)
{
    return c->phase == PHASE_STEP || c->phase == PHASE_EVALUATE;
}

#endif
