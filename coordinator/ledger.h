/* ledger.h - who holds and who has done which slice.
 *
 * The ledger covers one unit of work at a time: the V slices of a step, or the slices of
 * the held-out text.  Always true:
 *   1. a slice is free, in exactly one lease, or done;
 *   2. a lease of a step is a canonical node of the tree, its slices are contiguous;
 *   3. results enter once: a lease is finished at most once, and then its slices are
 * done;
 *   4. loss and target counts of a step are added along the tree, so they do not depend
 *      on who held what.
 * Pure state: no clock, no I/O.
 */
#ifndef COORDINATOR_LEDGER_H
#define COORDINATOR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"

struct lease {
    uint64_t id; /* never 0, never reused in a term */
    uint32_t worker;
    uint32_t first, end;   /* slices */
    struct tree_node node; /* of a step's lease */
    bool arriving;         /* its result was announced and is on its way */
    bool done;
};

struct ledger_sum {
    double loss;
    uint64_t targets;
};

struct ledger {
    /* read-only */
    uint32_t slices, slices_done;
    /* private */
    uint64_t next_id;
    uint32_t room;
    uint32_t *holder;       /* [room] by slice: index + 1 of its lease; 0 free; DONE */
    struct ledger_sum *sum; /* [2 room] by tree_slot(), or by slice for held-out work */
    bool *known;            /* [2 room] */
    struct lease *lease;    /* [leases] */
    size_t leases, lease_room;
};

void ledger_init(struct ledger *l);
void ledger_fini(struct ledger *l);

/* Start a unit of work: all @slices are free; leases of the last one are forgotten. */
void ledger_begin(struct ledger *l, uint32_t slices);

/* The slices must be free.  The lease is borrowed until the next grant. */
struct lease *ledger_grant(struct ledger *l, uint32_t worker, uint32_t first,
                           uint32_t end);
struct lease *ledger_grant_node(struct ledger *l, uint32_t worker, struct tree_node node);

/* The lease of that number if @worker holds it and it is not done; else NULL. */
struct lease *ledger_find(struct ledger *l, uint64_t id, uint32_t worker);

/* The first run of free slices: false when there is none. */
bool ledger_free_run(const struct ledger *l, uint32_t *first, uint32_t *end);

/* The value of a step's lease. */
void ledger_finish_node(struct ledger *l, struct lease *lease, struct ledger_sum value);
/* The values of a held-out lease, one per slice. */
void ledger_finish_slices(struct ledger *l, struct lease *lease, const double *losses,
                          const uint64_t *targets);

static inline bool ledger_complete(const struct ledger *l)
{
    return l->slices_done == l->slices;
}

/* When complete: along the tree, or in the order of the slices. */
struct ledger_sum ledger_tree_sum(const struct ledger *l);
struct ledger_sum ledger_slice_sum(const struct ledger *l);

#endif
