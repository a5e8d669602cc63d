/* How speed grows with the workers: statistics, bounds, what limits. */
#include "support/test.h"

#include "coordinator/scale/scaling.h"

enum { MOST = 16 };

/* An experiment on hosts of @cores cores; runs of the points that add() adds. */
struct bench {
    struct scaling_facts facts;
    struct scaling_config config[MOST];
    struct scaling_run run[MOST];
    struct scaling_point point[MOST];
    size_t n, runs;
};

static const struct roofline_step usual = {0.09, 0.006, 0.004, 8000, 8000};

static struct bench bench(unsigned cores)
{
    return (struct bench){.facts = {.cores = cores, .parameters = 1000}};
}

static void add(struct bench *b, enum scaling_mode m, unsigned workers, uint64_t key)
{
    const uint64_t times = m == SCALING_WEAK ? workers : 1;
    b->config[b->n++] = (struct scaling_config){.mode = m,
                                                .workers = workers,
                                                .threads = 1,
                                                .batch = 16 * times,
                                                .slices = 8 * times,
                                                .key = key};
}

static struct scaling_run *ran(struct bench *b, uint64_t key, unsigned workers,
                               unsigned repeat, double rate)
{
    struct scaling_run *r = &b->run[b->runs++];
    *r = (struct scaling_run){.key = key,
                              .workers = workers,
                              .repeat = repeat,
                              .tokens_per_second = rate,
                              .step = usual,
                              .flops_per_token = 1e6,
                              .thread_flops = 1e9,
                              .most_on_host = workers};
    return r;
}

static void compare(struct bench *b)
{
    scaling_points(b->point, b->config, b->n, b->run, b->runs, &b->facts);
}

static void a_spread_is_median_least_and_most(void **state)
{
    (void)state;
    double odd[] = {3, 1, 2}, even[] = {4, 1, 2, 10};
    const struct scaling_spread three = scaling_spread(odd, 3),
                                four = scaling_spread(even, 4),
                                none = scaling_spread(NULL, 0);
    assert_true(three.n == 3 && three.median == 2 && three.low == 1 && three.high == 3);
    assert_true(four.n == 4 && four.median == 3 && four.low == 1 && four.high == 10);
    assert_true(none.n == 0 && isnan(none.median) && isnan(none.low));
}

static void counts_are_powers_of_two_and_what_there_is(void **state)
{
    (void)state;
    static const struct {
        unsigned slots, count[5];
        size_t n;
    } cases[] = {{1, {1}, 1},
                 {2, {1, 2}, 2},
                 {6, {1, 2, 4, 6}, 4},
                 {8, {1, 2, 4, 8}, 4},
                 {9, {1, 2, 4, 8, 9}, 5}};
    unsigned count[SCALING_COUNTS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(scaling_counts(cases[i].slots, count), cases[i].n);
        assert_memory_equal(count, cases[i].count, cases[i].n * sizeof *count);
    }
    assert_int_equal(scaling_counts(4294967295u, count), 33);
}

static void a_machine_that_becomes_slower_does_so_for_all(void **state)
{
    (void)state;
    struct bench b = bench(8);
    add(&b, SCALING_STRONG, 1, 1);
    add(&b, SCALING_STRONG, 2, 2);
    ran(&b, 1, 1, 1, 100);
    ran(&b, 2, 2, 1, 190);
    ran(&b, 1, 1, 2, 50);
    ran(&b, 2, 2, 2, 96);
    ran(&b, 1, 1, 3, 20);
    ran(&b, 2, 2, 3, 38);
    compare(&b);
    assert_true(b.point[0].rate.median == 50 && b.point[0].rate.low == 20);
    assert_true(b.point[0].speed_up.median == 1 && b.point[0].efficiency == 1);
    assert_int_equal(b.point[1].over, 1);
    assert_true(fabs(b.point[1].speed_up.median - 1.9) < 1e-12);
    assert_true(fabs(b.point[1].speed_up.high - 1.92) < 1e-12);
    assert_true(fabs(b.point[1].efficiency - 0.95) < 1e-12);
}

