/* bf16_kernels.h - the source of the bfloat16 products, compiled once per instruction set
 * by bf16_v2.c, bf16_v3.c, bf16_v4.c and bf16_pairs.c with their own compiler flags.
 *
 * All give the same bits: bf16_gemm.h says which.
 */
#include <assert.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "tensor/bf16_table.h"

/* --- what a set can do ---------------------------------------------------------------
 * cell         a packed pair, or element, of a factor
 * wide         a vector of WIDE elements of c
 * CELL         elements in a cell
 * TILE_ROWS    rows, TILE_WIDES vectors: the part of c that stays in registers */

typedef float wide __attribute__((vector_size(WIDE_BYTES)));
enum { WIDE = WIDE_BYTES / 4, TILE_COLUMNS = WIDE * TILE_WIDES };

#ifdef __AVX512BF16__
typedef uint32_t cell;
enum { CELL = 2 };

static inline wide add_products(wide c, cell a, const cell *b)
{
    return (wide)_mm512_dpbf16_ps((__m512)c, (__m512bh)_mm512_set1_epi32((int)a),
                                  (__m512bh)_mm512_loadu_si512(b));
}
#else
typedef float cell;
enum { CELL = 1 };

#ifndef __FMA__
/* fma(a, b, c), for a and b that are bfloat16.  The product, of 16 bits, is exact in double.
 * So is the sum, or else the smaller of the two, of 16 or 24 bits, is below 2^-28 of the
 * larger, which is a float: far from where rounding twice would matter. */
static inline float multiply_add(float a, float b, float c)
{
    return (float)((double)a * (double)b + (double)c);
}
#endif

