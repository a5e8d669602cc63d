/* vector_math.h - exp, sigmoid and the normal distribution as code without branches and
 * calls, so that loops over them become vector instructions.
 *
 * float: exp within 2 units in the last place, phi within 3e-7 absolute
 * (tests/unit/tensor).  In double builds the C library's functions,
 * so that derivative checks see the exact mathematics.
 */
#ifndef TENSOR_VECTOR_MATH_H
#define TENSOR_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

#include "tensor/real.h"

#ifdef REAL_DOUBLE

static inline double vector_exp(double x)
{
    return exp(x);
}

static inline double vector_phi(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

#else

/* exp(x) = 2^k * exp(r), k = round(x / ln 2), |r| <= ln 2 / 2; ln 2 in two parts (Cody,
 * Waite 1980) and the Taylor polynomial of degree 7, whose rest is below 2^-26.  Below
 * -87.3 the result is 0, above 88.7 the largest power. */
static inline float vector_exp(float x)
{
    const float limited = x < -87.3f ? -87.3f : x > 88.7f ? 88.7f : x;
    const float shifted = limited * 1.44269504088896341f + 12582912.0f; /* 1.5 * 2^23 */
    const float k = shifted - 12582912.0f;
    const float r = (limited - k * 0.693145751953125f) - k * 1.42860682030941723e-6f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, sizeof bits);
    bits += (int32_t)k << 23;
    memcpy(&p, &bits, sizeof p);
    return x < -87.3f ? 0 : p;
}

/* Phi(x) = 1 - Phi(-x), and for x >= 0  1 - Phi(x) = erfc(x / sqrt 2) / 2 by the rational
 * approximation 7.1.26 of Abramowitz and Stegun (1964). */
static inline float vector_phi(float x)
{
    const float z = fabsf(x) * 0.70710678118654752440f, t = 1 / (1 + 0.3275911f * z);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const float tail = 0.5f * p * t * vector_exp(-z * z);
    return x < 0 ? tail : 1 - tail;
}

#endif

static inline real vector_sigmoid(real x)
{
    return 1 / (1 + vector_exp(-x));
}

#endif
