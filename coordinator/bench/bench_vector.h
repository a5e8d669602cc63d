/* bench_vector.h - what is done to whole vectors of a model's size in a step, besides
 * slices: by the coordinator and by a worker, which share it with a crew (base/crew.h);
 * also by one thread.  Rows of BENCH_VECTOR; their bytes are those that are read and
 * written, the share is that of bench_ceiling_bytes(): more than all of it where the
 * vectors fit into the caches.
 */
#ifndef COORDINATOR_BENCH_VECTOR_H
#define COORDINATOR_BENCH_VECTOR_H

#include "coordinator/bench/bench_model.h"
#include "flat/wire.h"

struct bench_vector { /* s, of a whole vector of floats, by all threads */
    double add;       /* of two partials (flat/treesum.h) */
    double norm;      /* of a gradient */
    double update;    /* store_update(): norm, clipping, optimizer, average */
    double checksum;
    double pack[WIRES], unpack[WIRES]; /* for the wire; nothing to do for float32 */
};

struct bench_vector bench_vector(struct bench *b, const struct bench_model *m);

#endif
