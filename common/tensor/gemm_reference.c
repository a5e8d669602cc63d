/* gemm_reference.c - products by the definition: what the library is tested against. */
#include "tensor/gemm.h"

void gemm_reference_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[m * lda + k] * (double)b[k * ldb + n];
            c[m * ldc + n] = (add ? c[m * ldc + n] : 0) + (real)sum;
        }
}

void gemm_reference_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[m * lda + k] * (double)b[n * ldb + k];
            c[m * ldc + n] = (add ? c[m * ldc + n] : 0) + (real)sum;
        }
}

void gemm_reference_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[k * lda + m] * (double)b[k * ldb + n];
            c[m * ldc + n] = (add ? c[m * ldc + n] : 0) + (real)sum;
        }
}
