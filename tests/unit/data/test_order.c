#include "support/test.h"

#include "base/mem.h"
#include "data/order.h"

static void check_bijection(uint64_t seed, uint64_t epoch, uint64_t n)
{
    struct order o;
    unsigned char *seen = mem_zalloc(n);
    order_init(&o, seed, epoch, n);
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t k = order_at(&o, i);
        if (k >= n || seen[k]++)
            fail_msg("seed %llu epoch %llu n %llu: position %llu gives %llu",
                     (unsigned long long)seed, (unsigned long long)epoch,
                     (unsigned long long)n, (unsigned long long)i, (unsigned long long)k);
    }
    mem_free(seen);
}

static void every_number_comes_exactly_once(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 300; n++)
        for (uint64_t epoch = 0; epoch < 3; epoch++)
            check_bijection(n * 7, epoch, n);
    static const uint64_t sizes[] = {1023, 1024, 1025, 4095, 4096, 4097, 65537, 1000003};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_bijection(42, i, sizes[i]);
}

static void huge_epochs_stay_in_range_and_are_invertible_at_samples(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {(uint64_t)1 << 32, ((uint64_t)1 << 40) + 1,
                                     (uint64_t)1 << 62};
    for (size_t s = 0; s < 3; s++) {
        struct order o;
        uint64_t seen[256];
        order_init(&o, 1, UINT64_MAX, sizes[s]);
        for (uint64_t i = 0; i < 256; i++) {
            seen[i] = order_at(&o, i < 128 ? i : sizes[s] - i + 127);
            assert_true(seen[i] < sizes[s]);
            for (uint64_t k = 0; k < i; k++)
                assert_true(seen[k] != seen[i]);
        }
    }
}

/* A random permutation of n moves a number by n/3 on average (standard deviation of the
 * mean below n / 4 sqrt(n)), has one fixed point and half of its neighbours ascending. */
static void an_epoch_looks_random(void **state)
{
    (void)state;
    enum { N = 100000 };
    double moved = 0, fixed = 0, ascents = 0;
    struct order o;
    order_init(&o, 9, 0, N);
    uint64_t before = 0;
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t k = order_at(&o, i);
        moved += fabs((double)k - (double)i);
        fixed += k == i;
        ascents += k > before;
        before = k;
    }
    print_message("mean move %.4f n, fixed %g, ascents %.4f n\n", moved / N / N, fixed,
                  ascents / N);
    assert_true(fabs(moved / N / N - 1.0 / 3) < 0.005);
    assert_true(fixed < 10);
    assert_true(fabs(ascents / N - 0.5) < 0.01);
}

/* Of the 6 orders of 3 samples each comes in about 1000 of 6000 epochs. */
static void small_epochs_have_all_their_orders(void **state)
{
    (void)state;
    int seen[27] = {0};
    for (uint64_t epoch = 0; epoch < 6000; epoch++) {
        struct order o;
        order_init(&o, 5, epoch, 3);
        seen[9 * order_at(&o, 0) + 3 * order_at(&o, 1) + order_at(&o, 2)]++;
    }
    int kinds = 0;
    for (int i = 0; i < 27; i++)
        if (seen[i]) {
            kinds++;
            assert_in_range(seen[i], 850, 1150);
        }
    assert_int_equal(kinds, 6);
}

static void epochs_and_seeds_have_other_orders(void **state)
{
    (void)state;
    struct order a, b, c;
    enum { N = 10000 };
    order_init(&a, 1, 0, N);
    order_init(&b, 1, 1, N);
    order_init(&c, 2, 0, N);
    int same_epoch = 0, same_seed = 0;
    for (uint64_t i = 0; i < N; i++) {
        same_epoch += order_at(&a, i) == order_at(&b, i);
        same_seed += order_at(&a, i) == order_at(&c, i);
    }
    assert_true(same_epoch < 10 && same_seed < 10); /* 1 is expected */
}

/* Runs that resume depend on it: a change here is a change of the format. */
static void the_order_never_changes(void **state)
{
    (void)state;
    static const uint64_t expected[] = {492, 948, 1, 528, 519, 966, 156, 548};
    struct order o;
    order_init(&o, 1, 2, 1000);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(order_at(&o, i), expected[i]);
}

RUN(T(every_number_comes_exactly_once),
    T(huge_epochs_stay_in_range_and_are_invertible_at_samples), T(an_epoch_looks_random),
    T(small_epochs_have_all_their_orders), T(epochs_and_seeds_have_other_orders),
    T(the_order_never_changes))
