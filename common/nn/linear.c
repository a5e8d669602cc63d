#include "nn/linear.h"

#include <string.h>

#include "tensor/gemm.h"
#include "tensor/rows.h"

void linear_forward(real *y, const real *x, struct linear w, size_t N, size_t in,
                    size_t out)
{
    gemm_nt(y, out, x, in, w.weight, in, N, out, in, 1, 0);
    if (w.bias)
        rows_add_bias(y, w.bias, N, out);
}

void linear_backward(real *dx, struct linear dw, const real *dy, const real *x,
                     struct linear w, size_t N, size_t in, size_t out)
{
    /* forward: y = x * weight^T + bias */
    gemm_tn(dw.weight, in, dy, out, x, in, out, in, N, 1, 0);
    if (dw.bias) {
        memset(dw.bias, 0, out * sizeof *dw.bias);
        rows_sum(dw.bias, dy, N, out);
    }
    gemm_nn(dx, in, dy, out, w.weight, in, N, in, out, 1, 0);
}
