/* vector_math.h - exp, sigmoid and the normal distribution as code without branches and
 * calls, so that loops over them become vector instructions.
 *
 * The float versions stay within these units in the last place of the exact value
 * (measured and tested in tests/unit/tensor/test_vector_math.c):
 *
 *      exp  1.5        sigmoid  3        bell  3        phi  6
 *
 * Results below 2^-126 are 0; exp stops growing at 88.37.  What is not a number stays so.
 * Double builds use the C library's functions: derivative checks see exact mathematics.
 */
#ifndef TENSOR_VECTOR_MATH_H
#define TENSOR_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

#include "tensor/muladd.h"

#ifdef REAL_DOUBLE

static inline double vector_exp(double x)
{
    return exp(x);
}

static inline double vector_bell(double x)
{
    return exp(-0.5 * x * x);
}

static inline double vector_phi(double x, double bell)
{
    (void)bell;
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

#else

/* The range in which 2^k is a number of ours */
static const float EXP_MIN = -87.3f, EXP_MAX = 88.37f;

/* exp(x) = 2^k * exp(r), k = round(x / ln 2), |r| <= ln 2 / 2, with ln 2 in two parts
 * whose first times k is exact (Cody, Waite 1980).  Leaves 1.5 * 2^23 + k in @shifted;
 * adding that number is what rounds to an integer. */
static inline float exp_reduce(float x, float *shifted)
{
    const float magic = 12582912.0f;
    const float below = x > EXP_MAX ? EXP_MAX : x;
    const float limited = below < EXP_MIN ? EXP_MIN : below;
    *shifted = muladd(limited, 1.44269504088896341f, magic);
    const float k = *shifted - magic;
    const float r = muladd(-k, 0.693145751953125f, limited);
    return muladd(-k, 1.42860682030941723e-6f, r);
}

/* 2^k * exp(r).  1 + r + r^2 q(r) differs from exp(r) by at most 3.1e-9 of it; q is our
 * own minimax fit.  k is in the low bits of @shifted: moved into the exponent it makes
 * 2^k. */
static inline float exp_finish(float r, float shifted)
{
    float q = 0.0013814597821392577f;
    q = muladd(q, r, 0.008368716951313115f);
    q = muladd(q, r, 0.041668388062545886f);
    q = muladd(q, r, 0.16666520630939505f);
    q = muladd(q, r, 0.49999993447710667f);
    const float p = muladd(r * r, q, r) + 1;

    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float vector_exp(float x)
{
    float shifted;
    const float r = exp_reduce(x, &shifted);
    return x < EXP_MIN ? 0 : exp_finish(r, shifted);
}

/* exp(-x^2 / 2).  Rounding x^2 would cost x^2/2 units in the last place, so it is taken
 * in two parts: x = h + (x - h) with h of 12 bits, x^2 = h^2 + (x - h)(x + h). */
static inline float vector_bell(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= 0xfffff000;
    float h, shifted;
    memcpy(&h, &bits, sizeof h);
    const float most = -0.5f * (h * h), rest = -0.5f * ((x - h) * (x + h));
    const float r = exp_reduce(most, &shifted) + rest;
    return most < EXP_MIN ? 0 : exp_finish(r, shifted);
}

/* The normal distribution, @bell being vector_bell(x).  1 - Phi(|x|) = bell * t * p(t),
 * t = 1 / (1 + |x| / sqrt 8); p is our own minimax fit, 4.3e-8 of the value for
 * |x| <= 13.5, where bell ends. */
static inline float vector_phi(float x, float bell)
{
    const float t = 1 / muladd(fabsf(x), 0.35355339059327376f, 1);
    float p = -0.02946549244802098f;
    p = muladd(p, t, 0.1419497322527576f);
    p = muladd(p, t, -0.24289780336807235f);
    p = muladd(p, t, 0.13822654464612097f);
    p = muladd(p, t, -0.012753842173854257f);
    p = muladd(p, t, 0.10110540536681539f);
    p = muladd(p, t, 0.12161249140292703f);
    p = muladd(p, t, 0.14117925013146243f);
    p = muladd(p, t, 0.14104369298438935f);
    const float tail = bell * (t * p);
    return x < 0 ? tail : 1 - tail;
}

#endif

static inline real vector_sigmoid(real x)
{
    return 1 / (1 + vector_exp(-x));
}

#endif
