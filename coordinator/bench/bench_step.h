/* bench_step.h - the time of a step with one worker, predicted from its parts, and what
 * limits it.
 *
 *      compute      the most slices that one thread has * time of a slice
 *                   + gradients added along the tree
 *      pull         parameters: checksum, link, checksum
 *      push         partial: squares, packed, checksum, link, checksum, unpacked
 *      coordinator  norm, clipping, optimizer
 *
 * One after the other: exact clipping wants the last partial before the first update.  A
 * worker begins with the first layers while the others still arrive, so of the pull this
 * is the most that it may take.  Pure functions.
 */
#ifndef COORDINATOR_BENCH_STEP_H
#define COORDINATOR_BENCH_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flat/wire.h"

struct bench_costs {
    uint32_t slices;
    unsigned threads;
    double alone, together; /* s of a slice: by one thread; when all compute */
    double products;        /* of alone, s */
    /* s of a whole vector, by all threads */
    double add, norm, update, checksum, pack, unpack;
    double parameters, partial; /* bytes on the wire */
    double link;                /* bytes/s */
    enum wire wire;
    bool compute_bfloat16;
    double flops_share;     /* of products: of the multiply-adds in registers */
    double bfloat16_faster; /* times as fast as in float32 */
};

struct bench_step { /* s */
    double compute, pull, push, coordinator;
};

struct bench_step bench_step_of(const struct bench_costs *c);
double bench_step_sum(const struct bench_step *s);

/* One or two sentences: what limits, and what to change. */
enum { BENCH_VERDICT = 500 };
void bench_step_verdict(const struct bench_costs *c, char text[BENCH_VERDICT]);

#endif
