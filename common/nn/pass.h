/* pass.h - what every layer may know about the computation it is part of.
 *
 * Made once per call of the transformer, read-only, passed down by pointer.
 */
#ifndef NN_PASS_H
#define NN_PASS_H

#include <stddef.h>

#include "conf/conf.h"
#include "nn/dropout.h"
#include "nn/sequences.h"
#include "nn/shape.h"
#include "tensor/real.h"

struct pass {
    const struct conf_model *conf;
    struct shape s;
    struct sequences of;
    size_t N;     /* rows: of.N */
    size_t start; /* position of the first token: 0 but in generation */
    struct dropout dropout;
    real smoothing;     /* of the targets; 0: none */
    const real *waves;  /* [s.T, C] for sinusoidal positions, or NULL */
    const real *angles; /* [s.T, D] for rotary positions, or NULL */
};

/* The probability to drop at a place in this pass: 0 in evaluation. */
static inline double pass_drop(const struct pass *p, double probability)
{
    return p->dropout.on ? probability : 0;
}

#endif
