#include "tensor/gemm.h"

#include <assert.h>
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#ifdef REAL_DOUBLE
#define blas_gemm cblas_dgemm
#else
#define blas_gemm cblas_sgemm
#endif

int gemm_start(const char **name)
{
    static char text[128];
    if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL) {
        log_error(
            "the OpenBLAS in use is the serial flavour, which gives wrong results when "
            "called from several threads; install libopenblas0-pthread");
        return ERR_CONFIG;
    }
    openblas_set_num_threads(1);
    char version[64] = "OpenBLAS";
    sscanf(openblas_get_config(), "OpenBLAS %50s", version + strlen("OpenBLAS "));
    version[strlen("OpenBLAS")] = ' ';
    snprintf(text, sizeof text, "%s %s", version, openblas_get_corename());
    *name = text;
    return ERR_OK;
}

/* OpenBLAS takes a CPU that it does not know for an older one, and OPENBLAS_CORETYPE, which
 * some software stacks set for equal results everywhere, for what it says. */
const char *gemm_advice(void)
{
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static char text[256];
    const char *core = openblas_get_corename(), *set = getenv("OPENBLAS_CORETYPE");
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("x86-64-v4"))
        return NULL;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strcmp(core, wide[i]) == 0)
            return NULL;
    snprintf(text, sizeof text,
             "OpenBLAS uses its %s kernels%s, though this CPU has AVX-512: products take "
             "about twice as long; %s",
             core, set ? " because of OPENBLAS_CORETYPE" : "",
             set ? "unset it on every machine"
                 : "set OPENBLAS_CORETYPE=SkylakeX on every machine");
    return text;
}

static void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, real *c, size_t ldc,
                    const real *a, size_t lda, const real *b, size_t ldb, size_t M,
                    size_t N, size_t K, real alpha, real beta)
{
    assert(beta == 0 || beta == 1);
    assert(ldc >= N && M <= INT32_MAX && K <= INT32_MAX);
    assert(lda <= INT32_MAX && ldb <= INT32_MAX && ldc <= INT32_MAX); /* blasint */
    blas_gemm(CblasRowMajor, ta, tb, (blasint)M, (blasint)N, (blasint)K, alpha, a,
              (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void gemm_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta)
{
    assert(lda >= K && ldb >= N);
    product(CblasNoTrans, CblasNoTrans, c, ldc, a, lda, b, ldb, M, N, K, alpha, beta);
}

void gemm_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta)
{
    assert(lda >= K && ldb >= K);
    product(CblasNoTrans, CblasTrans, c, ldc, a, lda, b, ldb, M, N, K, alpha, beta);
}

void gemm_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b, size_t ldb,
             size_t M, size_t N, size_t K, real alpha, real beta)
{
    assert(lda >= M && ldb >= N);
    product(CblasTrans, CblasNoTrans, c, ldc, a, lda, b, ldb, M, N, K, alpha, beta);
}

double gemm_peak_flops(void)
{
    static double best;
    if (best > 0)
        return best;
    enum { N = 1024, ROUNDS = 5 };
    const size_t bytes = N * N * sizeof(real);
    real *a = mem_slab(bytes), *b = mem_slab(bytes), *c = mem_slab(bytes);
    for (size_t i = 0; i < N * N; i++) {
        a[i] = (real)(i % 7) - 3;
        b[i] = (real)(i % 5) - 2;
    }
    for (int round = 0; round < ROUNDS; round++) {
        const double start = clock_seconds();
        gemm_nn(c, N, a, N, b, N, N, N, N, 1, 0);
        const double rate = 2.0 * N * N * N / (clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    mem_slab_free(a, bytes);
    mem_slab_free(b, bytes);
    mem_slab_free(c, bytes);
    return best;
}
