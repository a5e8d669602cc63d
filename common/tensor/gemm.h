/* gemm.h - matrix products: the one seam to the BLAS library.
 *
 * Row-major.  @ld? is the distance between rows.  One thread per call; the bits of a
 * result depend on the shape of the call and the kernels of this machine, nothing else,
 * so callers keep shapes a function of model and slice (DESIGN: determinism contract).
 *
 *      gemm_nn   c [M,N]  <-  beta * c + alpha * a [M,K] * b [K,N]
 *      gemm_nt   c [M,N]  <-  beta * c + alpha * a [M,K] * b [N,K]^T      y = x * w^T
 *      gemm_tn   c [M,N]  <-  beta * c + alpha * a [K,M]^T * b [K,N]      dw = dy^T * x
 *
 * beta is 0 (overwrites, c may be uninitialised) or 1 (adds).
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include <stddef.h>

#include "tensor/real.h"

/* Once per process, before any product and before threads: one BLAS thread per call, and
 * a check that the library may be called from several threads.  @name (borrowed, static)
 * describes library and kernels, as in "OpenBLAS 0.3.21 Cooperlake"; it is part of the
 * numerics fingerprint.  ERR_CONFIG (logged, with the package to install) for a library
 * that is not safe to call from several threads. */
int gemm_start(const char **name);

/* After gemm_start: what to do about kernels that are slower than this CPU could have, a
 * sentence with the remedy (borrowed, static); NULL if there is nothing to do. */
const char *gemm_advice(void);

void gemm_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta);
void gemm_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta);
void gemm_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta);

/* The same by the definition, for tests: gemm_reference_nn ... */
void gemm_reference_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta);
void gemm_reference_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta);
void gemm_reference_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta);

/* Measured once per process, in about 0.1 s: the best product rate of one thread, in
 * FLOP/s (1024 x 1024 x 1024).  For reports only. */
double gemm_peak_flops(void);

#endif
