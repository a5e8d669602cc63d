/* pass.h - what every layer may know about the computation it is part of.
 *
 * Made once per call of the transformer, read-only but for the statistics, passed down by pointer.
 */
#ifndef NN_PASS_H
#define NN_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "nn/dropout.h"
#include "nn/measure.h"
#include "nn/params.h"
#include "nn/sequences.h"
#include "nn/shape.h"
#include "tensor/gemm.h"

struct transformer_watch;

/* In generation: at what was kept each row looks, in every block of the decoder. */
struct look {
    struct sequences of; /* rows of the pass that look at the same */
    struct sequences at; /* [of.B]: what they look at, in rows of kv */
    const size_t *first; /* [of.B]: where it begins */
    real *kv;            /* [L, rows, 2 G D]: keys | values */
    size_t rows;
};

/* Keys and values of block @l. */
static inline real *look_kv(const struct look *k, const struct shape *s, size_t l)
{
    return k->kv + l * k->rows * 2 * s->G * s->D;
}

struct pass {
    const struct conf_model *conf;
    struct shape s;
    bool encoder; /* this is the source's way through the encoder: nothing is masked */
    struct sequences of;
    size_t N;     /* rows: of.N */
    size_t start; /* position of the first token: 0 but in generation */
    const struct look *past,
        *sources; /* generation alone: of rows and of their sources */
    const struct gemm *gemm; /* of the thread that computes it */
    struct dropout dropout;
    real smoothing;     /* of the targets; 0: none */
    const real *waves;  /* [s.T, C] for sinusoidal positions, or NULL */
    const real *angles; /* [s.T, D] for rotary positions, or NULL */
    struct slice_statistics *statistics; /* to be filled in; or NULL */
    /* a decoder's that looks at an encoder */
    const struct sequences *source;
    const real *memory; /* [source->N, C]: what the encoder made of it */
    const struct transformer_watch *watch; /* the caller's, or NULL */
};

/* Which part of the vector the blocks of this pass are. */
static inline enum section pass_stack(const struct pass *p)
{
    return p->encoder ? SECTION_ENCODER : SECTION_DECODER;
}

/* Where block @l puts what it is examined for; NULL: it is not. */
static inline struct block_statistics *pass_examined(const struct pass *p, size_t l)
{
    if (!p->statistics)
        return NULL;
    return &p->statistics->block[p->encoder ? l : p->s.E + l];
}

/* The numbered place of dropout in this pass (dropout.h). */
static inline uint32_t pass_site(const struct pass *p, enum dropout_kind kind,
                                 size_t number)
{
    return dropout_site(p->encoder, kind, number);
}

/* The probability to drop at a place in this pass: 0 in evaluation. */
static inline double pass_drop(const struct pass *p, double probability)
{
    return p->dropout.on ? probability : 0;
}

#endif
