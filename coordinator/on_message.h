/* on_message.h - inside the coordinator core: what happens on each message, and the moves
 * of the step machine that they cause (coordinator.c).  Not for users of the core. */
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

/* Appends an action of @kind, all other fields zero; borrowed until the next. */
struct action *act(struct actions *out, enum action_kind kind);

void coordinator_begin(struct coordinator *c, struct actions *out);
void coordinator_step_complete(struct coordinator *c, struct actions *out);
void coordinator_evaluation_complete(struct coordinator *c, struct actions *out);
void coordinator_lease_held_out(struct coordinator *c, uint32_t worker,
                                struct actions *out);
void coordinator_lose(struct coordinator *c, uint32_t worker, int err,
                      struct actions *out);
/* Save what is reached and finish; the first reason counts. */
void coordinator_end(struct coordinator *c, int err, const char *reason,
                     struct actions *out);

#endif
