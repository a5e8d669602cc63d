/* pass.h - what every layer may know about the computation it is part of.
 *
 * Made once per call of the transformer, read-only, passed down by pointer.
 */
#ifndef NN_PASS_H
#define NN_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "nn/dropout.h"
#include "nn/params.h"
#include "nn/sequences.h"
#include "nn/shape.h"
#include "tensor/real.h"

struct pass {
    const struct conf_model *conf;
    struct shape s;
    bool encoder; /* this is the source's way through the encoder: nothing is masked */
    struct sequences of;
    size_t N;     /* rows: of.N */
    size_t start; /* position of the first token: 0 but in generation */
    struct dropout dropout;
    real smoothing;     /* of the targets; 0: none */
    const real *waves;  /* [s.T, C] for sinusoidal positions, or NULL */
    const real *angles; /* [s.T, D] for rotary positions, or NULL */
    /* a decoder's that looks at an encoder */
    const struct sequences *source;
    const real *memory; /* [source->N, C]: what the encoder made of it */
};

/* Which part of the vector the blocks of this pass are. */
static inline enum section pass_stack(const struct pass *p)
{
    return p->encoder ? SECTION_ENCODER : SECTION_DECODER;
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
