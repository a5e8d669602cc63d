/* statistics.h - what a step is examined for, now and then (table: statistics.def), as
 * numbers and as a line of log.jsonl.
 *
 *      {"time":..., "event":"statistics", "step":50, "slice":2, "accuracy":0.31,
 *       "noise":{"slice":..., ...},
 *       "tensors":[{"name":"embedding.token.weight", "weight":..., ...}, ...],
 *       "blocks":[{"stack":"decoder", "block":0, "stream":..., ...}, ...]}
 *
 * "step" is that of the "step" event whose update it belongs to.  Blocks are the
 * encoder's, then the decoder's.  Numbers have six digits; what there is none of is left
 * out.
 *
 * The noise scale is the simple one of McCandlish, Kaplan, Amodei 2018 (arXiv:1812.06162,
 * appendix A.1): mean gradients of t target tokens are as long as |G|^2 + variance / t,
 * so two sizes tell both.  The small ones are the V slices of a step of T tokens:
 *
 *      slice = |G|^2 + variance * mean(1/t)        step = |G|^2 + variance / T
 *
 * Single values scatter; average signal and variance over steps, then divide.
 */
#ifndef METRICS_STATISTICS_H
#define METRICS_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/metrics.h"

struct tensor_statistics {
#define TENSOR(field, ...) double field;
#include "metrics/statistics.def"
};

struct block_statistics {
#define BLOCK(field, ...) double field;
#include "metrics/statistics.def"
};

struct noise_statistics {
#define NOISE(field, ...) double field;
#include "metrics/statistics.def"
};

/* Numbers of a block: an array of blocks is one of doubles. */
enum { BLOCK_STATISTICS = sizeof(struct block_statistics) / sizeof(double) };

void tensor_statistics_unknown(struct tensor_statistics *s); /* all NAN */
void block_statistics_unknown(struct block_statistics *s);
void noise_statistics_unknown(struct noise_statistics *s);

/* Of a step of @tokens targets in @slices slices: @squares the sum over the slices of the
 * square of the length of their mean gradient, @inverse the sum of 1 / their targets,
 * @norm the length of the step's mean gradient.  Unknown for a single slice. */
struct noise_statistics noise_of(double squares, double inverse, uint32_t slices,
                                 double norm, double tokens);

struct statistics {
    uint32_t slice;  /* number of the slice of which the blocks are */
    double accuracy; /* share of its targets that the largest logit is of; NAN: unknown */
    struct noise_statistics noise;
    size_t tensors;
    const char *const *name;                /* [tensors] */
    const struct tensor_statistics *tensor; /* [tensors] */
    size_t encoder, decoder;                /* blocks; 0: unknown */
    const struct block_statistics *block;   /* [encoder + decoder] */
};

void jsonl_statistics(struct jsonl *j, uint64_t step, const struct statistics *s);

#endif
