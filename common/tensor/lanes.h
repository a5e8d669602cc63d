/* lanes.h - inside tensor/rows: sums, products and maxima of a row in LANES partial
 * results, element i in lane i % LANES, that are added along a binary tree.
 *
 * The shape of a reduction is thus written in the source, and a compiler may use vectors
 * of any width without changing a bit.
 */
#ifndef TENSOR_LANES_H
#define TENSOR_LANES_H

#include <stddef.h>
#include <string.h>

#include "tensor/muladd.h"
#include "tensor/rows.h"

enum { LANES = ROWS_UNIT };

typedef real four __attribute__((vector_size(4 * sizeof(real))));

/* s[0..3], s[4..7] ... as vectors, which a compiler does not find by itself. */
struct fours {
    four x[LANES / 4];
};

static inline struct fours fours(const real s[LANES])
{
    struct fours f;
    memcpy(&f, s, sizeof f);
    return f;
}

/* The sum: lane l with l + 8, then with l + 4, l + 2, l + 1. */
static inline real add_lanes(const real s[LANES])
{
    const struct fours f = fours(s);
    const four sum = (f.x[0] + f.x[2]) + (f.x[1] + f.x[3]);
    const four half = sum + __builtin_shufflevector(sum, sum, 2, 3, 2, 3);
    return half[0] + half[1];
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

/* y = x > y ? x : y */
static inline void keep_larger(four *y, const four *x)
{
    const __typeof__(*x > *y) first = *x > *y; /* all bits or none */
    *y = (four)((first & (__typeof__(first))*x) | (~first & (__typeof__(first))*y));
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
    struct fours f = fours(s);
    keep_larger(&f.x[0], &f.x[2]);
    keep_larger(&f.x[1], &f.x[3]);
    keep_larger(&f.x[0], &f.x[1]);
    const four upper = __builtin_shufflevector(f.x[0], f.x[0], 2, 3, 2, 3);
    keep_larger(&f.x[0], &upper);
    return f.x[0][1] > f.x[0][0] ? f.x[0][1] : f.x[0][0];
}

#endif
