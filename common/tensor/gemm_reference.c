/* gemm_reference.c - products by the definition: what the library is tested against. */
#include "tensor/gemm.h"

void gemm_reference_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[m * lda + k] * (double)b[k * ldb + n];
            const real old = beta == 0 ? 0 : beta * c[m * ldc + n];
            c[m * ldc + n] = old + (real)((double)alpha * sum);
        }
}

void gemm_reference_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[m * lda + k] * (double)b[n * ldb + k];
            const real old = beta == 0 ? 0 : beta * c[m * ldc + n];
            c[m * ldc + n] = old + (real)((double)alpha * sum);
        }
}

void gemm_reference_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[k * lda + m] * (double)b[k * ldb + n];
            const real old = beta == 0 ? 0 : beta * c[m * ldc + n];
            c[m * ldc + n] = old + (real)((double)alpha * sum);
        }
}
