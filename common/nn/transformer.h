/* transformer.h - a Transformer as a function of one flat vector: a decoder alone, or an
 * encoder and a decoder that looks at it.
 *
 *      struct transformer t;
 *      TRY(transformer_init(&t, &conf.model, vocab));     the plan: shapes, layout, table
 *      transformer_init_params(&t, theta, seed);
 *      struct workspace *w = workspace_new(&t, max_rows);  one per compute thread
 *      transformer_slice(&t, w, theta, grad, &slice, &result);
 *
 * GPT-2 (Radford 2019), or with model.encoder_layers the Transformer of Vaswani (2017),
 * with the options of group `model`; see options.def for the papers.
 * The vector is laid out in forward order: embeddings, the source's embeddings, the
 * encoder's blocks and norm, the decoder's blocks, final norm, output projection; a layer
 * is one range.  theta and grad have the same layout.
 *
 * Determinism: loss and gradient are pure functions of (theta, slice) and of the kernels
 * of this machine.  Neither depends on what was computed before, on addresses or threads.
 * Everything here may be called from any thread, with its own workspace; nothing
 * allocates after workspace_new().
 */
#ifndef NN_TRANSFORMER_H
#define NN_TRANSFORMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "nn/measure.h"
#include "nn/params.h"
#include "nn/shape.h"
#include "tensor/gemm.h"

struct transformer {
    struct conf_model conf;  /* resolved: no autos */
    struct shape shape;      /* E L H G C D F V T */
    size_t count;            /* elements of the flat vector */
    size_t tensors;          /* rows of the table below */
    struct param_info *info; /* [tensors], in vector order; owned */
    enum gemm_precision precision; /* of its products: GEMM_REAL, or what is set after
                                      transformer_init() and before workspaces */
    bool recompute; /* set like precision: of each block only its input is kept, the rest
                       is computed again on the way back (Chen 2016, arXiv:1604.06174) */
};

/* Some sequences and how their dropout is keyed. */
struct slice {
    size_t sequences;        /* B */
    const uint32_t *length;  /* [B]: inputs of each, 1 to the context; N in all */
    const uint32_t *tokens;  /* [N + B]: of each sequence length + 1; the inputs are all
                                but the last, the targets all but the first */
    /* with an encoder, else NULL */
    const uint32_t *source_length; /* [B]: 1 to the context; M in all */
    const uint32_t *source;        /* [M] */
    const uint64_t *samples; /* [B] sample numbers, unique in the step: key of dropout */
    uint64_t seed, step;     /* key of dropout */
    bool dropout;            /* false: evaluation */
    double smoothing;        /* of the targets (loss.h); 0 in evaluation */
    struct slice_statistics *statistics; /* filled in by transformer_slice(), or NULL */
};

struct slice_result {
    double loss;      /* sum over target tokens, nats; smoothed when they are */
    uint64_t targets; /* number of target tokens */
};

/* Errors: ERR_CONFIG when the model is too large for its types.  The caller ends it with
 * transformer_fini(). */
int transformer_init(struct transformer *t, const struct conf_model *conf, size_t vocab);
void transformer_fini(struct transformer *t);

/* theta [count] <- the initial parameters; pure function of conf and seed. */
void transformer_init_params(const struct transformer *t, real *theta, uint64_t seed);

/* Bytes of activations for slices of up to @rows of targets, and of sources, with the
 * backward pass (training) or without. */
size_t workspace_bytes(const struct transformer *t, size_t rows, bool backward);
struct workspace *workspace_new(const struct transformer *t, size_t rows, bool backward);
void workspace_free(struct workspace *w);

/* Who wants to know how far a pass has come; either call may be NULL. */
struct transformer_watch {
    /* Before the forward pass reads theta[first, first + count), which may be waited for
     * here: ranges come in vector order and cover the vector exactly once. */
    void (*needed)(void *ctx, size_t first, size_t count);
    /* After the backward pass has finished grad[first, first + count): ranges come last
     * layer first and cover the vector exactly once. */
    void (*done)(void *ctx, size_t first, size_t count);
    void *ctx;
};

/* Forward and backward: grad [count] <- gradient of result->loss (overwrites all of it;
 * no need to clear).
 * @watch may be NULL.  Tokens must be below the vocabulary (asserted: callers check). */
void transformer_slice(const struct transformer *t, struct workspace *w,
                       const real *theta, real *grad, const struct slice *slice,
                       struct slice_result *result, const struct transformer_watch *watch);

/* Forward only, without dropout and smoothing. */
void transformer_loss(const struct transformer *t, struct workspace *w, const real *theta,
                      const struct slice *slice, struct slice_result *result);

/* logits [N, V] <- slice->tokens; for tests and small vocabularies. */
void transformer_logits(const struct transformer *t, struct workspace *w,
                        const real *theta, const struct slice *slice, real *logits);

/* Floating-point operations of forward and backward for one token in a sequence of
 * @length, and with an encoder for one of the source: 6 * (parameters in products) + 12 *
 * L * C * length (Kaplan 2020, PaLM app. B; no causal discount, and nothing for blocks
 * that are computed again). */
double transformer_flops_per_token(const struct transformer *t, size_t length);

#endif
