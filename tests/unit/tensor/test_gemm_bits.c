#include "support/sets.h"

#include <xmmintrin.h>

#include "tensor/gemm.h"

static const char *const names[] = {"v2", "v3", "v4", "pairs"};
enum { NAMES = 4, FLUSH = 0x8040 };

/* What is in the definition of a precision. */
static enum gemm_precision precision;

enum form { NN, NT, TN, PACKED_N, PACKED_T, FORMS };

struct shape {
    size_t M, N, K;
    enum form form;
    bool add;
};

static uint32_t word(uint32_t seed, size_t i)
{
    return philox(philox_key(seed, PHILOX_TEST), (struct philox_block){{(uint32_t)i}})
        .word[0];
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The definition: to nearest even, denormals to zero, what is no number stays so. */
static float rounded(float x)
{
    uint32_t u;
    if (precision == GEMM_REAL)
        return x;
    memcpy(&u, &x, sizeof u);
    if (isnan(x))
        return x;
    if ((u & 0x7f800000) == 0)
        return from_bits(u & 0x80000000);
    return from_bits((u + 0x7fff + (u >> 16 & 1)) & 0xffff0000);
}

/* Numbers of [-1,1); when @wild of all sizes, and some that are special. */
static float *numbers(size_t n, uint32_t seed, bool wild)
{
    static const uint32_t special[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x80000000,
                                       0x007fffff, 0x80000001, 0x00800000, 0x7f7fffff};
    float *x = malloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        const uint32_t w = word(seed, i);
        x[i] = (float)w * 0x1p-31f - 1;
        if (wild && w % 4 == 0)
            x[i] =
                from_bits((w & 0x807fffff) | (0x20000000 + (w >> 3 & 0x1f) * 0x800000));
        if (wild && w % 97 == 0)
            x[i] = from_bits(special[w / 97 % 8]);
    }
    return x;
}

static void multiply(float *c, const float *a, const float *b, const struct shape *s)
{
    struct gemm g = gemm_new(precision);
    void *packed = aligned_alloc(64, (gemm_packed_bytes(&g, s->N, s->K) + 127) / 64 * 64);
    switch (s->form) {
    case NN:
        gemm_nn(&g, c, s->N, a, s->K, b, s->N, s->M, s->N, s->K, s->add);
        break;
    case NT:
        gemm_nt(&g, c, s->N, a, s->K, b, s->K, s->M, s->N, s->K, s->add);
        break;
    case TN:
        gemm_tn(&g, c, s->N, a, s->M, b, s->N, s->M, s->N, s->K, s->add);
        break;
    case PACKED_N:
    case PACKED_T:
        if (s->form == PACKED_N)
            gemm_pack_n(&g, packed, b, s->N, s->N, s->K);
        else
            gemm_pack_t(&g, packed, b, s->K, s->N, s->K);
        gemm_packed(&g, c, s->N, a, s->K, packed, s->M, s->N, s->K, s->add);
        break;
    case FORMS:
        fail();
    }
    gemm_free(&g);
    free(packed);
}

static float left(const float *a, const struct shape *s, size_t m, size_t k)
{
    return rounded(s->form == TN ? a[k * s->M + m] : a[m * s->K + k]);
}

static float right(const float *b, const struct shape *s, size_t n, size_t k)
{
    const bool transposed = s->form == NT || s->form == PACKED_T;
    return rounded(transposed ? b[n * s->K + k] : b[k * s->N + n]);
}

/* The chain of the definition; denormals are flushed by the caller's MXCSR. */
static float chain(float c, const float *a, const float *b, const struct shape *s,
                   size_t m, size_t n)
{
    for (size_t k = 0; k < s->K && precision == GEMM_REAL; k++) {
        const float x = left(a, s, m, k), y = right(b, s, n, k);
        c = gemm_is_fused() ? fmaf(x, y, c) : x * y + c;
    }
    for (size_t k = 0; k < s->K && precision == GEMM_BFLOAT16; k += 2) {
        c = k + 1 < s->K ? fmaf(left(a, s, m, k + 1), right(b, s, n, k + 1), c)
                         : fmaf(0, 0, c);
        c = fmaf(left(a, s, m, k), right(b, s, n, k), c);
    }
    return c;
}

