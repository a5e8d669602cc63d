/* answer.h - inside the worker core: what becomes of slices that are computed or given
 * back.  Not for users of the core. */
#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

#include "worker/worker.h"

/* worker.c: appends an action, all other fields zero; begins a message; takes slices out
 * of the queue. */
struct worker_action *work_act(struct worker_actions *out, enum worker_action_kind kind);
struct message work_say(const struct worker *w, enum message_kind kind);
void work_unqueue(struct worker *w, enum lease_kind lease, uint32_t first, uint32_t end,
                  struct worker_actions *out);

/* A slice of a step was computed: nodes that are whole are pushed. */
void answer_slice(struct worker *w, const struct worker_event *ev,
                  struct worker_actions *out);
/* A held-out or audited slice was computed: runs that are whole are reported. */
void answer_run(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out);
/* Slices [first, end) are wanted back; @unwanted: what is computed of them, too. */
void answer_revoked_slices(struct worker *w, uint32_t first, uint32_t end, bool unwanted,
                           struct worker_actions *out);
void answer_revoked_runs(struct worker *w, enum lease_kind lease, uint32_t first,
                         uint32_t end, struct worker_actions *out);
void answer_released(struct worker *w, enum lease_kind lease, uint32_t first,
                     uint32_t count, struct worker_actions *out);

void run_add(struct worker *w, enum lease_kind lease, uint32_t first, uint32_t count);
struct worker_run *run_find(const struct worker *w, enum lease_kind lease, uint32_t v);
void run_fini(struct worker_run *r);

#endif
