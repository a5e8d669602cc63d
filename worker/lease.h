/* lease.h - the leases a worker holds: their tokens, copied and checked, as jobs for the
 * compute threads.  Loop thread only. */
#ifndef WORKER_LEASE_H
#define WORKER_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "net/message.h"
#include "nn/transformer.h"
#include "worker/compute.h"

struct kept_lease;

struct kept_leases {
    struct kept_lease *list; /* private */
    size_t n, room;
};

void kept_leases_fini(struct kept_leases *k);

/* Copy the lease of @m.  ERR_MALFORMED, logged with the value, when it does not fit the
 * model or the plan: tokens beyond the vocabulary, sequences beyond the context, rows
 * beyond the workspace, slices that are not the node's. */
int kept_leases_add(struct kept_leases *k, const struct message *m,
                    const struct transformer *t, const struct conf *conf);
/* The lease must be there; the job is borrowed until it is dropped. */
struct compute_job *kept_leases_job(const struct kept_leases *k, uint64_t lease);
void kept_leases_drop(struct kept_leases *k, uint64_t lease);

#endif
