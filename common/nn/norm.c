#include "nn/norm.h"

#include <string.h>

#include "tensor/rows.h"

void norm_forward(real *y, struct norm_cache cache, const real *x, struct norm w,
                  const struct conf_model *conf, size_t N, size_t C)
{
    rows_norm(y, cache.mean, cache.rstd, x, w.gain, w.bias, N, C, (real)conf->norm_eps,
              conf->norm == NORM_RMS);
}

void norm_backward(real *dx, struct norm dw, const real *dy, struct norm_cache cache,
                   const real *x, struct norm w, const struct conf_model *conf, size_t N,
                   size_t C)
{
    memset(dw.gain, 0, C * sizeof *dw.gain);
    if (dw.bias)
        memset(dw.bias, 0, C * sizeof *dw.bias);
    rows_norm_backward(dx, dw.gain, dw.bias, dy, x, w.gain, cache.mean, cache.rstd, N, C,
                       conf->norm == NORM_RMS);
}