static bool same(float x, float y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

static void check(const struct shape *s, uint32_t seed, bool wild)
{
    float *a = numbers(s->M * s->K, seed, wild),
          *b = numbers(s->N * s->K, seed + 1, wild),
          *before = numbers(s->M * s->N, seed + 2, wild),
          *c = malloc((s->M * s->N + 1) * sizeof *c);
    for (int i = 0; i < NAMES; i++) {
        const char *name;
        if (gemm_start(names[i], &name))
            continue;
        memcpy(c, before, s->M * s->N * sizeof *c);
        const unsigned csr = _mm_getcsr();
        _mm_setcsr(precision == GEMM_REAL ? csr | FLUSH : csr);
        multiply(c, a, b, s);
        _mm_setcsr(csr);
        for (size_t j = 0; j < s->M * s->N; j++) {
            const size_t m = j / s->N, n = j % s->N;
            _mm_setcsr(csr | FLUSH);
            const float want = chain(s->add ? before[j] : 0, a, b, s, m, n);
            _mm_setcsr(csr);
            if (!same(c[j], want))
                fail_msg("%s, precision %d, form %d, seed %u: %zu x %zu x %zu at %zu: "
                         "%a, not %a",
                         name, (int)precision, (int)s->form, seed, s->M, s->N, s->K, j,
                         (double)c[j], (double)want);
            double exact = s->add ? (double)before[j] : 0, size = fabs(exact);
            for (size_t k = 0; k < s->K && !wild; k++) {
                const double p = (double)left(a, s, m, k) * (double)right(b, s, n, k);
                exact += p;
                size += fabs(p);
            }
            if (!wild) /* each of up to 2 K + 1 roundings is off by 2^-24 of a partial sum
                        */
                assert_true(fabs((double)c[j] - exact) <=
                            (double)(2 * s->K + 2) * 0x1p-24 * size);
        }
    }
    free(a);
    free(b);
    free(before);
    free(c);
}

static void check_random(uint32_t seed, size_t most, bool wild)
{
    for (int form = 0; form < FORMS; form++) {
        const struct shape s = {1 + word(seed, 0) % most, 1 + word(seed, 1) % most,
                                1 + word(seed, 2) % most, (enum form)form,
                                word(seed, 3) % 2 != 0};
        check(&s, seed, wild);
    }
}

static void random_products_have_the_bits_of_the_definition_in_all_sets(void **state)
{
    (void)state;
    for (uint32_t seed = 10; seed < 200; seed += 10)
        check_random(seed, 70, false);
}

static void special_numbers_and_numbers_of_all_sizes_too(void **state)
{
    (void)state;
    for (uint32_t seed = 1000; seed < 1200; seed += 10)
        check_random(seed, 60, true);
}

/* More than a block of rows, columns and terms. */
static void so_do_products_of_several_blocks(void **state)
{
    (void)state;
    for (int form = 0; form < FORMS; form++) {
        check(&(struct shape){3, 1571, 5, (enum form)form, true}, 1, false);
        check(&(struct shape){251, 7, 13, (enum form)form, false}, 2, false);
        check(&(struct shape){635, 301, 5, (enum form)form, false}, 4, false);
        check(&(struct shape){13, 33, 1001, (enum form)form, true}, 3, false);
    }
}

static void an_empty_sum_is_zero_or_changes_nothing(void **state)
{
    (void)state;
    float c[2] = {7, 7};
    check(&(struct shape){1, 2, 0, NN, true}, 1, false);
    multiply(c, c, c, &(struct shape){1, 2, 0, NN, true});
    assert_true(c[0] == 7 && c[1] == 7);
    multiply(c, c, c, &(struct shape){1, 2, 0, NN, false});
    assert_true(c[0] == 0 && c[1] == 0);
}

static int use_real(void **state)
{
    (void)state;
    precision = GEMM_REAL;
    return 0;
}

static int use_bfloat16(void **state)
{
    (void)state;
    precision = GEMM_BFLOAT16;
    return 0;
}

#define EACH(test)                                                                       \
    cmocka_unit_test_setup(test, use_real), cmocka_unit_test_setup(test, use_bfloat16)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(random_products_have_the_bits_of_the_definition_in_all_sets),
        EACH(special_numbers_and_numbers_of_all_sizes_too),
        EACH(so_do_products_of_several_blocks),
        EACH(an_empty_sum_is_zero_or_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
