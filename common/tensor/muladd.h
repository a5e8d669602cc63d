/* muladd.h - a * b + c, rounded once where the instruction set can and twice elsewhere.
 *
 * Which product is fused with which addition is part of a result's bits.  Left to itself,
 * a compiler decides that anew for the vector body and for the rest of each loop, and for
 * each level of optimisation; so contraction is off and the kernels say it with these.
 */
#ifndef TENSOR_MULADD_H
#define TENSOR_MULADD_H

#include "tensor/real.h"

static inline float muladd_float(float a, float b, float c)
{
#ifdef __FMA__
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

static inline real muladd(real a, real b, real c)
{
#ifndef REAL_DOUBLE
    return muladd_float(a, b, c);
#elif defined __FMA__
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

#endif
