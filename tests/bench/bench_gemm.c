/* Products of our shapes, ours and OpenBLAS's in turn, one thread: GFLOP/s, the better of
 * several rounds, and their ratio.
 *
 *      bench_gemm [FORM M N K]...       FORM: nn, nt or tn; default: products of shapes A
 * to D
 *
 * OPENBLAS_CORETYPE chooses OpenBLAS's kernels (SkylakeX where it does not know the CPU).
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

static const struct product {
    const char *form;
    size_t M, N, K;
} ours[] = {
    {"nt", 96, 384, 128},    {"nt", 96, 512, 128},    {"nn", 96, 128, 512},
    {"tn", 512, 128, 96},    {"nt", 512, 1152, 384},  {"nt", 512, 1536, 384},
    {"nt", 512, 384, 1536},  {"nn", 512, 384, 1536},  {"nn", 512, 1536, 384},
    {"tn", 1536, 384, 512},  {"tn", 384, 1536, 512},  {"nt", 4096, 1152, 384},
    {"nn", 4096, 384, 1152}, {"tn", 1152, 384, 4096}, {"nt", 64, 3072, 768},
    {"nn", 64, 768, 3072},   {"tn", 3072, 768, 64},   {"nt", 128, 50257, 768},
    {"nn", 128, 768, 50257}, {"tn", 50257, 768, 128}, {"nt", 1024, 256, 128},
    {"nn", 1024, 128, 256},  {"tn", 256, 128, 1024},  {"nt", 128, 10000, 128},
    {"tn", 10000, 128, 128},
};

struct operands {
    real *a, *b, *c;
    struct gemm gemm;
};

static void compute(const struct operands *o, const struct product *p)
{
    if (strcmp(p->form, "nn") == 0)
        gemm_nn(&o->gemm, o->c, p->N, o->a, p->K, o->b, p->N, p->M, p->N, p->K, false);
    else if (strcmp(p->form, "nt") == 0)
        gemm_nt(&o->gemm, o->c, p->N, o->a, p->K, o->b, p->K, p->M, p->N, p->K, false);
    else
        gemm_tn(&o->gemm, o->c, p->N, o->a, p->M, o->b, p->N, p->M, p->N, p->K, false);
}

static void compute_blas(const struct operands *o, const struct product *p)
{
    const bool ta = p->form[0] == 't', tb = p->form[1] == 't';
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,
                tb ? CblasTrans : CblasNoTrans, (blasint)p->M, (blasint)p->N,
                (blasint)p->K, 1, o->a, (blasint)(ta ? p->M : p->K), o->b,
                (blasint)(tb ? p->K : p->N), 0, o->c, (blasint)p->N);
}

static double rate(void (*call)(const struct operands *, const struct product *),
                   const struct operands *o, const struct product *p)
{
    const double flops = 2.0 * (double)p->M * (double)p->N * (double)p->K;
    const int calls = 1 + (int)(1e8 / flops);
    const double start = clock_seconds();
    for (int i = 0; i < calls; i++)
        call(o, p);
    return flops * calls / (clock_seconds() - start);
}

static real *numbers(size_t n)
{
    real *x = mem_slab(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(i * 7919 % 1000) / 1000 - (real)0.5;
    return x;
}

static void measure(const struct product *p, enum gemm_precision precision)
{
    enum { ROUNDS = 7 };
    struct operands o = {numbers(p->M * p->K), numbers(p->N * p->K), numbers(p->M * p->N),
                         gemm_new(precision)};
    double best = 0, blas = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double x = rate(compute, &o, p), y = rate(compute_blas, &o, p);
        best = x > best ? x : best;
        blas = y > blas ? y : blas;
    }
    printf("%s %6zu %6zu %6zu %10.1f %10.1f %8.2f\n", p->form, p->M, p->N, p->K,
           best / 1e9, blas / 1e9, best / blas);
    mem_slab_free(o.a, p->M * p->K * sizeof *o.a);
    mem_slab_free(o.b, p->N * p->K * sizeof *o.b);
    mem_slab_free(o.c, p->M * p->N * sizeof *o.c);
    gemm_free(&o.gemm);
}

int main(int argc, char **argv)
{
    const char *name, *set = NULL;
    enum gemm_precision precision = GEMM_REAL;
    int i = 1;
    if (i < argc && strcmp(argv[i], "--bfloat16") == 0) {
        precision = GEMM_BFLOAT16;
        i++;
    }
    if (i + 1 < argc && strcmp(argv[i], "--set") == 0) {
        set = argv[i + 1];
        i += 2;
    }
    if (gemm_start(set, &name) || (argc - i) % 4)
        return 2;
    rows_thread_start();
    openblas_set_num_threads(1);
    printf("GFLOP/s of one thread, ours%s by %s, OpenBLAS by %s\n",
           precision == GEMM_BFLOAT16 ? " in bfloat16" : "", name,
           openblas_get_corename());
    printf("%s %6s %6s %6s %10s %10s %8s\n", "  ", "M", "N", "K", "ours", "OpenBLAS",
           "ratio");
    for (size_t p = 0; p < sizeof ours / sizeof *ours && i == argc; p++)
        measure(&ours[p], precision);
    for (; i < argc; i += 4)
        measure(&(struct product){argv[i], strtoul(argv[i + 1], NULL, 10),
                                  strtoul(argv[i + 2], NULL, 10),
                                  strtoul(argv[i + 3], NULL, 10)},
                precision);
    return 0;
}
