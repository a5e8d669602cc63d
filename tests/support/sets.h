/* sets.h - tests of the row kernels run for every instruction set that the CPU has. */
#ifndef SUPPORT_SETS_H
#define SUPPORT_SETS_H

#include <float.h>
#include <stdbool.h>

#include "base/philox.h"
#include "support/test.h"
#include "tensor/rows.h"

enum { SETS = 3 };

static const char *const set_names[SETS] = {"v2", "v3", "v4"};

static inline bool set_present(int set)
{
    __builtin_cpu_init();
    const bool present[SETS] = {__builtin_cpu_supports("x86-64-v2"),
                                __builtin_cpu_supports("x86-64-v3"),
                                __builtin_cpu_supports("x86-64-v4")};
    return present[set];
}

/* Chooses the set; false when the CPU lacks it. */
static inline bool set_start(int set)
{
    const char *name;
    if (!set_present(set))
        return false;
    assert_int_equal(rows_start(set_names[set], &name), 0);
    assert_string_equal(name, set_names[set]);
    return true;
}

#define FOR_EACH_SET(set)                                                                \
    for (int set = 0; set < SETS; set++)                                                 \
        if (set_start(set))

/* In [-1, 1): number @i of the sequence @seed */
static inline double uniform(uint32_t seed, size_t i)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    return 2 * philox_uniform(philox(key, (struct philox_block){{(uint32_t)i}}).word[0]) -
           1;
}

/* Exactly n numbers on the heap, so that the address sanitizer sees one too many. */
static inline real *random_reals(size_t n, double spread, uint32_t seed)
{
    real *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(spread * uniform(seed, i));
    return x;
}

/* The largest |got - want| / (|want| + floor), in units of REAL_EPS; infinite where one
 * of them is not a number. */
static inline double worst_error(const real *got, const double *want, size_t n,
                                 double floor)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)got[i] - want[i]);
        const double e = off == 0 ? 0 : off / (fabs(want[i]) + floor);
        if (!(e <= worst))
            worst = isnan(e) ? INFINITY : e;
    }
    return worst / (double)REAL_EPS;
}

#endif
