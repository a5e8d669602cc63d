#include <pthread.h>
#include <stdatomic.h>

#include "base/crew.h"
#include "support/test.h"

enum { PIECES = 1000, RUNS = 300 };

static void note(void *ctx, size_t i)
{
    atomic_int *done = ctx;
    atomic_fetch_add(&done[i], 1);
}

static void check_each_once(struct crew *c, size_t n)
{
    static atomic_int done[PIECES];
    for (size_t i = 0; i < PIECES; i++)
        atomic_store(&done[i], 0);
    crew_run(c, n, note, done);
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(atomic_load(&done[i]), i < n);
}

static void every_piece_is_done_once_before_the_run_returns(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct crew *c = crew_new(threads, NULL);
        for (size_t run = 0; run < RUNS; run++)
            check_each_once(c, run % 7 ? run : run * PIECES / RUNS);
        crew_free(c);
    }
}

static void without_a_crew_the_caller_does_it(void **state)
{
    (void)state;
    check_each_once(NULL, PIECES);
    crew_free(NULL);
}

struct sum {
    struct crew *crew;
    atomic_ullong total;
};

static void add(void *ctx, size_t i)
{
    atomic_fetch_add((atomic_ullong *)ctx, i);
}

static void *run_many(void *arg)
{
    struct sum *s = arg;
    for (int run = 0; run < RUNS; run++)
        crew_run(s->crew, PIECES, add, &s->total);
    return NULL;
}

static void several_threads_may_run_something(void **state)
{
    (void)state;
    struct sum s = {.crew = crew_new(3, NULL)};
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, run_many, &s), 0);
    run_many(&s);
    pthread_join(other, NULL);
    assert_true(atomic_load(&s.total) == 2ull * RUNS * (PIECES * (PIECES - 1) / 2));
    crew_free(s.crew);
}

static atomic_int started;

static void count_start(void)
{
    atomic_fetch_add(&started, 1);
}

static void each_thread_starts_once_but_the_caller(void **state)
{
    (void)state;
    struct crew *c = crew_new(4, count_start);
    check_each_once(c, PIECES);
    crew_free(c);
    assert_int_equal(atomic_load(&started), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once_before_the_run_returns),
        cmocka_unit_test(without_a_crew_the_caller_does_it),
        cmocka_unit_test(several_threads_may_run_something),
        cmocka_unit_test(each_thread_starts_once_but_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
