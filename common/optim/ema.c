#include "optim/ema.h"

#include <assert.h>
#include <math.h>

#include "tensor/rows.h"

double ema_decay(double decay, uint64_t s)
{
    assert(decay >= 0 && decay < 1);
    return fmin(decay, (1 + (double)s) / (10 + (double)s));
}

void ema_step(float *mean, const float *theta, size_t n, double decay, uint64_t s)
{
    rows_ema(mean, theta, n, (float)(1 - ema_decay(decay, s)));
}
