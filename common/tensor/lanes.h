/* lanes.h - inside tensor/rows: sums, products and maxima of a row in LANES partial
 * results, element i in lane i % LANES, that are added along a binary tree.
 *
 * The shape of a reduction is thus written in the source, and a compiler may use vectors
 * of any width without changing a bit.
 */
#ifndef TENSOR_LANES_H
#define TENSOR_LANES_H

#include <stddef.h>

#include "tensor/muladd.h"

enum { LANES = 16 };

static inline real add_lanes(real s[LANES])
{
#pragma GCC unroll 8
    for (int width = LANES / 2; width > 0; width /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < width; l++)
            s[l] += s[l + width];
    return s[0];
}

static inline real row_sum(const real *x, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++)
            s[l] += x[i + (size_t)l];
    }
    for (int l = 0; i < n; i++, l++)
        s[l] += x[i];
    return add_lanes(s);
}

/* The sum of (x - mean)^2. */
static inline real row_sum_squares(const real *x, real mean, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++) {
            const real d = x[i + (size_t)l] - mean;
            s[l] = muladd(d, d, s[l]);
        }
    }
    for (int l = 0; i < n; i++, l++)
        s[l] = muladd(x[i] - mean, x[i] - mean, s[l]);
    return add_lanes(s);
}

static inline real row_dot(const real *x, const real *y, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++)
            s[l] = muladd(x[i + (size_t)l], y[i + (size_t)l], s[l]);
    }
    for (int l = 0; i < n; i++, l++)
        s[l] = muladd(x[i], y[i], s[l]);
    return add_lanes(s);
}

/* The largest of x [n], n > 0; numbers only: what is not a number is passed over. */
static inline real row_max(const real *x, size_t n)
{
    real s[LANES];
    for (int l = 0; l < LANES; l++)
        s[l] = x[0];
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++)
            s[l] = x[i + (size_t)l] > s[l] ? x[i + (size_t)l] : s[l];
    }
    for (int l = 0; i < n; i++, l++)
        s[l] = x[i] > s[l] ? x[i] : s[l];
#pragma GCC unroll 8
    for (int width = LANES / 2; width > 0; width /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < width; l++)
            s[l] = s[l + width] > s[l] ? s[l + width] : s[l];
    return s[0];
}

#endif
