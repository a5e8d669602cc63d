#include "optim/optimizer.h"

#include <assert.h>
#include <math.h>

#include "tensor/rows.h"

int optimizer_moments(enum optimizer_kind kind)
{
    return kind == OPTIMIZER_IS_SGD ? 1 : 2;
}

const char *optimizer_moment_name(enum optimizer_kind kind, int moment)
{
    assert(moment >= 0 && moment < optimizer_moments(kind));
    if (kind == OPTIMIZER_IS_SGD)
        return "velocity";
    return moment == 0 ? "moment1" : "moment2";
}

void optimizer_step(const struct optimizer *o, uint64_t t, double rate, double scale,
                    bool decay, float *theta, float *const moment[OPTIMIZER_MOMENTS_MAX],
                    const float *gradient, size_t n)
{
    assert(t > 0);
    const double wanted = decay ? o->decay : 0;
    if (o->kind == OPTIMIZER_IS_SGD) {
        rows_sgd(theta, moment[0], gradient, n, (float)rate, (float)o->momentum,
                 (float)wanted, (float)scale);
        return;
    }
    const bool decoupled = o->kind == OPTIMIZER_IS_ADAMW;
    const struct rows_adam a = {
        .rate = (float)rate,
        .rest1 = (float)(1 - o->beta1),
        .rest2 = (float)(1 - o->beta2),
        .eps = (float)o->eps,
        .correction1 = (float)(1 - pow(o->beta1, (double)t)),
        .correction2 = (float)(1 - pow(o->beta2, (double)t)),
        .decay = decoupled ? (float)wanted : 0,
        .l2 = decoupled ? 0 : (float)wanted,
        .scale = (float)scale,
    };
    rows_adam(theta, moment[0], moment[1], gradient, n, a);
}