static void a_speed_up_is_over_the_fewest_workers_that_were_measured(void **state)
{
    (void)state;
    struct bench b = bench(8);
    add(&b, SCALING_STRONG, 1, 1); /* failed */
    add(&b, SCALING_STRONG, 2, 2);
    add(&b, SCALING_STRONG, 4, 4);
    ran(&b, 2, 2, 1, 200);
    ran(&b, 4, 4, 1, 300);
    ran(&b, 4, 4, 2, 900); /* has nobody to be compared with */
    compare(&b);
    assert_int_equal(b.point[0].rate.n, 0);
    assert_true(isnan(b.point[0].efficiency) && b.point[0].speed_up.n == 0);
    assert_int_equal(b.point[2].over, 2);
    assert_int_equal(b.point[2].speed_up.n, 1);
    assert_true(b.point[2].speed_up.median == 1.5 && b.point[2].efficiency == 0.75);
}

static void more_threads_than_cores_are_behaviour_not_scaling(void **state)
{
    (void)state;
    struct bench b = bench(2);
    add(&b, SCALING_STRONG, 1, 1);
    add(&b, SCALING_STRONG, 2, 2);
    add(&b, SCALING_STRONG, 4, 4);
    ran(&b, 1, 1, 1, 100);
    ran(&b, 2, 2, 1, 190);
    ran(&b, 4, 4, 1, 180);
    compare(&b);
    assert_false(b.point[0].crowded || b.point[1].crowded); /* the coordinator sleeps */
    assert_true(b.point[2].crowded);
    assert_true(b.point[2].rate.median == 180);
    assert_int_equal(b.point[2].speed_up.n, 0);
    assert_true(isnan(b.point[2].speed_up.median) && isnan(b.point[2].efficiency) &&
                isnan(b.point[2].flops_share));
    assert_int_equal(b.point[2].limit, SCALING_CORES);
}

static void threads_count_not_workers_and_of_the_fullest_host(void **state)
{
    (void)state;
    struct bench b = bench(4);
    add(&b, SCALING_STRONG, 2, 2);
    b.config[0].threads = 3;
    ran(&b, 2, 2, 1, 100)->most_on_host = 1; /* on two hosts */
    compare(&b);
    assert_false(b.point[0].crowded);
    b.run[0].most_on_host = 2;
    compare(&b);
    assert_true(b.point[0].crowded);
    assert_int_equal(b.point[0].speed_up.n, 0); /* there is nothing to compare with */
}

static void one_worker_is_measured_for_both_modes(void **state)
{
    (void)state;
    struct bench b = bench(8);
    add(&b, SCALING_STRONG, 1, 1);
    add(&b, SCALING_WEAK, 1, 1);
    add(&b, SCALING_WEAK, 2, 22);
    ran(&b, 1, 1, 1, 100);
    ran(&b, 22, 2, 1, 196);
    compare(&b);
    assert_true(b.point[0].rate.median == 100 && b.point[1].rate.median == 100);
    assert_true(fabs(b.point[2].efficiency - 0.98) < 1e-12);
}

static void the_least_is_the_parameters_and_one_partial_for_each_worker(void **state)
{
    (void)state;
    static const struct {
        unsigned workers;
        enum wire wire;
        double received, sent;
    } cases[] = {{1, WIRE_IS_FLOAT32, 4000, 4000},
                 {3, WIRE_IS_FLOAT32, 12000, 12000},
                 {3, WIRE_IS_BFLOAT16, 6000, 12000},
                 {3, WIRE_IS_INT8, 3 * 1016, 12000},  /* 16 blocks */
                 {9, WIRE_IS_FLOAT32, 32000, 32000}}; /* there are eight slices */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b = bench(16);
        b.facts.wire = cases[i].wire;
        add(&b, SCALING_STRONG, cases[i].workers, 1);
        ran(&b, 1, cases[i].workers, 1, 100);
        compare(&b);
        assert_true(b.point[0].received_least == cases[i].received);
        assert_true(b.point[0].sent_least == cases[i].sent);
    }
}

