/* store.h - the parameters and the optimizer's moments: flat vectors of one layout, and
 * the update of a step.
 *
 *      norm = |gradient| / targets                     over the whole vector, in double
 *      g    = gradient / targets * min(1, clip / norm)
 *      (theta, moments) <- optimizer(theta, moments, g, rate)
 *
 * With optim.ema also their average (optim/ema.h), ema <- average of ema and theta.
 *
 * On the way it may be examined tensor by tensor; the bits stay the same.
 *
 * An update whose norm is not finite, or above its limit, changes nothing.  While
 * somebody still reads the parameters (a worker that lags behind receives them), the next
 * version is written into another buffer; usually nobody does, and the update is in
 * place.
 *
 * The owner calls; store_update() may run on another thread while nobody else touches the
 * store.  Both it and store_checksums() share their work with store->crew, range by range
 * or block by block: the bits stay the same.
 */
#ifndef COORDINATOR_STORE_H
#define COORDINATOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crew.h"
#include "conf/conf.h"
#include "flat/range.h"
#include "metrics/statistics.h"
#include "nn/transformer.h"
#include "optim/optimizer.h"

struct store_run { /* elements with or without weight decay; frozen ones are in none */
    struct range at;
    bool decay;
};

struct store_buffer { /* parameters of one version */
    float *data;      /* [count] */
    unsigned readers;
};

struct store {
    struct crew *crew; /* public, borrowed; NULL: none */
    /* read-only */
    struct ranges ranges;
    size_t count;
    float *theta;                         /* [count] */
    float *moment[OPTIMIZER_MOMENTS_MAX]; /* [count] each; NULL where the optimizer has
                                             none */
    float *ema;                           /* [count]; NULL: none is kept */
    uint64_t version;                     /* updates made */
    struct optimizer optimizer;
    /* private */
    double max_norm, ema_decay;
    struct store_buffer *buffer; /* [buffers]; theta is in one of them */
    size_t buffers;
    struct store_run *run; /* [runs] */
    bool *frozen;          /* [tensors of the model] */
    size_t runs;
    const struct transformer *model; /* borrowed */
    double *block_sums;
    uint64_t *checksums; /* [ranges.n] of theta, when they are known */
    bool checksums_known;
};

struct store_update {
    double rate;
    double limit; /* of the norm: above it nothing changes; INFINITY: none */
    uint64_t targets;
    float *into;       /* store_room() */
    double norm, clip; /* results; clip is the factor min(1, max / norm) */
    struct tensor_statistics *tensors; /* [tensors of the model]: written, too; or NULL */
};

/* Zero parameters, moments and average, version 0.  Borrows @t. */
void store_init(struct store *s, const struct transformer *t, const struct conf_optim *o);
void store_fini(struct store *s);

/* The parameters are those of version 0: the average begins with them. */
void store_begin(struct store *s);

/* Tensors whose names begin with one of the @prefixes, with commas between, are not
 * updated from now on; "": none.  ERR_UNKNOWN, logged: no name begins so. */
int store_freeze(struct store *s, const char *prefixes);

/* store->theta stays as it is until it was released as often as it was held. */
void store_hold(struct store *s, const float *theta);
void store_release(struct store *s, const float *theta);
/* Where the next version is to be written: in place, or beside what is being read. */
float *store_room(struct store *s);

/* All is about to be another: theta goes where nobody reads, and is undefined; the
 * version is 0. */
void store_leave(struct store *s);
/* Parameters, moments and average are zero. */
void store_clear(struct store *s);

/* @gradient [count]: the sum over the step's target tokens. */
void store_update(struct store *s, const float *gradient, struct store_update *u);

/* Of the parameters, a range each: [ranges.n], borrowed until they change. */
const uint64_t *store_checksums(struct store *s);

/* The next version has the same parameters and moments. */
void store_skip(struct store *s);

size_t store_bytes(const struct transformer *t, const struct conf_optim *o);

#endif
