/* bench_model.h - the model of a configuration and one slice of a step, for `lockstep
 * bench`: products of its shapes, forward and backward, and parts of these by themselves.
 *
 * The slice has as many sequences as training's largest: the context's length each; with
 * an encoder as many as fill its share of train.batch_tokens, all of the mean length.
 * Its tokens are drawn.
 */
#ifndef COORDINATOR_BENCH_MODEL_H
#define COORDINATOR_BENCH_MODEL_H

#include "conf/conf.h"
#include "coordinator/bench/bench_repeat.h"
#include "nn/transformer.h"

struct bench_model {
    /* read-only */
    const struct conf *conf; /* borrowed */
    struct transformer t;
    size_t rows; /* of the slice */
    struct slice slice;
    real *theta; /* [t.count], as a new run draws them */
    /* private: the slice's */
    uint32_t *lengths, *tokens, *source;
    uint64_t *samples;
};

/* @vocab: of data.dir when that is set, where this is 0; @length: of the sequences, with
 * an encoder.  Logs; ERR_*. */
int bench_model_init(struct bench_model *m, const struct conf *conf, uint32_t vocab);
void bench_model_fini(struct bench_model *m);

/* Rows of BENCH_PRODUCTS: forward, dgrad and wgrad of each kind of linear layer and of
 * the head, in both precisions; the share is that of bench_ceiling_flops(). */
struct bench_products {
    double seconds, flops; /* of one slice, in the precision of the model */
    double faster;         /* times as long in float32 as in bfloat16 */
};
struct bench_products bench_products(struct bench *b, const struct bench_model *m);

/* Rows of BENCH_SLICE: forward, forward and backward, by one and by all threads; and the
 * parts of it.  @products: seconds. */
struct bench_slice {
    double alone,
        together; /* s: of one thread, and of each of all that compute at once */
};
struct bench_slice bench_slice(struct bench *b, const struct bench_model *m,
                               double products);

/* Rows of BENCH_SLICE: parts that are not products, measured by themselves, and what is
 * left of the @whole without them and the @products, s. */
void bench_parts(struct bench *b, const struct bench_model *m, double whole,
                 double products);

#endif