static void the_share_is_of_the_best_rate_that_any_run_measured(void **state)
{
    (void)state;
    struct bench b = bench(8);
    add(&b, SCALING_STRONG, 2, 2);
    ran(&b, 2, 2, 1, 1000)->thread_flops = 0.5e9; /* somebody else was at work */
    ran(&b, 2, 2, 2, 1000);
    ran(&b, 2, 2, 3, 1000)->thread_flops = NAN;
    compare(&b);
    assert_true(fabs(b.point[0].flops_share - 0.5) < 1e-12);
    assert_true(isnan(scaling_thread_flops(NULL, 0)));
}

static void what_limits_is_named(void **state)
{
    (void)state;
    static const struct {
        unsigned workers;
        struct roofline_step step; /* with one worker computing takes 0.8 s */
        enum scaling_limit expected;
    } cases[] = {
        {4, {0.22, 0.01, 0.01, 0, 0}, SCALING_COMPUTE},
        {4, {0.22, 0.10, 0.01, 0, 0}, SCALING_LINK},
        {4, {0.22, 0.01, 0.10, 0, 0}, SCALING_COORDINATOR},
        {4, {0.30, 0.01, 0.01, 0, 0}, SCALING_SHARED},
        {5, {0.20, 0.01, 0.01, 0, 0}, SCALING_COMPUTE}, /* eight slices, ten places */
        {6, {0.20, 0.01, 0.01, 0, 0}, SCALING_SLICES},
        {9, {0.12, 0.01, 0.01, 0, 0}, SCALING_COMPUTE},
        {12, {0.12, 0.01, 0.01, 0, 0}, SCALING_SLICES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b = bench(16);
        add(&b, SCALING_STRONG, 1, 1);
        add(&b, SCALING_STRONG, cases[i].workers, 2);
        ran(&b, 1, 1, 1, 100)->step = (struct roofline_step){0.8, 0.01, 0.01, 0, 0};
        ran(&b, 2, cases[i].workers, 1, 100)->step = cases[i].step;
        compare(&b);
        assert_int_equal(b.point[0].limit, SCALING_COMPUTE);
        if (b.point[1].limit != cases[i].expected)
            fail_msg("case %zu: %s, expected %s", i, scaling_limit_name(b.point[1].limit),
                     scaling_limit_name(cases[i].expected));
    }
}

static void a_straggler_is_slow_in_most_of_the_runs(void **state)
{
    (void)state;
    struct bench b = bench(8);
    const struct scaling_slow slow = {2, "node07 pid 4711", 0.5},
                              fast = {3, "node08 pid 12", 0.9};
    add(&b, SCALING_STRONG, 4, 4);
    ran(&b, 4, 4, 1, 100)->slow = slow;
    ran(&b, 4, 4, 2, 100)->slow = fast;
    compare(&b);
    assert_int_equal(b.point[0].limit, SCALING_COMPUTE);
    ran(&b, 4, 4, 3, 100)->slow = slow;
    compare(&b);
    assert_int_equal(b.point[0].limit, SCALING_STRAGGLER);
    assert_int_equal(b.point[0].slow.worker, 2);
    assert_string_equal(b.point[0].slow.host, "node07 pid 4711");
}

RUN(T(a_spread_is_median_least_and_most), T(counts_are_powers_of_two_and_what_there_is),
    T(a_machine_that_becomes_slower_does_so_for_all),
    T(a_speed_up_is_over_the_fewest_workers_that_were_measured),
    T(more_threads_than_cores_are_behaviour_not_scaling),
    T(threads_count_not_workers_and_of_the_fullest_host),
    T(one_worker_is_measured_for_both_modes),
    T(the_least_is_the_parameters_and_one_partial_for_each_worker),
    T(the_share_is_of_the_best_rate_that_any_run_measured), T(what_limits_is_named),
    T(a_straggler_is_slow_in_most_of_the_runs))
