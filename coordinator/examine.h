/* examine.h - every so many steps a step is examined: what workers tell of one of its
 * slices and the store of its update comes together as a line of log.jsonl
 * (metrics/statistics.h).
 *
 *      leases say that the step is due, and of which slice the blocks are wanted
 *      examine_receive --> examine_add     a partial that enters the sum brings them
 *                     +--> examine_drop
 *      examine_tensors                     store_update() writes there
 *      examine_step                        all of it, when the step is committed
 *
 * The first step is examined, then those whose commit makes a multiple of `every`; the
 * slice is another one each time.  A slice's statistics are the same whoever computed it,
 * and those of a result that was not believed do not count: the lines, too, do not depend
 * on the workers.
 *
 * Loop thread only, but for what store_update() writes.
 */
#ifndef COORDINATOR_EXAMINE_H
#define COORDINATOR_EXAMINE_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/statistics.h"
#include "net/message.h"
#include "nn/transformer.h"

struct examine_told;

struct examine {                      /* private */
    const struct transformer *model;  /* borrowed */
    uint64_t every;                   /* 0: never */
    const char **name;                /* [tensors] */
    struct tensor_statistics *tensor; /* [tensors] */
    struct block_statistics *block;   /* [E + L] */
    double correct;
    bool known;                /* blocks and correct, of the step at hand */
    struct examine_told *told; /* by partials that are on their way */
};

void examine_init(struct examine *e, const struct transformer *t, uint64_t every);
void examine_fini(struct examine *e);

bool examine_due(const struct examine *e, uint64_t step);
/* The slice of @step whose blocks are wanted. */
uint32_t examine_slice(const struct examine *e, uint64_t step, uint32_t slices);

/* What the Partial @m, number @partial, tells is kept until the word whether it enters
 * the sum.  ERR_MISMATCH, logged: as many numbers as no model of ours has. */
int examine_receive(struct examine *e, uint32_t worker, uint64_t partial,
                    const struct message *m);
void examine_add(struct examine *e, uint64_t partial);
void examine_drop(struct examine *e, uint64_t partial);

/* For store_update(); NULL when @step is not due. */
struct tensor_statistics *examine_tensors(struct examine *e, uint64_t step);

struct examine_targets { /* of a step */
    uint32_t slices;     /* of the step */
    double all, slice;   /* of all slices, and of the one examined */
    double inverse;      /* sum of 1 / those of each slice */
};

/* The step is committed, with the sum of its slices' @noise and the @norm of its
 * gradient: borrowed until the next call. */
struct statistics examine_step(const struct examine *e, uint64_t step, double noise,
                               double norm, struct examine_targets targets);
/* The step is over, or begins again. */
void examine_forget(struct examine *e);

#endif
