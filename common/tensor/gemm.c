#include "tensor/gemm.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <xmmintrin.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "tensor/gemm_table.h"

enum { SETS = 4 };

static const struct set {
    const char *name;
    const struct gemm_table *real, *bfloat16;
} sets[SETS] = {/* best first */
#ifdef REAL_DOUBLE
                {"pairs", &gemm_v4, NULL},
                {"v4", &gemm_v4, NULL},
                {"v3", &gemm_v3, NULL},
                {"v2", &gemm_v2, NULL}};
#else
                {"pairs", &gemm_v4, &gemm_bf16_pairs},
                {"v4", &gemm_v4, &gemm_bf16_v4},
                {"v3", &gemm_v3, &gemm_bf16_v3},
                {"v2", &gemm_v2, &gemm_bf16_v2}};
#endif

static const struct set *chosen = &sets[SETS - 1];

static bool supported(const struct set *s)
{
    __builtin_cpu_init();
    if (strcmp(s->name, "pairs") == 0)
        return __builtin_cpu_supports("x86-64-v4") &&
               __builtin_cpu_supports("avx512bf16");
    if (strcmp(s->name, "v4") == 0)
        return __builtin_cpu_supports("x86-64-v4");
    if (strcmp(s->name, "v3") == 0)
        return __builtin_cpu_supports("x86-64-v3");
    return __builtin_cpu_supports("x86-64-v2");
}

bool gemm_is_fused(void)
{
    return chosen->real != &gemm_v2;
}

/* The part of a sum that is computed at a time: PANEL_BYTES of the second factor stay in
 * the first cache, ROWS of the first one in the second.  No bits depend on it. */
enum { PANEL_BYTES = 48 << 10, ROWS = 11 * GEMM_GROUP, PAD_BYTES = 64 };

/* With so many columns the first factor is read so seldom that it need not be packed, but
 * if its columns become rows of c and lie on many pages. */