static inline wide add_products(wide c, cell a, const cell *b)
{
#if defined __AVX512F__
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

static_assert(BF16_GROUP % TILE_ROWS == 0, "a tile lies in one group");

/* --- packing -------------------------------------------------------------------------
 */

/* The bfloat16 in the upper half. */
static inline uint32_t round_up_half(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t size = u & 0x7fffffff, rounded = u + 0x7fff + ((u >> 16) & 1);
    const uint32_t number = size < 0x00800000 ? u & 0x80000000 : rounded;
    return (size > 0x7f800000 ? u | 0x400000 : number) & 0xffff0000;
}

/* Two elements of the sum, k and k + 1, of each of @n rows, or columns, side by side:
 * cells @next apart. */
static inline void pack_pair(cell *to, size_t next, const float *x0, const float *x1,
                             size_t n)
{
#if defined __AVX512BF16__
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
static inline void pack_two(cell *to, size_t next, float x0, float x1)
{
    pack_pair(to, next, &x0, &x1, 1);
}

static const float zeros[BF16_GROUP];

/* to [n / width][cells][width]  <-  x [K,n]; blocks @stride cells apart */
static inline void pack_across(cell *to, size_t stride, const float *x, size_t ld,
                               size_t n, size_t K, const size_t width)
{
    for (size_t i = 0; i < n; i += width, to += stride) {
        cell *at = to;
        for (size_t k = 0; k < K; k += 2, at += width * 2 / CELL) {
            const float *x0 = x + k * ld + i, *x1 = k + 1 < K ? x0 + ld : zeros;
            if (n - i >= width) {
                pack_pair(at, width, x0, x1, width);
                continue;
            }
            memset(at, 0, width * 2 / CELL * sizeof *at);
            pack_pair(at, width, x0, x1, n - i);
        }
    }
}

static void pack_groups(void *to, const float *a, size_t lda, size_t M, size_t K)
{
    pack_across(to, BF16_GROUP * ((K + 1) / 2 * 2 / CELL), a, lda, M, K, BF16_GROUP);
}

static void pack_n(void *to, size_t stride, const float *b, size_t ldb, size_t N,
                   size_t K)
{
    pack_across(to, stride / sizeof(cell), b, ldb, N, K, TILE_COLUMNS);
}

/* to [cells]  <-  x [K] */
static inline void pack_row(cell *to, const float *x, size_t K)
{
#ifdef __AVX512BF16__
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

static void pack_rows(void *to, const float *a, size_t lda, size_t M, size_t K)
{
    const size_t cells = (K + 1) / 2 * 2 / CELL;
    for (size_t m = 0; m < M; m++)
        pack_row((cell *)to + m * cells, a + m * lda, K);
}

enum { SQUARE = 16 }; /* cells that are transposed at a time */

/* to [SQUARE, TILE_COLUMNS]  <-  x [TILE_COLUMNS, SQUARE], transposed */
static inline void transpose(cell *to, const cell *x)
{
    typedef cell four __attribute__((vector_size(4 * sizeof(cell))));
    for (size_t n = 0; n < TILE_COLUMNS; n += 4)
        for (size_t k = 0; k < SQUARE; k += 4) {
            four y[4], t[4];
            for (size_t i = 0; i < 4; i++)
                memcpy(&y[i], x + (n + i) * SQUARE + k, sizeof y[i]);
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

/* One panel: up to TILE_COLUMNS rows of b, each K long, become its columns. */
static inline void pack_panel(cell *to, const float *b, size_t ldb, size_t N, size_t K)
{
    cell side[TILE_COLUMNS * SQUARE];
    const size_t cells = (K + 1) / 2 * 2 / CELL;
    for (size_t first = 0; first < cells; first += SQUARE) {
        const size_t k = first * CELL;
        const bool whole = K - k >= SQUARE * CELL;
        if (!whole || N < TILE_COLUMNS)
            memset(side, 0, sizeof side);
        for (size_t n = 0; n < N; n++)
            pack_row(side + n * SQUARE, b + n * ldb + k, whole ? SQUARE * CELL : K - k);
        if (cells - first >= SQUARE) {
            transpose(to + first * TILE_COLUMNS, side);
            continue;
        }
        cell room[TILE_COLUMNS * SQUARE];
        transpose(room, side);
        memcpy(to + first * TILE_COLUMNS, room,
               (cells - first) * TILE_COLUMNS * sizeof *to);
    }
}

static void pack_t(void *to, size_t stride, const float *b, size_t ldb, size_t N,
                   size_t K)
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
static inline __attribute__((always_inline)) void
tile(float *c, size_t ldc, struct rows_of_cells a, const cell *b, size_t cells, bool add,
     const size_t rows)
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
static inline __attribute__((always_inline)) void
tile_of(float *c, size_t ldc, struct rows_of_cells a, const cell *b, size_t cells,
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

/* The distances between cells are known to the compiler. */
static void tile_of_rows(float *c, size_t ldc, const cell *a, const cell *b, size_t cells,
                         bool add, size_t rows)
{
    tile_of(c, ldc, (struct rows_of_cells){a, cells, 1}, b, cells, add, rows);
}

static void tile_of_group(float *c, size_t ldc, const cell *a, const cell *b,
                          size_t cells, bool add, size_t rows)
{
    tile_of(c, ldc, (struct rows_of_cells){a, 1, BF16_GROUP}, b, cells, add, rows);
}

/* @N columns of c, at most TILE_COLUMNS. */
static void any_tile(float *c, size_t ldc, bool grouped, const cell *a, const cell *b,
                     size_t cells, bool add, size_t rows, size_t N)
{
    float room[TILE_ROWS * TILE_COLUMNS];
    const bool whole = N == TILE_COLUMNS;
    float *to = whole ? c : room;
    const size_t ld = whole ? ldc : TILE_COLUMNS;
    if (!whole) {
        memset(room, 0, sizeof room);
        for (size_t m = 0; m < rows && add; m++)
            memcpy(room + m * ld, c + m * ldc, N * sizeof *c);
    }
    if (grouped)
        tile_of_group(to, ld, a, b, cells, add, rows);
    else
        tile_of_rows(to, ld, a, b, cells, add, rows);
    for (size_t m = 0; m < rows && !whole; m++)
        memcpy(c + m * ldc, room + m * ld, N * sizeof *c);
}

static void block(float *c, size_t ldc, struct bf16_left a, const void *b, size_t stride,
                  size_t M, size_t N, size_t K, bool add)
{
    const size_t cells = K / CELL;
    const cell *left = a.cells;
    assert(K % 2 == 0);
    for (size_t n = 0; n < N; n += TILE_COLUMNS) {
        const cell *panel =
            (const cell *)b + n / TILE_COLUMNS * (stride / sizeof(cell));
        const size_t columns = N - n < TILE_COLUMNS ? N - n : TILE_COLUMNS;
        for (size_t m = 0; m < M; m += TILE_ROWS) {
            const size_t rows = M - m < TILE_ROWS ? M - m : TILE_ROWS;
            const size_t first = a.grouped ? m / BF16_GROUP * BF16_GROUP * cells +
                                                 m % BF16_GROUP
                                           : m * cells;
            any_tile(c + m * ldc + n, ldc, a.grouped, left + first, panel, cells, add,
                     rows, columns);
        }
    }
}

const struct bf16_table BF16_TABLE = {.columns = TILE_COLUMNS,
                                      .bytes = sizeof(cell) / CELL,
                                      .pack_rows = pack_rows,
                                      .pack_groups = pack_groups,
                                      .pack_n = pack_n,
                                      .pack_t = pack_t,
                                      .block = block};
