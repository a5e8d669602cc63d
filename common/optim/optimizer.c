#include "optim/optimizer.h"

#include <assert.h>
#include <math.h>

#include "tensor/rows.h"

int optimizer_moments(enum optimizer_kind kind)
{
    switch (kind) {
    case OPTIMIZER_IS_SGD:
        return 1;
    case OPTIMIZER_IS_ADAM:
    case OPTIMIZER_IS_ADAMW:
        return 2;
    }
    assert(!"an optimizer of no kind");
    return 0;
}

const char *optimizer_moment_name(enum optimizer_kind kind, int moment)
{
    assert(moment >= 0 && moment < optimizer_moments(kind));
    if (kind == OPTIMIZER_IS_SGD)
        return "velocity";
    return moment == 0 ? "moment1" : "moment2";
}

/* Everything that can be is computed in double, once, before it is rounded. */
static struct rows_adam adam(const struct optimizer *o, uint64_t t, double rate,
                             double scale)
{
    return (struct rows_adam){
        .rate = (float)rate,
        .rest1 = (float)(1 - o->beta1),
        .rest2 = (float)(1 - o->beta2),
        .eps = (float)o->eps,
        .correction1 = (float)(1 - pow(o->beta1, (double)t)),
        .correction2 = (float)(1 - pow(o->beta2, (double)t)),
        .scale = (float)scale,
    };
}

void optimizer_step(const struct optimizer *o, uint64_t t, double rate, double scale,
                    bool decay, float *theta, float *const moment[OPTIMIZER_MOMENTS_MAX],
                    const float *gradient, size_t n)
{
    assert(t > 0);
    const float wanted = decay ? (float)o->decay : 0;
    struct rows_adam a = adam(o, t, rate, scale);
    switch (o->kind) {
    case OPTIMIZER_IS_SGD:
        rows_sgd(theta, moment[0], gradient, n, (float)rate, (float)o->momentum, wanted,
                 (float)scale);
        break;
    case OPTIMIZER_IS_ADAM:
        a.l2 = wanted;
        rows_adam(theta, moment[0], moment[1], gradient, n, a);
        break;
    case OPTIMIZER_IS_ADAMW:
        a.decay = wanted;
        rows_adam(theta, moment[0], moment[1], gradient, n, a);
        break;
    }
}
