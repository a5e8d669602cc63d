/* ledger.h - who holds and who has done which slice.
 *
 * The ledger covers one unit of work at a time: the V slices of an attempt at a step, or
 * the slices of the held-out text.  Always true:
 *   1. a slice is done, held by one or two workers, or free;
 *   2. results enter once: a slice that is done stays done, and a node of the tree is
 *      counted or its parts are, never both;
 *   3. loss, target counts and noise of a step are added along the tree, so they do not depend
 *      on who held what;
 *   4. a holder has announced its result or not; only what is not announced can be
 *      released.
 * Pure state: no clock, no I/O.
 */
#ifndef COORDINATOR_LEDGER_H
#define COORDINATOR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"

enum { LEDGER_COPIES = 2 };

struct ledger_slice {
    uint32_t holder[LEDGER_COPIES]; /* worker numbers; 0: nobody */
    bool announced[LEDGER_COPIES];
    bool done;
    bool doubted; /* a result for it was not believed: the next one is */
};

struct ledger_sum {
    double loss;
    uint64_t targets;
    double noise; /* of a step that is examined: squares / targets^2 of its slices */
};

struct ledger {
    /* read-only */
    uint32_t slices, slices_done;
    struct ledger_slice *slice; /* [slices] */
    /* private */
    uint32_t room;
    struct ledger_sum *sum; /* [2 room] by tree_slot(), or by slice for held-out work */
    bool *known;            /* [2 room] */
};

/* A zeroed ledger is empty. */
void ledger_fini(struct ledger *l);

/* Start a unit of work: all @slices are free. */
void ledger_begin(struct ledger *l, uint32_t slices);

/* @worker now holds these slices, alone or as the second; none is done or its already. */
void ledger_grant(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end);
/* What of them it holds and has not announced is not its any more: how many were. */
uint32_t ledger_release(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end);
/* It is gone: nothing is its any more. */
void ledger_forget(struct ledger *l, uint32_t worker);
/* It announced a result for them that is not to be used: not its any more. */
void ledger_doubt(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end);
/* Its result for all of them is on its way.  False, and nothing changes, unless it holds
 * each and has announced none. */
bool ledger_announce(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end);

bool ledger_holds(const struct ledger *l, uint32_t worker, uint32_t v);
/* Holds it and has not announced it. */
bool ledger_owes(const struct ledger *l, uint32_t worker, uint32_t v);

/* Neither done nor held by anybody */
bool ledger_free(const struct ledger *l, uint32_t v);
/* The first run of slices that nobody holds; false when there is none. */
bool ledger_free_run(const struct ledger *l, uint32_t *first, uint32_t *end);
/* The last run of slices that @worker owes and nobody else holds. */
bool ledger_owed_run(const struct ledger *l, uint32_t worker, uint32_t *first,
                     uint32_t *end);

/* Are all slices of [first, end) done? */
bool ledger_done(const struct ledger *l, uint32_t first, uint32_t end);
/* The value of a node that is not done; what was counted of its parts is forgotten. */
void ledger_finish_node(struct ledger *l, struct tree_node node, struct ledger_sum value);
/* The value of a held-out slice that is not done. */
void ledger_finish_slice(struct ledger *l, uint32_t v, struct ledger_sum value);

static inline bool ledger_complete(const struct ledger *l)
{
    return l->slices_done == l->slices;
}

/* When complete: along the tree, or in the order of the slices. */
struct ledger_sum ledger_tree_sum(const struct ledger *l);
struct ledger_sum ledger_slice_sum(const struct ledger *l);

#endif
