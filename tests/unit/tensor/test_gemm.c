#include "support/sets.h"

#include "tensor/gemm.h"

typedef void product(const struct gemm *g, real *c, size_t ldc, const real *a, size_t lda,
                     const real *b, size_t ldb, size_t M, size_t N, size_t K, bool add);
typedef void definition(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                        size_t ldb, size_t M, size_t N, size_t K, bool add);

static struct gemm gemm;

static const struct {
    const char *name;
    product *fast;
    definition *reference;
    bool a_transposed, b_transposed;
} products[] = {
    {"nn", gemm_nn, gemm_reference_nn, false, false},
    {"nt", gemm_nt, gemm_reference_nt, false, true},
    {"tn", gemm_tn, gemm_reference_tn, true, false},
};

/* Random shapes come from [1, most]; the distance between rows exceeds them by 0..7. */
static size_t random_size(uint32_t seed, size_t i, size_t most)
{
    return 1 + (size_t)((uniform(seed, i) + 1) / 2 * (double)most);
}

struct shape {
    size_t M, N, K, lda, ldb, ldc;
};

static struct shape random_shape(uint32_t seed, int p, size_t most)
{
    struct shape s = {random_size(seed, 0, most),
                      random_size(seed, 1, most),
                      random_size(seed, 2, most),
                      0,
                      0,
                      0};
    s.lda = (products[p].a_transposed ? s.M : s.K) + random_size(seed, 3, 8) - 1;
    s.ldb = (products[p].b_transposed ? s.K : s.N) + random_size(seed, 4, 8) - 1;
    s.ldc = s.N + random_size(seed, 5, 8) - 1;
    return s;
}

/* Numbers of [-1,1): a sum of K products, in whatever order, is off by at most K * K / 2
 * units, but errors of random signs stay far below that. */
static double bound(size_t K)
{
    return (double)REAL_EPS * (2 + 2 * (double)K);
}

static void check(uint32_t seed, int p, size_t most, bool add)
{
    const struct shape s = random_shape(seed, p, most);
    real *a = random_reals((products[p].a_transposed ? s.K : s.M) * s.lda, 1, seed),
         *b = random_reals((products[p].b_transposed ? s.N : s.K) * s.ldb, 1, seed + 1),
         *c = random_reals(s.M * s.ldc, 1, seed + 2),
         *want = random_reals(s.M * s.ldc, 1, seed + 2);
    for (size_t m = 0; m < s.M && !add; m++)
        for (size_t n = 0; n < s.N; n++)
            c[m * s.ldc + n] = (real)NAN; /* uninitialised */
    products[p].fast(&gemm, c, s.ldc, a, s.lda, b, s.ldb, s.M, s.N, s.K, add);
    products[p].reference(want, s.ldc, a, s.lda, b, s.ldb, s.M, s.N, s.K, add);
    for (size_t i = 0; i < s.M * s.ldc; i++)
        if (i % s.ldc < s.N ? !(fabs((double)(c[i] - want[i])) <= bound(s.K))
                            : c[i] != want[i])
            fail_msg("%s, seed %u: %zu x %zu x %zu at %zu: %g instead of %g",
                     products[p].name, seed, s.M, s.N, s.K, i, (double)c[i],
                     (double)want[i]);
    free(a);
    free(b);
    free(c);
    free(want);
}

static void random_products_equal_the_definition(void **state)
{
    (void)state;
    for (int p = 0; p < 3; p++)
        for (uint32_t seed = 1; seed <= 60; seed++)
            check(seed * 10, p, seed <= 40 ? 20 : 90, seed % 2 == 0);
}

static void a_product_adds_or_overwrites_whatever_was_there(void **state)
{
    (void)state;
    const real a[] = {1, 2}, b[] = {3, 4};
    real c = (real)NAN;
    gemm_nt(&gemm, &c, 1, a, 2, b, 2, 1, 1, 2, false);
    assert_true(c == 11);
    gemm_nt(&gemm, &c, 1, a, 2, b, 2, 1, 1, 2, true);
    assert_true(c == 22);
}

static void an_empty_sum_is_zero_and_an_empty_result_is_not_touched(void **state)
{
    (void)state;
    const real x[] = {5};
    for (int p = 0; p < 3; p++) {
        real c[] = {7, 7};
        products[p].fast(&gemm, c, 2, x, 1, x, 2, 1, 2, 0, true);
        assert_true(c[0] == 7 && c[1] == 7);
        products[p].fast(&gemm, c, 2, x, 1, x, 2, 1, 2, 0, false);
        assert_true(c[0] == 0 && c[1] == 0);
        products[p].fast(&gemm, c, 2, x, 1, x, 2, 0, 2, 1, false);
        assert_true(c[0] == 0 && c[1] == 0);
    }
}

static void the_same_call_gives_the_same_bits_wherever_its_memory_is(void **state)
{
    (void)state;
    enum { N = 61 };
    real *a = random_reals(N * N, 1, 1), *b = random_reals(N * N, 1, 2), c[2][N * N];
    real *mem = malloc((2 * N * N + 5) * sizeof *mem);
    for (int p = 0; p < 3; p++) {
        products[p].fast(&gemm, c[0], N, a, N, b, N, N, N, N, false);
        for (size_t shift = 0; shift < 5; shift++) {
            real *a2 = mem + shift, *b2 = a2 + N * N;
            memcpy(a2, a, N * N * sizeof *a);
            memcpy(b2, b, N * N * sizeof *b);
            products[p].fast(&gemm, c[1], N, a2, N, b2, N, N, N, N, false);
            assert_memory_equal(c[0], c[1], sizeof c[0]);
        }
    }
    free(a);
    free(b);
    free(mem);
}

static void the_speed_is_measured_once(void **state)
{
    (void)state;
    const double rate = gemm_peak_flops();
    assert_true(rate > 1e7);
    assert_true(gemm_peak_flops() == rate);
}

static void a_burst_makes_as_many_operations_as_it_has_rounds(void **state)
{
    (void)state;
    const double one = gemm_burst(&gemm, 1);
    assert_true(one >= 2 * 8);
    assert_true(gemm_burst(&gemm, 0) == 0);
    assert_true(gemm_burst(&gemm, 1000) == 1000 * one);
}

static int start(void **state)
{
    (void)state;
    const char *name;
    if (gemm_start(NULL, &name))
        return -1;
    gemm = gemm_new(GEMM_REAL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    gemm_free(&gemm);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(random_products_equal_the_definition),
        T(a_product_adds_or_overwrites_whatever_was_there),
        T(an_empty_sum_is_zero_and_an_empty_result_is_not_touched),
        T(the_same_call_gives_the_same_bits_wherever_its_memory_is),
        T(the_speed_is_measured_once),
        T(a_burst_makes_as_many_operations_as_it_has_rounds)};
    return cmocka_run_group_tests(tests, start, stop);
}
