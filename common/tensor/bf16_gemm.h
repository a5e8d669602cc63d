/* bf16_gemm.h - matrix products in bfloat16: factors are rounded, sums are float32.
 *
 * Row-major, float32 in memory.  @ld? is the distance between rows.
 *
 *      bf16_nn   c [M,N]  <- or +=  a [M,K] * b [K,N]
 *      bf16_nt   c [M,N]  <- or +=  a [M,K] * b [N,K]^T
 *      bf16_tn   c [M,N]  <- or +=  a [K,M]^T * b [K,N]
 *
 * The arithmetic.  A factor's element becomes bfloat16: to nearest, ties to even; what is
 * denormal in float32 becomes a zero of its sign; what is not a number stays so.  An
 * element of c is one chain, from 0, or from c when @add, over k in the order
 *
 *      1 0 3 2 5 4 ...         c = fma(a[k], b[k], c)
 *
 * rounded to nearest, results below 2^-126 being zeros of their sign.  An odd K is made
 * even by zeros.  That is what the instruction vdpbf16ps does to a pair: Intel's manual
 * says so, and 120 million random pairs, those near the smallest number, infinities and
 * zeros among them, agreed on an AMD Zen 5.  Without it the same chain is made of float32
 * multiply-adds, and without these in double.  So the bits depend on
 * shape and factors alone: not on the instruction set, on threads, addresses, and not on
 * MXCSR, which is set for the time of a call.  (Only the payload of what is not a number
 * may differ.)  Rows and columns of c may be computed in any pieces.
 *
 * AMX would give other bits: tdpbf16ps keeps a sum of the odd and one of the even k of a
 * tile, adds the two and then adds to c (Intel 64 and IA-32 SDM, volume 2, TDPBF16PS).
 *
 * One thread per call, any thread, no allocation: a call works in a room, which only one
 * call at a time may use.
 */
#ifndef TENSOR_BF16_GEMM_H
#define TENSOR_BF16_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* Choose the kernels for this CPU; @want NULL for the best, or "bf16", "v4", "v3", "v2"
 * (for tests).  Returns the name through @name.  Once, before threads, rooms and packed
 * factors; until then v2 works.  ERR_RANGE (logged) when the CPU lacks the set or there
 * is none of that name. */
int bf16_start(const char *want, const char **name);

/* What a room takes, whatever the shapes; 64-byte aligned. */
size_t bf16_room_bytes(void);

void bf16_nn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room);
void bf16_nt(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room);
void bf16_tn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room);

/* The second factor, rounded and laid out once for many products: the same bits.
 * @to is 64-byte aligned. */
size_t bf16_packed_bytes(size_t N, size_t K);
void bf16_pack_n(void *to, const float *b, size_t ldb, size_t N, size_t K); /* [K,N] */
void bf16_pack_t(void *to, const float *b, size_t ldb, size_t N, size_t K); /* [N,K] */
/* c [M,N]  <- or +=  a [M,K] * packed */
void bf16_packed(float *c, size_t ldc, const float *a, size_t lda, const void *b,
                 size_t M, size_t N, size_t K, bool add, void *room);

#endif
