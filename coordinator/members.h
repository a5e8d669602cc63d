/* members.h - the workers of a run: who they are, when they were last heard, how fast
 * they compute.  Pure state. */
#ifndef COORDINATOR_MEMBERS_H
#define COORDINATOR_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct member {
    uint32_t peer; /* the connection */
    uint32_t
        worker; /* number in this run: 1, 2, ... in the order of ranks or of joining */
    uint64_t incarnation;
    uint32_t threads; /* that compute, at least 1 */
    uint64_t heard_ms;
    uint64_t version; /* of the parameters it was sent last; UINT64_MAX: none */
    uint32_t way;     /* and how often the run had gone back before */
    bool pulling;     /* it has not said yet that they are there */
    bool leaving;     /* it finishes what it holds, and gets nothing more */
    bool fresh;       /* joined a run that goes on: nobody knows its bits yet */
    bool tried;       /* a slice was leased to it to find out */
    /* of the unit of work at hand */
    uint32_t held;   /* slices leased and not announced */
    uint32_t audits; /* slices to be audited and not answered */
    uint32_t leases; /* of an evaluation, not answered */
    bool asked;      /* to give something back; it has not answered */
    uint64_t asked_ms;
    bool dry;     /* it had nothing to give back */
    bool covered; /* what it owes somebody else holds, too */
    /* of earlier ones */
    uint32_t
        owed; /* slices neither announced nor released: nothing new before they are */
    /* speed */
    double speed;      /* slices per second, 0: not measured yet */
    double slack;      /* time from lease to result over what its speed promises */
    uint64_t since_ms; /* it holds something since then */
    uint64_t due_ms;   /* by then all it holds should be announced; UINT64_MAX: unknown */
    uint32_t slow_steps; /* in which it was much slower than the others */
};

struct members {
    size_t n;            /* read-only */
    struct member *list; /* read-only; ordered by worker number */
    double median_speed; /* read-only; slices per second, of the last
                            members_find_median() */
    size_t room;         /* private */
};

void members_fini(struct members *m);
/* @worker must be new.  Borrowed until the next add or remove. */
struct member *members_add(struct members *m, uint32_t peer, uint32_t worker);
void members_remove(struct members *m, uint32_t worker);
struct member *members_by_peer(struct members *m, uint32_t peer);
struct member *members_by_worker(struct members *m, uint32_t worker);

/* One more measurement: @slices in @seconds; an exponential average over about 8. */
void members_measure(struct member *one, uint32_t slices, double seconds);

/* The median of the measured speeds is computed anew; 0 when there is none. */
void members_find_median(struct members *m);

/* Cut @slices into one contiguous piece per member of @chosen [n] in proportion to their
 * speeds; speeds within a quarter of each other count as equal, so that noise does not
 * move the cuts.  cut [n + 1], from 0 to @slices; pieces may be empty. */
void members_cut(struct member *const *chosen, size_t n, uint32_t slices, uint32_t *cut);

#endif
