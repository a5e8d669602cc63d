/* rows_attend.h - inside rows_kernels.h: products of the attention of short sequences.
 *
 * Results are made in tiles of TILE_ROWS x LANES numbers that stay in registers.  Each
 * number is a chain of muladd() in the order of k, whatever tile it is part of.
 */

#ifdef REAL_DOUBLE
#define WIDE_REAL(kind, name, bits) kind##bits##_##name##_pd
#else
#define WIDE_REAL(kind, name, bits) kind##bits##_##name##_ps
#endif

typedef real wide_real __attribute__((vector_size(WIDE_BYTES)));

/* muladd() of all elements. */
static inline wide_real wide_muladd(wide_real a, wide_real b, wide_real c)
{
#if defined __AVX512F__
    return WIDE_REAL(_mm, fmadd, 512)(a, b, c);
#elif defined __FMA__
    return WIDE_REAL(_mm, fmadd, 256)(a, b, c);
#else
    return a * b + c;
#endif
}

static inline wide_real wide_load(const real *x)
{
    wide_real y;
    memcpy(&y, x, sizeof y);
    return y;
}

static inline void wide_store(real *y, wide_real x)
{
    memcpy(y, &x, sizeof x);
}

enum {
    WIDE = WIDE_BYTES / sizeof(real),
    TILE_WIDES = LANES / WIDE,
    TILE_ROWS = WIDE_BYTES / 8, /* 8 registers: v2 and v3 have 16 in all */
    GROUP = 8                   /* rows, or keys, that a mask treats alike; in all sets */
};

/* The factor whose elements are taken one at a time: element (m,k) of it. */
struct single {
    const real *x;
    size_t m, k; /* distances */
};

/* c [rows, LANES]  <- or +=  a [rows, K] * b [K, LANES] */
static inline __attribute__((always_inline)) void tile(real *c, size_t ldc,
                                                       struct single a, const real *b,
                                                       size_t ldb, size_t K, bool add,
                                                       const size_t rows)
{
    wide_real s[TILE_ROWS][TILE_WIDES] = {0};
    for (size_t k = 0; k < K; k++)
#pragma GCC unroll 8
        for (size_t w = 0; w < TILE_WIDES; w++) {
            const wide_real y = wide_load(b + k * ldb + w * WIDE);
#pragma GCC unroll 8
            for (size_t m = 0; m < rows; m++) {
                const wide_real all = a.x[m * a.m + k * a.k] - (wide_real){0};
                s[m][w] = wide_muladd(all, y, s[m][w]);
            }
        }
#pragma GCC unroll 8
    for (size_t m = 0; m < rows; m++)
#pragma GCC unroll 8
        for (size_t w = 0; w < TILE_WIDES; w++) {
            real *to = c + m * ldc + w * WIDE;
            wide_store(to, add ? wide_load(to) + s[m][w] : s[m][w]);
        }
}

/* c [M, LANES]  <- or +=  a [M,K] * b [K, LANES] */
static inline __attribute__((always_inline)) void tiles(real *c, size_t ldc,
                                                        struct single a, const real *b,
                                                        size_t ldb, size_t M, size_t K,
                                                        bool add)
{
    while (M > 0) {
        const size_t rows = M < TILE_ROWS ? M : TILE_ROWS;
        switch (rows) { /* each with its own registers */
#define ROWS(n)                                                                          \
    case n:                                                                              \
        if (n <= TILE_ROWS)                                                              \
            tile(c, ldc, a, b, ldb, K, add, n);                                          \
        break;
            ROWS(1)
            ROWS(2)
            ROWS(3)
            ROWS(4)
            ROWS(5)
            ROWS(6)
            ROWS(7)
            ROWS(8)
#undef ROWS
        }
        c += rows * ldc;
        a.x += rows * a.m;
        M -= rows;
    }
}

/* to [4,4], rows LANES apart  <-  row[0..3][first..first+3], transposed */
static inline void transpose_four(real *to, const real *const row[4], size_t first)
{
    four x[4], t[4];
    for (int i = 0; i < 4; i++)
        memcpy(&x[i], row[i] + first, sizeof x[i]);
    t[0] = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5);
    t[1] = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    t[2] = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
    t[3] = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(t[0], t[2], 0, 1, 4, 5);
    x[1] = __builtin_shufflevector(t[0], t[2], 2, 3, 6, 7);
    x[2] = __builtin_shufflevector(t[1], t[3], 0, 1, 4, 5);
    x[3] = __builtin_shufflevector(t[1], t[3], 2, 3, 6, 7);
    for (size_t i = 0; i < 4; i++)
        memcpy(to + i * LANES, &x[i], sizeof x[i]);
}

/* yt [D, LANES]  <-  y [n,D]^T, zeros for n..LANES */
static inline void transpose(real *yt, const real *y, size_t ldy, size_t n, size_t D)
{
    static const real zeros[ROWS_HEAD_MAX];
    for (size_t j = 0; j < LANES; j += 4) {
        const real *row[4];
        for (size_t i = 0; i < 4; i++)
            row[i] = j + i < n ? y + (j + i) * ldy : zeros;
        for (size_t d = 0; d < D; d += 4)
            transpose_four(yt + d * LANES + j, row, d);
    }
}

static void scores(real *a, size_t ld, const real *x, size_t ldx, const real *y,
                   size_t ldy, size_t T, size_t S, size_t D, bool causal)
{
    real yt[ROWS_HEAD_MAX * LANES];
    assert(D % LANES == 0 && D <= ROWS_HEAD_MAX);
    assert(ld >= S && ld % LANES == 0 && (!causal || S == T));
    for (size_t j = 0; j < S; j += LANES) {
        const size_t keys = S - j < LANES ? S - j : LANES, first = causal ? j : 0;
        transpose(yt, y + j * ldy, ldy, keys, D);
        tiles(a + first * ld + j, ld, (struct single){x + first * ldx, ldx, 1}, yt, LANES,
              T - first, D, false);
    }
}

static void mix(real *x, size_t ldx, const real *a, size_t ld, const real *y, size_t ldy,
                size_t T, size_t S, size_t D, bool causal)
{
    assert(D % LANES == 0 && (!causal || S == T));
    for (size_t t = 0; t < T; t += GROUP) {
        const size_t end = t + GROUP < T ? t + GROUP : T;
        for (size_t d = 0; d < D; d += LANES)
            tiles(x + t * ldx + d, ldx, (struct single){a + t * ld, ld, 1}, y + d, ldy,
                  end - t, causal ? end : S, false);
    }
}

static void mix_transposed(real *x, size_t ldx, const real *a, size_t ld, const real *y,
                           size_t ldy, size_t T, size_t S, size_t D, bool causal,
                           bool add)
{
    assert(D % LANES == 0 && (!causal || S == T));
    for (size_t j = 0; j < S; j += GROUP) {
        const size_t keys = S - j < GROUP ? S - j : GROUP, first = causal ? j : 0;
        for (size_t d = 0; d < D; d += LANES)
            tiles(x + j * ldx + d, ldx, (struct single){a + first * ld + j, 1, ld},
                  y + first * ldy + d, ldy, keys, T - first, add);
    }
}
