/* audit.h - what several workers say of one slice: two copies of a slice must be equal,
 * and when they are not, one machine computes wrongly.
 *
 * Of each step a share P of the slices is chosen, drawn from (seed, step, slice); each is
 * computed by a second worker, of whom only the hash of the gradient is wanted.  Copies
 * that exist for another reason are compared, too.  When two differ a third worker
 * decides; with two workers only, both are asked again, and who contradicts himself is
 * the one.  Of a newcomer and one who is trusted only the latter is asked again.
 *
 * Pure state: no clock, no I/O.
 */
#ifndef COORDINATOR_AUDIT_H
#define COORDINATOR_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/ledger.h"

enum { AUDIT_OPINIONS = 4 };

enum audit_verdict {
    AUDIT_OPEN,     /* more opinions are needed, or none is in question */
    AUDIT_CONVICTS, /* *liar computed it wrongly */
    AUDIT_UNDECIDED /* two workers, each of whom insists */
};

struct audit_slice {
    bool chosen, settled;
    uint32_t opinions;
    struct {
        uint32_t worker;
        uint64_t hash;
    } opinion[AUDIT_OPINIONS];
    uint32_t leased;   /* the worker that is asked; 0: nobody */
    uint32_t newcomer; /* the one that may speak of it; 0: none */
};

struct audit { /* zeroed: nothing is audited */
    /* private */
    uint32_t slices, room, open; /* open: chosen and not settled */
    struct audit_slice *slice;
};

void audit_fini(struct audit *a);

/* A new attempt at a step: @share of the @slices is chosen. */
void audit_begin(struct audit *a, uint32_t slices, double share, uint64_t seed,
                 uint64_t step);

/* One more, also when it is settled; false when it has all the opinions it can have. */
bool audit_choose(struct audit *a, uint32_t v);

/* @worker says that the gradient of slice @v has this hash. */
enum audit_verdict audit_opinion(struct audit *a, uint32_t worker, uint32_t v,
                                 uint64_t hash, uint32_t *liar);

/* The next slices [first, end) that @worker, one of @trusted, is to compute again, few
 * enough that all have some; they are then leased to it.  Not those of which their holder
 * will say something when it is done. */
bool audit_lease(struct audit *a, const struct ledger *l, uint32_t worker, size_t trusted,
                 uint32_t *first, uint32_t *end);
/* Slice @v, at once; false when @worker has nothing to say of it. */
bool audit_ask(struct audit *a, const struct ledger *l, uint32_t worker, size_t trusted,
               uint32_t v);
/* A slice *v for a newcomer, leased to it; false when there is none in this step.  No two
 * newcomers have one together: they never vouch for each other. */
bool audit_try(struct audit *a, uint32_t worker, uint32_t *v);
bool audit_leased(const struct audit *a, uint32_t worker, uint32_t v);
/* @worker will not answer for slice @v any more, or for none (audit_forget). */
void audit_release(struct audit *a, uint32_t worker, uint32_t v);
void audit_forget(struct audit *a, uint32_t worker);

/* Of the slice that newcomer @worker was given somebody trusted has said the same. */
bool audit_vouches(const struct audit *a, uint32_t worker);
/* @worker is a newcomer no longer. */
void audit_accept(struct audit *a, uint32_t worker);

/* Nothing is in question any more; one worker alone cannot be checked. */
bool audit_complete(const struct audit *a, size_t members);

#endif
