/* plan.h - how a step and the held-out text are cut into slices: functions of the
 * configuration alone, the same for everybody.
 *
 * Slice v of a step has the samples [v * B / V, (v + 1) * B / V) of its B sequences.  The
 * held-out text is cut into windows of the context's length; a held-out slice has as many
 * as fill the largest training slice, or PLAN_HELD_OUT_ROWS rows if that is more; the
 * last, shorter window is a slice of its own.
 *
 * A model with an encoder learns from pairs, of which batches.h makes slices of about as
 * many tokens each; here is only how many rows they have at most.  Merges left out make
 * more tokens of them (augment.h): of each about 1 + 3 p, measured on Multi30k for p from
 * 0.1 to 0.5 (BPE of 2,000 to 10,000 tokens), for which there are 1 + 4 p times the rows.
 */
#ifndef DATA_PLAN_H
#define DATA_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ramp.h"
#include "conf/conf.h"

enum { PLAN_HELD_OUT_ROWS = 512 };

struct plan {
    uint32_t batch, slices, context; /* B sequences, V, T */
    struct ramp ramp;                /* of the slices */
    bool pairs;
    uint64_t batch_tokens; /* of a step of pairs */
    double merges_dropped; /* share of them, of the side of pairs that loses more */
};

struct plan plan_of(const struct conf *conf);

struct plan_piece {
    uint64_t first; /* sample of the step, or window of the held-out text */
    uint32_t sequences;
};

/* Of a whole step. */
struct plan_piece plan_slice(struct plan p, uint32_t v);

/* Slice @v of step @step, of a run that grows up to whole steps, is slice @v of whole step
 * @step: one slice follows the other (base/ramp.h). */
struct plan_place {
    uint64_t step;
    uint32_t v;
};
struct plan_place plan_place(struct plan p, uint64_t step, uint32_t v);
/* Of the largest slice of either kind, may be beyond 32 bits.  Pairs: of sources and of
 * targets each, as batches_init() and its limit for held-out slices keep to. */
uint64_t plan_rows(struct plan p);

uint32_t plan_held_out_slices(struct plan p, uint64_t windows, uint32_t last_length);
struct plan_piece plan_held_out(struct plan p, uint64_t windows, uint32_t last_length,
                                uint32_t v);

#endif
