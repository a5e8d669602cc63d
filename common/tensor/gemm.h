/* gemm.h - matrix products, in two precisions: factors as they are, or rounded to
 * bfloat16; sums are of type real.
 *
 * Row-major.  @ld? is the distance between rows.
 *
 *      gemm_nn   c [M,N]  <- or +=  a [M,K] * b [K,N]
 *      gemm_nt   c [M,N]  <- or +=  a [M,K] * b [N,K]^T      y = x * w^T
 *      gemm_tn   c [M,N]  <- or +=  a [K,M]^T * b [K,N]      dw = dy^T * x
 *
 * The arithmetic.  An element of c is one chain c = fma(a[k], b[k], c), rounded to
 * nearest, from 0, or from c when @add.  GEMM_REAL: over k = 0 1 2 3 ...  GEMM_BFLOAT16,
 * which a build in double precision has not: a factor's element becomes bfloat16 first
 * (to nearest, ties to even; what is denormal in float32 becomes a zero of its sign; what
 * is not a number stays so), k = 1 0 3 2 5 4 ..., an odd K made even by zeros, and
 * results below 2^-126 are zeros of their sign.  That is what the instruction vdpbf16ps
 * does to a pair: Intel's manual says so, and 120 million random pairs, those near the
 * smallest number, infinities and zeros among them, agreed on an AMD Zen 5.  Without it
 * the same chain is made of float32 multiply-adds, and without these in double.
 *
 * So the bits depend on shape and factors alone: not on threads, addresses, the width of
 * vectors, nor on the pieces in which rows and columns of c are computed; and not on the
 * instruction set, but that GEMM_REAL in v2, which has no fma, rounds twice.  A machine
 * with AVX2 gives the bits of one with AVX-512.  (Only the payload of what is not a
 * number may differ.)  GEMM_BFLOAT16 does not depend on MXCSR, which is set for the time
 * of a call; GEMM_REAL wants what rows_thread_start() sets.
 *
 * AMX would give other bits: tdpbf16ps keeps a sum of the odd and one of the even k of a
 * tile, adds the two and then adds to c (Intel 64 and IA-32 SDM, volume 2, TDPBF16PS).
 *
 * One thread per call, any thread, no allocation: a call works in the room of its struct
 * gemm, which only one call at a time may use.
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/real.h"

enum gemm_precision { GEMM_REAL, GEMM_BFLOAT16 };

/* Choose the kernels for this CPU; @want NULL for the best, or "v4", "v3", "v2" (for
 * tests), or "pairs": v4 with vdpbf16ps, the best only where it is faster, which is
 * measured in about a millisecond.  Returns the name through @name (borrowed, static).
 * Once, before threads and before anything below.  ERR_RANGE (logged) when the CPU lacks
 * the set or there is none of that name. */
int gemm_start(const char *want, const char **name);

/* Has the chosen set an fma?  What decides the bits of GEMM_REAL. */
bool gemm_is_fused(void);

/* Where and how one thread computes products. */
struct gemm {
    const struct gemm_table *kernels;
    void *room;
};

/* To be freed with gemm_free(). */
struct gemm gemm_new(enum gemm_precision precision);
void gemm_free(struct gemm *g);
/* Of the room of any gemm, in bytes. */
size_t gemm_room_bytes(void);

void gemm_nn(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add);
void gemm_nt(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add);
void gemm_tn(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add);

/* The second factor, laid out once for many products: the same bits.  @to is 64-byte
 * aligned; what is packed is for gemms of one precision. */
size_t gemm_packed_bytes(const struct gemm *g, size_t N, size_t K);
void gemm_pack_n(const struct gemm *g, void *to, const real *b, size_t ldb, size_t N,
                 size_t K); /* of b [K,N] */
void gemm_pack_t(const struct gemm *g, void *to, const real *b, size_t ldb, size_t N,
                 size_t K); /* of b [N,K] */
/* c [M,N]  <- or +=  a [M,K] * packed */
void gemm_packed(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
                 const void *b, size_t M, size_t N, size_t K, bool add);

/* GEMM_REAL by the definition, but for the rounding of each product, for tests:
 * gemm_reference_nn ... */
void gemm_reference_nn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add);
void gemm_reference_nt(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add);
void gemm_reference_tn(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                       size_t ldb, size_t M, size_t N, size_t K, bool add);

/* Measured once per process, in about 0.1 s: the best product rate of one thread, in
 * FLOP/s (1024 x 1024 x 1024, GEMM_REAL).  For reports only. */
double gemm_peak_flops(void);

/* The ceiling of all products: @rounds of multiply-adds whose operands are in registers,
 * as many at a time as hide their latency.  Returns the operations, two for each, that
 * were made; the caller has the clock.  What a set computes in place of an instruction
 * that it lacks is not counted. */
double gemm_burst(const struct gemm *g, size_t rounds);

#endif
