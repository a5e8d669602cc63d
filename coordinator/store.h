/* store.h - the parameters and the optimizer's moments: flat vectors of one layout, and
 * the update of a step.
 *
 *      norm = |gradient| / targets                     over the whole vector, in double
 *      g    = gradient / targets * min(1, clip / norm)
 *      (theta, moments) <- optimizer(theta, moments, g, rate)
 *
 * An update whose norm is not finite changes nothing.
 *
 * The owner calls; store_update() may run on another thread while nobody else touches the
 * store.
 */
#ifndef COORDINATOR_STORE_H
#define COORDINATOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "flat/range.h"
#include "nn/transformer.h"
#include "optim/optimizer.h"

struct store_run { /* elements with or without weight decay */
    struct range at;
    bool decay;
};

struct store {
    /* read-only */
    size_t count;
    float *theta;                         /* [count] */
    float *moment[OPTIMIZER_MOMENTS_MAX]; /* [count] each; NULL where the optimizer has
                                             none */
    uint64_t version;                     /* updates made */
    struct optimizer optimizer;
    /* private */
    double max_norm;
    struct store_run *run; /* [runs], covering the vector */
    size_t runs;
    double *block_sums;
};

struct store_update {
    double rate;
    uint64_t targets;
    double norm, clip; /* results; clip is the factor min(1, max / norm) */
};

/* Zero parameters and moments, version 0. */
void store_init(struct store *s, const struct transformer *t, const struct conf_optim *o);
void store_fini(struct store *s);

/* @gradient [count]: the sum over the step's target tokens. */
void store_update(struct store *s, const float *gradient, struct store_update *u);

size_t store_bytes(const struct transformer *t, const struct conf_optim *o);

#endif
