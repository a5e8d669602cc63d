/* gemm_kernels.h - the source of the matrix products, compiled for each instruction set
 * with its own compiler flags: by gemm_v2.c, gemm_v3.c and gemm_v4.c, and, with
 * GEMM_BFLOAT16, by gemm_bf16_v2.c, gemm_bf16_v3.c, gemm_bf16_v4.c and gemm_bf16_pairs.c.
 *
 * gemm.h says which give the same bits.
 */
#include <assert.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "tensor/gemm_table.h"

/* --- what a set can do ---------------------------------------------------------------
 * cell         a packed pair, or element, of a factor
 * wide         a vector of WIDE elements of c
 * CELL         elements in a cell
 * TILE_ROWS    rows, TILE_WIDES vectors: the part of c that stays in registers */

typedef real wide __attribute__((vector_size(WIDE_BYTES)));
enum { WIDE = WIDE_BYTES / sizeof(real), TILE_COLUMNS = WIDE * TILE_WIDES };

#if defined GEMM_BFLOAT16 && defined __AVX512BF16__
typedef uint32_t cell;
enum { CELL = 2 };

static inline wide add_products(wide c, cell a, const cell *b)
{
    return (wide)_mm512_dpbf16_ps((__m512)c, (__m512bh)_mm512_set1_epi32((int)a),
                                  (__m512bh)_mm512_loadu_si512(b));
}
#else
typedef real cell;
enum { CELL = 1 };

#ifndef __FMA__
static inline real multiply_add(real a, real b, real c)
{
#ifdef GEMM_BFLOAT16
    /* fma(a, b, c), for a and b that are bfloat16.  The product, of 16 bits, is exact in
     * double.  So is the sum, or else the smaller of the two, of 16 or 24 bits, is below
     * 2^-28 of the larger, which is a float: far from where rounding twice would matter.
     */
    return (float)((double)a * (double)b + (double)c);
#else
    return a * b + c;
#endif
}
#endif

static inline wide add_products(wide c, cell a, const cell *b)
{
#if defined __AVX512F__ && defined REAL_DOUBLE
    return (wide)_mm512_fmadd_pd(_mm512_set1_pd(a), _mm512_loadu_pd(b), (__m512d)c);
#elif defined __FMA__ && defined REAL_DOUBLE
    return (wide)_mm256_fmadd_pd(_mm256_set1_pd(a), _mm256_loadu_pd(b), (__m256d)c);
#elif defined __AVX512F__
    return (wide)_mm512_fmadd_ps(_mm512_set1_ps(a), _mm512_loadu_ps(b), (__m512)c);
#elif defined __FMA__
    return (wide)_mm256_fmadd_ps(_mm256_set1_ps(a), _mm256_loadu_ps(b), (__m256)c);
#else
    for (size_t l = 0; l < WIDE; l++)
        c[l] = multiply_add(a, b[l], c[l]);
    return c;
#endif
}
#endif

#ifdef GEMM_BFLOAT16
enum { GEMM_DIRECT = false };
#else
enum { GEMM_DIRECT = true };
#endif
static_assert(GEMM_GROUP % TILE_ROWS == 0, "a tile lies in one group");

/* Cells of K elements, packed. */
static inline size_t packed_cells(size_t K)
{
    return (K + 1) / 2 * 2 / CELL;
}

/* Cells that a sum of K terms takes. */
static inline size_t sum_cells(size_t K)
{
    return GEMM_DIRECT ? K : packed_cells(K);
}

static inline size_t group_cells(size_t K)
{
    return GEMM_GROUP * packed_cells(K);
}

/* --- packing -------------------------------------------------------------------------
 */

#ifdef GEMM_BFLOAT16
/* The bfloat16 in the upper half. */
static inline uint32_t round_up_half(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t size = u & 0x7fffffff, rounded = u + 0x7fff + ((u >> 16) & 1);
    const uint32_t number = size < 0x00800000 ? u & 0x80000000 : rounded;
    return (size > 0x7f800000 ? u | 0x400000 : number) & 0xffff0000;
}
#endif