enum { DIRECT_COLUMNS = 256, DIRECT_ACROSS = 1024 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static size_t depth(const struct gemm_table *t)
{
    return PANEL_BYTES / (t->columns * t->bytes);
}

/* Of all columns of a panel. */
static size_t panel_bytes(const struct gemm_table *t, size_t K)
{
    return up(K, 2) * t->columns * t->bytes;
}

/* Bytes from one row of the first factor to the next, packed: not a power of two, or all
 * rows of a tile would meet in a few sets of the cache. */
static size_t row_bytes(const struct gemm_table *t, size_t K)
{
    return up(up(K, 2) * t->bytes, PAD_BYTES) + PAD_BYTES;
}

static size_t left_bytes(const struct gemm_table *t)
{
    return ROWS * row_bytes(t, depth(t));
}

static size_t room_bytes(const struct gemm_table *t)
{
    return PANEL_BYTES + left_bytes(t);
}

size_t gemm_room_bytes(void)
{
    size_t most = room_bytes(chosen->real);
    if (chosen->bfloat16 && room_bytes(chosen->bfloat16) > most)
        most = room_bytes(chosen->bfloat16);
    return most;
}

static struct gemm gemm_of(const struct gemm_table *t)
{
    return (struct gemm){t, mem_slab(room_bytes(t))};
}

struct gemm gemm_new(enum gemm_precision precision)
{
    const struct gemm_table *t =
        precision == GEMM_BFLOAT16 ? chosen->bfloat16 : chosen->real;
    assert(t);
    return gemm_of(t);
}

void gemm_free(struct gemm *g)
{
    if (g->room)
        mem_slab_free(g->room, room_bytes(g->kernels));
    *g = (struct gemm){0};
}

size_t gemm_packed_bytes(const struct gemm *g, size_t N, size_t K)
{
    const struct gemm_table *t = g->kernels;
    return up(N, t->columns) / t->columns * panel_bytes(t, K);
}

/* A factor: element (i, k) of it is x[i * ld + k], or x[k * ld + i] when @across. */
struct factor {
    const real *x;
    size_t ld;
    bool across;
    const void *packed; /* or NULL */
};

static const real *at(const struct factor *f, size_t i, size_t k)
{
    return f->across ? f->x + k * f->ld + i : f->x + i * f->ld + k;
}

/* The parts of something that are equal but for the last, as few as @most allows. */
static size_t even_part(size_t n, size_t most, size_t unit)
{
    const size_t parts = (n + most - 1) / most;
    return up((n + parts - 1) / parts, unit);
}

/* Rows [m, m + M) of the first factor, terms [k, k + K) of the sum. */
static struct gemm_left left_of(const struct gemm *g, const struct factor *a, size_t m,
                                size_t M, size_t k, size_t K, bool direct)
{
    const struct gemm_table *t = g->kernels;
    void *const room = (char *)g->room + PANEL_BYTES;
    if (direct)
        return (struct gemm_left){at(a, m, k), a->across ? LEFT_ACROSS : LEFT_ROWS,
                                  a->ld};
    if (a->across) {
        t->pack_groups(room, at(a, m, k), a->ld, M, K);
        return (struct gemm_left){room, LEFT_GROUPS, GEMM_GROUP};
    }
    /* in cells: of one element, or of a pair */
    const size_t cell = t->bytes < sizeof(float) ? 2 * t->bytes : t->bytes,
                 step = row_bytes(t, K) / cell;
    t->pack_rows(room, step, at(a, m, k), a->ld, M, K);
    return (struct gemm_left){room, LEFT_ROWS, step};
}

/* All columns of c, some rows of it, a part of the sum. */
static void rows_of_product(const struct gemm *g, real *c, size_t ldc,
                            struct gemm_left left, const struct factor *b, size_t M,
                            size_t N, size_t k, size_t K, size_t whole, bool add)
{
    const struct gemm_table *t = g->kernels;
    if (b->packed) {
        t->block(c, ldc, left, (const char *)b->packed + k * t->columns * t->bytes,
                 panel_bytes(t, whole), M, N, K, add);
        return;
    }
    for (size_t n = 0; n < N; n += t->columns) {
        const size_t columns = least(t->columns, N - n);
        (b->across ? t->pack_n : t->pack_t)(g->room, panel_bytes(t, K), at(b, n, k),
                                            b->ld, columns, K);
        t->block(c + n, ldc, left, g->room, panel_bytes(t, K), M, columns, K, add);
    }
}

static void product_in_blocks(const struct gemm *g, real *c, size_t ldc,
                              const struct factor *a, const struct factor *b, size_t M,
                              size_t N, size_t K, bool add)
{
    const bool direct = g->kernels->direct && N <= DIRECT_COLUMNS &&
                        (!a->across || a->ld <= DIRECT_ACROSS);
    const size_t terms = even_part(K, depth(g->kernels), 2),
                 rows = even_part(M, direct ? SIZE_MAX / 2 : ROWS, GEMM_GROUP);
    for (size_t k = 0; k < K; k += terms)
        for (size_t m = 0; m < M; m += rows) {
            const size_t part = least(terms, K - k), count = least(rows, M - m);
            const struct gemm_left left = left_of(g, a, m, count, k, part, direct);
            rows_of_product(g, c + m * ldc, ldc, left, b, count, N, k, part, K,
                            add || k > 0);
        }
}

static void product(const struct gemm *g, real *c, size_t ldc, struct factor a,
                    struct factor b, size_t M, size_t N, size_t K, bool add)
{
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    assert(ldc >= N && a.ld >= (a.across ? M : K));
    assert(b.packed || b.ld >= (b.across ? N : K));
    if (M == 0 || N == 0)
        return;
    if (K == 0) {
        for (size_t m = 0; m < M && !add; m++)
            memset(c + m * ldc, 0, N * sizeof *c);
        return;
    }
    const unsigned before = _mm_getcsr();
    if (!g->kernels->direct)
        _mm_setcsr(before | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    product_in_blocks(g, c, ldc, &a, &b, M, N, K, add);
    if (!g->kernels->direct)
        _mm_setcsr(before);
}

void gemm_nn(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    product(g, c, ldc, (struct factor){.x = a, .ld = lda},
            (struct factor){.x = b, .ld = ldb, .across = true}, M, N, K, add);
}

void gemm_nt(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    product(g, c, ldc, (struct factor){.x = a, .ld = lda},
            (struct factor){.x = b, .ld = ldb}, M, N, K, add);
}

void gemm_tn(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
             const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add)
{
    product(g, c, ldc, (struct factor){.x = a, .ld = lda, .across = true},
            (struct factor){.x = b, .ld = ldb, .across = true}, M, N, K, add);
}

void gemm_pack_n(const struct gemm *g, void *to, const real *b, size_t ldb, size_t N,
                 size_t K)
{
    g->kernels->pack_n(to, panel_bytes(g->kernels, K), b, ldb, N, K);
}

void gemm_pack_t(const struct gemm *g, void *to, const real *b, size_t ldb, size_t N,
                 size_t K)
{
    g->kernels->pack_t(to, panel_bytes(g->kernels, K), b, ldb, N, K);
}

void gemm_packed(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
                 const void *b, size_t M, size_t N, size_t K, bool add)
{
    product(g, c, ldc, (struct factor){.x = a, .ld = lda}, (struct factor){.packed = b},
            M, N, K, add);
}

/* --- the choice ------------------------------------------------------------------------
 */

#ifndef REAL_DOUBLE
/* Seconds for a small product in bfloat16. */
static double time_of(const struct set *s)
{
    enum { M = 96, N = 128, K = 256, ROUNDS = 4 };
    static const real a[M * K], b[N * K];
    static real c[M * N];
    double best = INFINITY;
    struct gemm g = gemm_of(s->bfloat16);
    for (int round = 0; round < ROUNDS; round++) {
        const double start = clock_seconds();
        gemm_nn(&g, c, N, a, K, b, N, M, N, K, false);
        best = fmin(best, clock_seconds() - start);
    }
    gemm_free(&g);
    return best;
}

/* vdpbf16ps multiplies at twice the rate of float32, or at half of it (Intel, which means
 * AMX to be used): the set behind is taken where it is faster, the bits are the same. */
static const struct set *faster(const struct set *s)
{
    return s == sets && time_of(s + 1) < time_of(s) ? s + 1 : s;
}
#else
static const struct set *faster(const struct set *s)
{
    return s;
}
#endif

int gemm_start(const char *want, const char **name)
{
    for (int i = 0; i < SETS; i++)
        if (supported(&sets[i]) && (!want || strcmp(want, sets[i].name) == 0)) {
            chosen = want ? &sets[i] : faster(&sets[i]);
            *name = chosen->name;
            return ERR_OK;
        }
    log_error(
        "products by %s: this CPU does not have it; there are pairs, v4, v3 and v2, "
        "and the CPU must be x86-64-v2 (SSE 4.2) at least",
        want ? want : "any set");
    return ERR_RANGE;
}

double gemm_burst(const struct gemm *g, size_t rounds)
{
    return g->kernels->burst(rounds);
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
    struct gemm g = gemm_new(GEMM_REAL);
    for (int round = 0; round < ROUNDS; round++) {
        const double start = clock_seconds();
        gemm_nn(&g, c, N, a, N, b, N, N, N, N, false);
        const double rate = 2.0 * N * N * N / (clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    gemm_free(&g);
    mem_slab_free(a, bytes);
    mem_slab_free(b, bytes);
    mem_slab_free(c, bytes);
    return best;
}
