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
    uint64_t heard_ms;
    uint64_t version; /* of the parameters it was sent last; UINT64_MAX: none */
    double speed;     /* slices per second, 0: not measured yet */
};

struct members {
    size_t n;            /* read-only */
    struct member *list; /* read-only; ordered by worker number */
    size_t room;         /* private */
};

void members_fini(struct members *m);
/* @worker must be new.  Borrowed until the next add or remove. */
struct member *members_add(struct members *m, uint32_t peer, uint32_t worker);
void members_remove(struct members *m, uint32_t worker);
struct member *members_by_peer(struct members *m, uint32_t peer);
struct member *members_by_worker(struct members *m, uint32_t worker);
uint32_t members_unused_number(const struct members *m);

/* One more measurement: @slices in @seconds; an exponential average over about 8. */
void members_measure(struct member *one, uint32_t slices, double seconds);

/* Cut @slices into one contiguous piece per member in proportion to their speeds; speeds
 * within a quarter of each other count as equal, so that noise does not move the cuts.
 * cut [n + 1], from 0 to @slices; pieces may be empty. */
void members_cut(const struct members *m, uint32_t slices, uint32_t *cut);

#endif
