/* bf16_table.h - inside tensor/bf16_gemm: the kernels of one instruction set.
 *
 * A factor is packed in cells: a pair of elements k, k + 1 as two bfloat16, or one element
 * as a float that is a bfloat16, k + 1 before k.  The sum is then over cells in order.
 */
#ifndef TENSOR_BF16_TABLE_H
#define TENSOR_BF16_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Rows that the first factor is packed in when its rows are those of the sum: whole
 * vectors to write, whole tiles to read. */
enum { BF16_GROUP = 48 };

/* The first factor, packed. */
struct bf16_left {
    const void *cells;
    bool grouped; /* [M / GROUP][cells][GROUP], else [M][cells] */
};

struct bf16_table {
    size_t columns; /* of a panel of the second factor: [N / columns][cells][columns] */
    size_t bytes;   /* of a packed element */
    /* K is even but at the end of the sum: then zeros follow. */
    void (*pack_rows)(void *to, const float *a, size_t lda, size_t M, size_t K);
    void (*pack_groups)(void *to, const float *a, size_t lda, size_t M, size_t K);
    /* panels of b [K,N] or [N,K], @stride bytes apart; zeros behind N */
    void (*pack_n)(void *to, size_t stride, const float *b, size_t ldb, size_t N,
                   size_t K);
    void (*pack_t)(void *to, size_t stride, const float *b, size_t ldb, size_t N,
                   size_t K);
    /* c [M,N]  <- or +=  a * panels of b, @stride bytes apart */
    void (*block)(float *c, size_t ldc, struct bf16_left a, const void *b, size_t stride,
                  size_t M, size_t N, size_t K, bool add);
};

extern const struct bf16_table bf16_v2, bf16_v3, bf16_v4, bf16_pairs;

#endif