/* Two elements of the sum, k and k + 1, of each of @n rows, or columns, side by side:
 * cells @next apart. */
static inline void pack_pair(cell *to, size_t next, const real *x0, const real *x1,
                             size_t n)
{
#if !defined GEMM_BFLOAT16
    memcpy(to, x0, n * sizeof *to);
    memcpy(to + next, x1, n * sizeof *to);
#elif defined __AVX512BF16__
    (void)next;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        to[i] = round_up_half(x0[i]) >> 16 | round_up_half(x1[i]);
#else
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const uint32_t u0 = round_up_half(x0[i]), u1 = round_up_half(x1[i]);
        memcpy(&to[i], &u1, sizeof u1);
        memcpy(&to[next + i], &u0, sizeof u0);
    }
#endif
}

/* Two elements, the second maybe none, as cells @next apart. */
static inline void pack_two(cell *to, size_t next, real x0, real x1)
{
    pack_pair(to, next, &x0, &x1, 1);
}

static const real zeros[GEMM_GROUP];

/* to [n / width][cells][width]  <-  x [K,n]; blocks @stride cells apart */
static inline void pack_across(cell *to, size_t stride, const real *x, size_t ld,
                               size_t n, size_t K, const size_t width)
{
    for (size_t i = 0; i < n; i += width, to += stride) {
        cell *at = to;
        for (size_t k = 0; k < K; k += 2, at += width * 2 / CELL) {
            const real *x0 = x + k * ld + i, *x1 = k + 1 < K ? x0 + ld : zeros;
            if (n - i >= width) {
                pack_pair(at, width, x0, x1, width);
                continue;
            }
            memset(at, 0, width * 2 / CELL * sizeof *at);
            pack_pair(at, width, x0, x1, n - i);
        }
    }
}

static void pack_groups(void *to, const real *a, size_t lda, size_t M, size_t K)
{
    pack_across(to, group_cells(K), a, lda, M, K, GEMM_GROUP);
}

static void pack_n(void *to, size_t stride, const real *b, size_t ldb, size_t N, size_t K)
{
    pack_across(to, stride / sizeof(cell), b, ldb, N, K, TILE_COLUMNS);
}

/* to [cells]  <-  x [K] */
static inline void pack_row(cell *to, const real *x, size_t K)
{
#if !defined GEMM_BFLOAT16
    memcpy(to, x, K / 2 * 2 * sizeof *to);
#elif defined __AVX512BF16__
    uint16_t *halves = (uint16_t *)(void *)to;
#pragma omp simd
    for (size_t k = 0; k < K / 2 * 2; k++)
        halves[k] = (uint16_t)(round_up_half(x[k]) >> 16);
#else
    for (size_t k = 0; k + 1 < K; k += 2)
        pack_two(to + k, 1, x[k], x[k + 1]);
#endif
    if (K % 2)
        pack_two(to + (K - 1) / CELL, 1, x[K - 1], 0);
}

static void pack_rows(void *to, size_t step, const real *a, size_t lda, size_t M,
                      size_t K)
{
    for (size_t m = 0; m < M; m++)
        pack_row((cell *)to + m * step, a + m * lda, K);
}

enum { SQUARE = 16 }; /* cells that are transposed at a time */

/* to [SQUARE, TILE_COLUMNS]  <-  x [SQUARE of TILE_COLUMNS, SQUARE], transposed; rows of
 * x are @ld apart */
