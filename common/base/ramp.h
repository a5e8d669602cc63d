/* ramp.h - how many of the V slices a step has: a batch that grows.
 *
 * Step s of a ramp of n steps from m slices has
 *
 *      V(s) = m + floor((V - m) s / n)     for s < n,     V after it,
 *
 * of the size that slices always have.  So the data of a run are its slices, one after
 * the other, and step s begins behind the V(0) + ... + V(s - 1) of the steps before it.
 * The tree over V(s) slices adds in the order of that over V: a subtree whose slices are
 * all below V(s) is the same in both (base/tree.h).
 *
 * Ramps: Smith et al. 2018, arXiv:1711.00489; Brown et al. 2020, arXiv:2005.14165, which
 * grows the batch over the first 4 to 12 billion tokens.
 */
#ifndef BASE_RAMP_H
#define BASE_RAMP_H

#include <stdint.h>

enum { RAMP_STEPS_MAX = 1000000000 };

struct ramp {
    uint64_t steps; /* n, up to RAMP_STEPS_MAX; 0: no ramp */
    uint32_t from;  /* m, 1 to V */
};

uint32_t ramp_slices(struct ramp r, uint32_t V, uint64_t step);

/* Slices of all steps before @step; below 2^63 in any run that ends. */
uint64_t ramp_before(struct ramp r, uint32_t V, uint64_t step);

/* Steps that have as many slices as @full steps of V: the fewest with as many or more,
 * within the ramp. */
double ramp_steps(struct ramp r, uint32_t V, double full);

#endif
