#include "nn/linear.h"

#include <string.h>

#include "tensor/rows.h"

void linear_forward(real *y, const real *x, struct linear w, size_t N, size_t in,
                    size_t out, const struct gemm *g)
{
    gemm_nt(g, y, out, x, in, w.weight, in, N, out, in, false);
    if (w.bias)
        rows_add_bias(y, w.bias, N, out);
}

void linear_backward(real *dx, struct linear dw, const real *dy, const real *x,
                     struct linear w, size_t N, size_t in, size_t out,
                     const struct gemm *g)
{
    /* forward: y = x * weight^T + bias */
    gemm_tn(g, dw.weight, in, dy, out, x, in, out, in, N, false);
    if (dw.bias) {
        memset(dw.bias, 0, out * sizeof *dw.bias);
        rows_sum(dw.bias, dy, N, out);
    }
    gemm_nn(g, dx, in, dy, out, w.weight, in, N, in, out, false);
}
