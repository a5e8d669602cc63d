/* gemm_table.h - inside tensor/gemm: the kernels of one instruction set and one
 * precision.
 *
 * A factor is packed in cells.  Without bfloat16 a cell is an element.  With it, a pair
 * of elements k, k + 1 as two bfloat16, or one element as a float that is a bfloat16, k +
 * 1 before k.  The sum is over cells in order.
 */
#ifndef TENSOR_GEMM_TABLE_H
#define TENSOR_GEMM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/real.h"

/* Rows that the first factor is packed in when its rows are those of the sum: whole
 * vectors to write, whole tiles to read. */
enum { GEMM_GROUP = 48 };

/* The first factor, as cells. */
struct gemm_left {
    const void *cells;
    enum {
        LEFT_ROWS,   /* [M][step]: row m, cell k is cells[m * step + k] */
        LEFT_ACROSS, /* [K][step]: cells[k * step + m] */
        LEFT_GROUPS  /* [M / GROUP][K][GROUP] */
    } form;
    size_t step;
};

struct gemm_table {
    size_t columns; /* of a panel of the second factor: [N / columns][cells][columns] */
    size_t bytes;   /* of a packed element */
    bool direct;    /* a cell is an element: the first factor need not be packed */
    /* K is even but at the end of the sum: then zeros follow. */
    void (*pack_rows)(void *to, size_t step, const real *a, size_t lda, size_t M,
                      size_t K);
    void (*pack_groups)(void *to, const real *a, size_t lda, size_t M, size_t K);
    /* panels of b [K,N] or [N,K], @stride bytes apart; zeros behind N */
    void (*pack_n)(void *to, size_t stride, const real *b, size_t ldb, size_t N,
                   size_t K);
    void (*pack_t)(void *to, size_t stride, const real *b, size_t ldb, size_t N,
                   size_t K);
    /* c [M,N]  <- or +=  a * panels of b, @stride bytes apart; K: cells * elements of
     * one, less at most the zero behind an odd one */
    void (*block)(real *c, size_t ldc, struct gemm_left a, const void *b, size_t stride,
                  size_t M, size_t N, size_t K, bool add);
    double (*burst)(size_t rounds); /* gemm_burst() */
};

extern const struct gemm_table gemm_v2, gemm_v3, gemm_v4;
#ifndef REAL_DOUBLE
extern const struct gemm_table gemm_bf16_v2, gemm_bf16_v3, gemm_bf16_v4, gemm_bf16_pairs;
#endif

#endif
