#include "support/sets.h"

#include "tensor/gemm.h"

typedef void product(real *c, size_t ldc, const real *a, size_t lda, const real *b,
                     size_t ldb, size_t M, size_t N, size_t K, real alpha, real beta);

static const struct {
    const char *name;
    product *fast, *reference;
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

static void check(uint32_t seed, int p, size_t most, real alpha, real beta)
{
    const struct shape s = random_shape(seed, p, most);
    real *a = random_reals((products[p].a_transposed ? s.K : s.M) * s.lda, 1, seed),
         *b = random_reals((products[p].b_transposed ? s.N : s.K) * s.ldb, 1, seed + 1),
         *c = random_reals(s.M * s.ldc, 1, seed + 2),
         *want = random_reals(s.M * s.ldc, 1, seed + 2);
    for (size_t m = 0; m < s.M && beta == 0; m++)
        for (size_t n = 0; n < s.N; n++)
            c[m * s.ldc + n] = (real)NAN; /* uninitialised */
    products[p].fast(c, s.ldc, a, s.lda, b, s.ldb, s.M, s.N, s.K, alpha, beta);
    products[p].reference(want, s.ldc, a, s.lda, b, s.ldb, s.M, s.N, s.K, alpha, beta);
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
            check(seed * 10, p, seed <= 40 ? 20 : 90, seed % 3 == 0 ? (real)0.5 : 1,
                  seed % 2 == 0 ? 1 : 0);
}

static void beta_of_one_adds_and_of_zero_overwrites_whatever_was_there(void **state)
{
    (void)state;
    const real a[] = {1, 2}, b[] = {3, 4};
    real c = (real)NAN;
    gemm_nt(&c, 1, a, 2, b, 2, 1, 1, 2, 1, 0);
    assert_true(c == 11);
    gemm_nt(&c, 1, a, 2, b, 2, 1, 1, 2, 2, 1);
    assert_true(c == 33);
}

static void an_empty_sum_is_zero_and_an_empty_result_is_not_touched(void **state)
{
    (void)state;
    const real x[] = {5};
    for (int p = 0; p < 3; p++) {
        real c[] = {7, 7};
        products[p].fast(c, 2, x, 1, x, 2, 1, 2, 0, 1, 1);
        assert_true(c[0] == 7 && c[1] == 7);
        products[p].fast(c, 2, x, 1, x, 2, 1, 2, 0, 1, 0);
        assert_true(c[0] == 0 && c[1] == 0);
        products[p].fast(c, 2, x, 1, x, 2, 0, 2, 1, 1, 0);
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
        products[p].fast(c[0], N, a, N, b, N, N, N, N, 1, 0);
        for (size_t shift = 0; shift < 5; shift++) {
            real *a2 = mem + shift, *b2 = a2 + N * N;
            memcpy(a2, a, N * N * sizeof *a);
            memcpy(b2, b, N * N * sizeof *b);
            products[p].fast(c[1], N, a2, N, b2, N, N, N, N, 1, 0);
            assert_memory_equal(c[0], c[1], sizeof c[0]);
        }
    }
    free(a);
    free(b);
    free(mem);
}

static void the_library_is_described_and_its_speed_is_measured_once(void **state)
{
    (void)state;
    const char *name, *again;
    assert_int_equal(gemm_start(&name), 0);
    assert_int_equal(gemm_start(&again), 0);
    assert_string_equal(name, again);
    assert_int_equal(strncmp(name, "OpenBLAS ", 9), 0);
    assert_true(strchr(name + 9, ' ') != NULL);
    const double rate = gemm_peak_flops();
    assert_true(rate > 1e8);
    assert_true(gemm_peak_flops() == rate);
    print_message("%s: %.1f GFLOP/s\n", name, rate / 1e9);
}

RUN(T(random_products_equal_the_definition),
    T(beta_of_one_adds_and_of_zero_overwrites_whatever_was_there),
    T(an_empty_sum_is_zero_and_an_empty_result_is_not_touched),
    T(the_same_call_gives_the_same_bits_wherever_its_memory_is),
    T(the_library_is_described_and_its_speed_is_measured_once))
