#include "support/test.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

struct count {
    struct loop *loop;
    struct loop_timer *timer;
    int n, stop_at;
};

static void on_count(void *ctx)
{
    struct count *c = ctx;
    if (++c->n == c->stop_at)
        loop_stop(c->loop);
}

static void a_timer_fires_once_or_again_and_again(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct count once = {l, NULL, 0, 0}, often = {l, NULL, 0, 5};
    const uint64_t start = clock_ms();
    struct loop_timer *a = loop_timer_new(l, 1, 0, on_count, &once);
    loop_timer_new(l, 1, 2, on_count, &often); /* left to loop_free() */
    loop_run(l);
    assert_int_equal(once.n, 1);
    assert_int_equal(often.n, 5);
    assert_true(clock_ms() - start >= 8);
    assert_string_equal(loop_place(l), "timer");
    loop_timer_free(a);
    loop_free(l);
}

static void free_itself(void *ctx)
{
    struct count *c = ctx;
    loop_timer_free(c->timer);
    loop_stop(c->loop);
}

static void a_timer_may_free_itself(void **state)
{
    (void)state;
    struct count c = {.loop = loop_new()};
    c.timer = loop_timer_new(c.loop, 0, 1, free_itself, &c);
    loop_run(c.loop);
    loop_free(c.loop);
}

static void *wake_many(void *waker)
{
    for (int i = 0; i < 1000; i++)
        loop_wake(waker);
    return NULL;
}

static void wakes_from_another_thread_become_at_least_one_call(void **state)
{
    (void)state;
    struct count c = {.loop = loop_new(), .stop_at = 1};
    struct loop_waker *w = loop_waker_new(c.loop, on_count, &c);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_many, w), 0);
    loop_run(c.loop);
    pthread_join(thread, NULL);
    assert_true(c.n >= 1);
    loop_waker_free(w);
    loop_free(c.loop);
}

static void a_signal_becomes_a_callback(void **state)
{
    (void)state;
    struct count c = {.loop = loop_new(), .stop_at = 1};
    struct loop_signal *s = loop_signal_new(c.loop, SIGUSR1, on_count, &c);
    kill(getpid(), SIGUSR1);
    loop_run(c.loop);
    assert_int_equal(c.n, 1);
    loop_signal_free(s);
    loop_free(c.loop);
}

struct polling {
    struct loop *loop;
    struct loop_poller *poller;
    int calls;
};

static bool nothing_moves(void *ctx)
{
    struct polling *p = ctx;
    p->calls++;
    return false;
}

static void stop_polling(void *ctx)
{
    struct polling *p = ctx;
    loop_poller_stop(p->poller);
    loop_stop(p->loop);
}

static void a_poller_that_sees_nothing_move_sleeps_longer_and_longer(void **state)
{
    (void)state;
    struct polling p = {.loop = loop_new()};
    p.poller = loop_poller_new(p.loop, nothing_moves, &p);
    loop_poller_start(p.poller);
    loop_timer_new(p.loop, 100, 0, stop_polling, &p);
    const clock_t cpu = clock();
    const uint64_t start = clock_ms();
    loop_run(p.loop);
    const double waited = (double)(clock_ms() - start) * 1e-3;
    const double used = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    print_message("%d polls in %.0f ms, %.0f %% of a core\n", p.calls, waited * 1e3,
                  100 * used / waited);
    assert_true(p.calls > 10 && p.calls < 5000); /* 160 sleeps of 500 us and the steps */
    loop_free(p.loop);
}

RUN(T(a_timer_fires_once_or_again_and_again), T(a_timer_may_free_itself),
    T(wakes_from_another_thread_become_at_least_one_call), T(a_signal_becomes_a_callback),
    T(a_poller_that_sees_nothing_move_sleeps_longer_and_longer))
