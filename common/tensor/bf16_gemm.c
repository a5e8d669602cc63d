#include "tensor/bf16_gemm.h"

#include <assert.h>
#include <string.h>
#include <xmmintrin.h>

#include "base/err.h"
#include "base/log.h"
#include "tensor/bf16_table.h"

enum { SETS = 4 };

static const struct {
    const char *name;
    const struct bf16_table *table;
} sets[SETS] = {
    {"bf16", &bf16_pairs}, {"v4", &bf16_v4}, {"v3", &bf16_v3}, {"v2", &bf16_v2}};

static const struct bf16_table *set = &bf16_v2;

static bool supported(const struct bf16_table *table)
{
    __builtin_cpu_init();
    if (table == &bf16_pairs)
        return __builtin_cpu_supports("x86-64-v4") &&
               __builtin_cpu_supports("avx512bf16");
    if (table == &bf16_v4)
        return __builtin_cpu_supports("x86-64-v4");
    if (table == &bf16_v3)
        return __builtin_cpu_supports("x86-64-v3");
    return __builtin_cpu_supports("x86-64-v2");
}

int bf16_start(const char *want, const char **name)
{
    for (int i = 0; i < SETS; i++)
        if (supported(sets[i].table) && (!want || strcmp(want, sets[i].name) == 0)) {
            set = sets[i].table;
            *name = sets[i].name;
            return ERR_OK;
        }
    log_error("products in bfloat16 by %s: this CPU does not have it; there are bf16, v4, "
              "v3 and v2, and the CPU must be x86-64-v2 (SSE 4.2) at least",
              want ? want : "any set");
    return ERR_RANGE;
}

/* A panel of DEPTH x 32 elements stays in the first cache (24 KiB) while ROWS rows, which
 * stay in the second (180 KiB), are multiplied with it; COLUMNS are what is packed at a
 * time (1.1 MiB).  Twice as much without bfloat16.  No bits depend on it. */
enum { DEPTH = 384, ROWS = 5 * BF16_GROUP, COLUMNS = 1536 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static size_t panel_bytes(size_t K)
{
    return up(K, 2) * set->columns * set->bytes;
}

static size_t left_bytes(void)
{
    return (size_t)ROWS * DEPTH * set->bytes;
}

size_t bf16_room_bytes(void)
{
    return left_bytes() + COLUMNS / set->columns * panel_bytes(DEPTH);
}

size_t bf16_packed_bytes(size_t N, size_t K)
{
    return up(N, set->columns) / set->columns * panel_bytes(K);
}

/* A factor: element (i, k) of it is x[i * ld + k], or x[k * ld + i] when @across. */
struct factor {
    const float *x;
    size_t ld;
    bool across;
    const void *packed; /* or NULL */
};

static const float *at(const struct factor *f, size_t i, size_t k)
{
    return f->across ? f->x + k * f->ld + i : f->x + i * f->ld + k;
}

static void pack_right(void *to, const float *b, size_t ld, bool across, size_t N,
                       size_t K, size_t stride)
{
    (across ? set->pack_n : set->pack_t)(to, stride, b, ld, N, K);
}

/* All rows of c in columns [n, n + N), terms of the sum [k, k + K). */
struct part {
    size_t n, N, k, K;
    const void *b; /* panels, @stride bytes apart */
    size_t stride;
};

static void rows_of_part(float *c, size_t ldc, const struct factor *a, size_t M,
                         const struct part *p, bool add, void *room)
{
    for (size_t m = 0; m < M; m += ROWS) {
        const size_t rows = least(ROWS, M - m);
        (a->across ? set->pack_groups : set->pack_rows)(room, at(a, m, p->k), a->ld, rows,
                                                        p->K);
        set->block(c + m * ldc + p->n, ldc, (struct bf16_left){room, a->across}, p->b,
                   p->stride, rows, p->N, up(p->K, 2), add);
    }
}

static void product_in_blocks(float *c, size_t ldc, const struct factor *a,
                              const struct factor *b, size_t M, size_t N, size_t K,
                              bool add, void *room)
{
    char *const panels = (char *)room + left_bytes();
    const size_t parts = (K + DEPTH - 1) / DEPTH,
                 depth = up((K + parts - 1) / parts, 2), width = b->packed ? N : COLUMNS;
    for (size_t n = 0; n < N; n += width)
        for (size_t k = 0; k < K; k += depth) {
            struct part p = {
                .n = n, .N = least(width, N - n), .k = k, .K = least(depth, K - k)};
            if (b->packed) {
                p.stride = panel_bytes(K);
                p.b = (const char *)b->packed + k * set->columns * set->bytes;
            } else {
                p.stride = panel_bytes(p.K);
                p.b = panels;
                pack_right(panels, at(b, n, k), b->ld, b->across, p.N, p.K, p.stride);
            }
            rows_of_part(c, ldc, a, M, &p, add || k > 0, room);
        }
}

static void product(float *c, size_t ldc, struct factor a, struct factor b, size_t M,
                    size_t N, size_t K, bool add, void *room)
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
    _mm_setcsr(before | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    product_in_blocks(c, ldc, &a, &b, M, N, K, add, room);
    _mm_setcsr(before);
}

void bf16_nn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room)
{
    product(c, ldc, (struct factor){.x = a, .ld = lda},
            (struct factor){.x = b, .ld = ldb, .across = true}, M, N, K, add, room);
}

void bf16_nt(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room)
{
    product(c, ldc, (struct factor){.x = a, .ld = lda},
            (struct factor){.x = b, .ld = ldb}, M, N, K, add, room);
}

void bf16_tn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb,
             size_t M, size_t N, size_t K, bool add, void *room)
{
    product(c, ldc, (struct factor){.x = a, .ld = lda, .across = true},
            (struct factor){.x = b, .ld = ldb, .across = true}, M, N, K, add, room);
}

void bf16_pack_n(void *to, const float *b, size_t ldb, size_t N, size_t K)
{
    pack_right(to, b, ldb, true, N, K, panel_bytes(K));
}

void bf16_pack_t(void *to, const float *b, size_t ldb, size_t N, size_t K)
{
    pack_right(to, b, ldb, false, N, K, panel_bytes(K));
}

void bf16_packed(float *c, size_t ldc, const float *a, size_t lda, const void *b,
                 size_t M, size_t N, size_t K, bool add, void *room)
{
    product(c, ldc, (struct factor){.x = a, .ld = lda}, (struct factor){.packed = b}, M,
            N, K, add, room);
}
