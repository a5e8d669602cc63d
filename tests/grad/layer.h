/* layer.h - one derivative check of a layer: its input and its weights are one vector. */
#ifndef GRAD_LAYER_H
#define GRAD_LAYER_H

#include "conf/conf.h"
#include "support/gradcheck.h"
#include "support/test.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

/* Seeds are fixed, so a failure repeats. */
#define assert_derivative(...)                                                           \
    do {                                                                                 \
        const struct gradcheck check_ = {__VA_ARGS__};                                   \
        for (unsigned seed_ = 1; seed_ <= 3; seed_++) {                                  \
            const double worst_ = gradcheck(&check_, seed_);                             \
            if (!(worst_ <= GRADCHECK_TOLERANCE))                                        \
                fail_msg("seed %u: backward differs by %g from the derivative", seed_,   \
                         worst_);                                                        \
        }                                                                                \
    } while (0)

/* The step of a difference in float, 5e-3, is likely to cross the corner of a relu. */
static inline bool difference_works(enum conf_activation activation)
{
    return sizeof(real) == sizeof(double) || activation != ACTIVATION_RELU;
}

static struct gemm layer_gemm;

static inline int start_kernels(void **state)
{
    (void)state;
    const char *name;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return -1;
    layer_gemm = gemm_new(GEMM_REAL);
    return 0;
}

static inline int stop_kernels(void **state)
{
    (void)state;
    gemm_free(&layer_gemm);
    return 0;
}

#define RUN_LAYER(...)                                                                   \
    int main(void)                                                                       \
    {                                                                                    \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                 \
        return cmocka_run_group_tests(tests, start_kernels, stop_kernels);               \
    }

#endif