#if defined __AVX512F__ && !defined REAL_DOUBLE
static inline void transpose(cell *to, const cell *x, size_t ld)
{
    __m512 r[SQUARE], t[SQUARE];
    for (size_t i = 0; i < SQUARE; i++)
        r[i] = _mm512_loadu_ps(x + i * ld);
    for (size_t i = 0; i < SQUARE; i += 2) { /* pairs of rows */
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < SQUARE; i += 4)
        for (size_t j = 0; j < 2; j++) { /* four rows */
            const __m512d lo = (__m512d)t[i + j], hi = (__m512d)t[i + j + 2];
            r[i + 2 * j] = (__m512)_mm512_unpacklo_pd(lo, hi);
            r[i + 2 * j + 1] = (__m512)_mm512_unpackhi_pd(lo, hi);
        }
    for (size_t i = 0; i < SQUARE; i += 8)
        for (size_t j = 0; j < 4; j++) { /* eight: lanes 0 2 0 2, and 1 3 1 3 */
            t[i + j] = _mm512_shuffle_f32x4(r[i + j], r[i + j + 4], 0x88);
            t[i + j + 4] = _mm512_shuffle_f32x4(r[i + j], r[i + j + 4], 0xdd);
        }
    for (size_t i = 0; i < 8; i++) {
        _mm512_storeu_ps(to + i * TILE_COLUMNS,
                         _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
        _mm512_storeu_ps(to + (i + 8) * TILE_COLUMNS,
                         _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
    }
}
#else
static inline void transpose(cell *to, const cell *x, size_t ld)
{
    typedef cell four __attribute__((vector_size(4 * sizeof(cell))));
    const size_t squares = SQUARE, all = TILE_COLUMNS,
                 columns = squares < all ? squares : all;
    for (size_t n = 0; n < columns; n += 4)
        for (size_t k = 0; k < SQUARE; k += 4) {
            four y[4], t[4];
            for (size_t i = 0; i < 4; i++)
                memcpy(&y[i], x + (n + i) * ld + k, sizeof y[i]);
            t[0] = __builtin_shufflevector(y[0], y[1], 0, 4, 1, 5);
            t[1] = __builtin_shufflevector(y[0], y[1], 2, 6, 3, 7);
            t[2] = __builtin_shufflevector(y[2], y[3], 0, 4, 1, 5);
            t[3] = __builtin_shufflevector(y[2], y[3], 2, 6, 3, 7);
            y[0] = __builtin_shufflevector(t[0], t[2], 0, 1, 4, 5);
            y[1] = __builtin_shufflevector(t[0], t[2], 2, 3, 6, 7);
            y[2] = __builtin_shufflevector(t[1], t[3], 0, 1, 4, 5);
            y[3] = __builtin_shufflevector(t[1], t[3], 2, 3, 6, 7);
            for (size_t i = 0; i < 4; i++)
                memcpy(to + (k + i) * TILE_COLUMNS + n, &y[i], sizeof y[i]);
        }
}
#endif

/* SQUARE cells of each column of a panel. */
static inline void transpose_all(cell *to, const cell *x, size_t ld)
{
    for (size_t n = 0; n < TILE_COLUMNS; n += SQUARE)
        transpose(to + n, x + n * ld, ld);
}

/* The same of up to TILE_COLUMNS rows of b, from term k on, of which there are K. */
static inline void transpose_some(cell *to, const real *b, size_t ldb, size_t N, size_t k,
                                  size_t K)
{
    cell side[TILE_COLUMNS * SQUARE], room[TILE_COLUMNS * SQUARE];
    const size_t terms = K - k < SQUARE * CELL ? K - k : SQUARE * CELL;
    if (terms < SQUARE * CELL || N < TILE_COLUMNS)
        memset(side, 0, sizeof side);
    for (size_t n = 0; n < N; n++)
        pack_row(side + n * SQUARE, b + n * ldb + k, terms);
    if (terms == SQUARE * CELL) {
        transpose_all(to, side, SQUARE);
        return;
    }
    transpose_all(room, side, SQUARE);
    memcpy(to, room, packed_cells(terms) * TILE_COLUMNS * sizeof *to);
}

/* One panel: up to TILE_COLUMNS rows of b, each K long, become its columns. */
static inline void pack_panel(cell *to, const real *b, size_t ldb, size_t N, size_t K)
{
    for (size_t k = 0; k < K; k += SQUARE * CELL, to += SQUARE * TILE_COLUMNS) {
#ifndef GEMM_BFLOAT16
        if (N == TILE_COLUMNS && K - k >= SQUARE) {
            transpose_all(to, b + k, ldb);
            continue;
        }
#endif
        transpose_some(to, b, ldb, N, k, K);
    }
}

static void pack_t(void *to, size_t stride, const real *b, size_t ldb, size_t N, size_t K)
{
    for (size_t n = 0; n < N; n += TILE_COLUMNS)
        pack_panel((cell *)to + n / TILE_COLUMNS * (stride / sizeof(cell)), b + n * ldb,
                   ldb, N - n < TILE_COLUMNS ? N - n : TILE_COLUMNS, K);
}

/* --- products ------------------------------------------------------------------------
 */

/* The first rows of the first factor: row m, cell k is at[m * row + k * step]. */
struct rows_of_cells {
    const cell *at;
    size_t row, step;
};

/* c [rows, TILE_COLUMNS]  <- or +=  a [rows, cells] * b [cells, TILE_COLUMNS] */
static inline __attribute__((always_inline)) void tile(real *c, size_t ldc,
                                                       struct rows_of_cells a,
                                                       const cell *b, size_t cells,
                                                       bool add, const size_t rows)
{
    wide s[TILE_ROWS][TILE_WIDES];
#pragma GCC unroll 16
    for (size_t m = 0; m < rows; m++)
#pragma GCC unroll 2
        for (size_t w = 0; w < TILE_WIDES; w++) {
            if (add)
                memcpy(&s[m][w], c + m * ldc + w * WIDE, sizeof s[m][w]);
            else
                s[m][w] = (wide){0};
        }
    for (size_t k = 0; k < cells; k++)
#pragma GCC unroll 16
        for (size_t m = 0; m < rows; m++)
#pragma GCC unroll 2
            for (size_t w = 0; w < TILE_WIDES; w++)
                s[m][w] = add_products(s[m][w], a.at[m * a.row + k * a.step],
                                       b + k * TILE_COLUMNS + w * WIDE);
#pragma GCC unroll 16
    for (size_t m = 0; m < rows; m++)
#pragma GCC unroll 2
        for (size_t w = 0; w < TILE_WIDES; w++)
            memcpy(c + m * ldc + w * WIDE, &s[m][w], sizeof s[m][w]);
}

/* The same for any number of rows, each with its own registers. */
static inline __attribute__((always_inline)) void tile_of(real *c, size_t ldc,
                                                          struct rows_of_cells a,
                                                          const cell *b, size_t cells,
                                                          bool add, size_t rows)
{
    switch (rows) {
#define ROWS(n)                                                                          \
    case n:                                                                              \
        if (n <= TILE_ROWS)                                                              \
            tile(c, ldc, a, b, cells, add, n);                                           \
        break;
        ROWS(1)
        ROWS(2)
        ROWS(3)
        ROWS(4)
        ROWS(5)
        ROWS(6)
        ROWS(7)
        ROWS(8)
        ROWS(9)
        ROWS(10)
        ROWS(11)
        ROWS(12)
#undef ROWS
    default:
        assert(!"a tile has no more rows");
    }
}

/* That one of the distances is 1 is known to the compiler. */
static void tile_of_rows(real *c, size_t ldc, const cell *a, size_t step, const cell *b,
                         size_t cells, bool add, size_t rows)
{
    tile_of(c, ldc, (struct rows_of_cells){a, step, 1}, b, cells, add, rows);
}

static void tile_across(real *c, size_t ldc, const cell *a, size_t step, const cell *b,
                        size_t cells, bool add, size_t rows)
{
    tile_of(c, ldc, (struct rows_of_cells){a, 1, step}, b, cells, add, rows);
}

/* From row @m on. */
static const cell *left_at(const struct gemm_left *a, size_t m, size_t K)
{
    const cell *at = a->cells;
    switch (a->form) {
    case LEFT_ROWS:
        return at + m * a->step;
    case LEFT_ACROSS:
        return at + m;
    case LEFT_GROUPS:
        return at + m / GEMM_GROUP * group_cells(K) + m % GEMM_GROUP;
    }
    return NULL;
}

/* @rows of c from @m on, @N columns, at most TILE_COLUMNS. */
static void any_tile(real *c, size_t ldc, const struct gemm_left *left, size_t m,
                     const cell *b, size_t K, bool add, size_t rows, size_t N)
{
    real room[TILE_ROWS * TILE_COLUMNS];
    const bool whole = N == TILE_COLUMNS;
    real *to = whole ? c : room;
    const size_t ld = whole ? ldc : TILE_COLUMNS;
    const cell *a = left_at(left, m, K);
    if (!whole) {
        memset(room, 0, sizeof room);
        for (size_t r = 0; r < rows && add; r++)
            memcpy(room + r * ld, c + r * ldc, N * sizeof *c);
    }
    if (left->form == LEFT_ROWS)
        tile_of_rows(to, ld, a, left->step, b, sum_cells(K), add, rows);
    else
        tile_across(to, ld, a, left->step, b, sum_cells(K), add, rows);
    for (size_t r = 0; r < rows && !whole; r++)
        memcpy(c + r * ldc, room + r * ld, N * sizeof *c);
}

static void block(real *c, size_t ldc, struct gemm_left a, const void *b, size_t stride,
                  size_t M, size_t N, size_t K, bool add)
{
    for (size_t n = 0; n < N; n += TILE_COLUMNS) {
        const cell *panel = (const cell *)b + n / TILE_COLUMNS * (stride / sizeof(cell));
        const size_t columns = N - n < TILE_COLUMNS ? N - n : TILE_COLUMNS;
        for (size_t m = 0; m < M; m += TILE_ROWS) {
            const size_t rows = M - m < TILE_ROWS ? M - m : TILE_ROWS;
            any_tile(c + m * ldc + n, ldc, &a, m, panel, K, add, rows, columns);
        }
    }
}

/* --- the ceiling ---------------------------------------------------------------------- */

/* Sums that do not wait for each other: more than latency times units of any CPU, and
 * with their factors as many as there are registers.  Without an fma each has a factor of
 * its own, or all would share one product. */
#if defined __AVX512F__
enum { BURST_SUMS = 24, BURST_APART = 0 };
#elif defined __FMA__
enum { BURST_SUMS = 12, BURST_APART = 0 };
#else
enum { BURST_SUMS = 8, BURST_APART = WIDE };
#endif

static double burst(size_t rounds)
{
    real ones[BURST_SUMS * WIDE * CELL], results[BURST_SUMS * WIDE];
    cell factors[BURST_SUMS * WIDE];
    wide s[BURST_SUMS];
    for (size_t i = 0; i < BURST_SUMS * WIDE * CELL; i++)
        ones[i] = 1;
    pack_row(factors, ones, BURST_SUMS * WIDE * CELL);
#pragma GCC unroll 24
    for (size_t i = 0; i < BURST_SUMS; i++)
        memcpy(&s[i], ones + i * WIDE, sizeof s[i]);
    for (size_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : : "r"(factors) : "memory"); /* they may have changed */
        const cell a = factors[0];
#pragma GCC unroll 24
        for (size_t i = 0; i < BURST_SUMS; i++)
            s[i] = add_products(s[i], a, factors + i * BURST_APART);
    }
#pragma GCC unroll 24
    for (size_t i = 0; i < BURST_SUMS; i++)
        memcpy(results + i * WIDE, &s[i], sizeof s[i]);
    __asm__ volatile("" : : "r"(results) : "memory");
    return 2.0 * BURST_SUMS * WIDE * CELL * (double)rounds;
}

const struct gemm_table GEMM_TABLE = {.columns = TILE_COLUMNS,
                                      .bytes = sizeof(cell) / CELL,
                                      .direct = GEMM_DIRECT,
                                      .pack_rows = pack_rows,
                                      .pack_groups = pack_groups,
                                      .pack_n = pack_n,
                                      .pack_t = pack_t,
                                      .block = block,
                                      .burst = burst};
