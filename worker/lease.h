/* lease.h - the slices a worker holds: their tokens, copied and checked, as jobs for the
 * compute threads.  Loop thread only. */
#ifndef WORKER_LEASE_H
#define WORKER_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "net/message.h"
#include "nn/transformer.h"
#include "worker/compute.h"

struct kept_slice;

struct kept_slices {
    struct kept_slice **list; /* private; each at one address: the threads know it */
    size_t n, room;
};

void kept_slices_fini(struct kept_slices *k);

/* Copy the slices of the lease @m.  ERR_MALFORMED, logged with the value, when one does
 * not fit the model or the plan: tokens beyond the vocabulary, sequences beyond the
 * context, rows beyond the workspace; then nothing is kept. */
int kept_slices_add(struct kept_slices *k, const struct message *m,
                    const struct transformer *t, const struct conf *conf);
/* The slice must be there; the job is borrowed until it is dropped. */
struct compute_job *kept_slices_job(const struct kept_slices *k, enum lease_kind lease,
                                    uint32_t number);
void kept_slices_drop(struct kept_slices *k, enum lease_kind lease, uint32_t number);

#endif
