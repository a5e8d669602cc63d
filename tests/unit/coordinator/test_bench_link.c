/* How `lockstep bench` measures a link, and what ends that. */
#include "support/test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "coordinator/bench/bench_ranks.h"
#include "coordinator/bench/bench_socket.h"

static volatile sig_atomic_t stop;

static struct bench quick(void)
{
    return (struct bench){
        .quick = true, .repeats = 3, .seconds = 1e-4, .threads = 2, .stop = &stop};
}

static void loopback_has_a_rate_and_a_round_trip(void **state)
{
    (void)state;
    struct bench b = quick();
    assert_int_equal(bench_loopback(&b), ERR_OK);
    assert_int_equal(b.table.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct spread s = b.table.row[i].value;
        assert_true(0 < s.low && s.low <= s.median && s.median <= s.high);
        assert_true(isfinite(s.high));
    }
    assert_string_equal(b.table.row[0].name, "tcp, loopback, one way");
    assert_string_equal(b.table.row[1].name, "tcp, loopback, round trip");
    bench_table_fini(&b.table);
}

static void on_end(void *ctx, uint32_t peer)
{
    (void)peer;
    loop_stop(ctx);
}

static int with_a_silent_end(struct bench *b, bool gone)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    struct loop *l = loop_new();
    struct transport *t = transport_tcp(l, on_end, l);
    transport_tcp_add(t, 1, fd[0]);
    if (gone)
        close(fd[1]);
    const int err = bench_link(b, "a link", l, t, 1);
    transport_free(t);
    loop_free(l);
    if (!gone)
        close(fd[1]);
    return err;
}

static void asked_to_stop_it_does_not_wait_for_an_answer(void **state)
{
    (void)state;
    struct bench b = quick();
    stop = 1;
    assert_int_equal(with_a_silent_end(&b, false), ERR_STOPPED);
    stop = 0;
    assert_int_equal(b.table.n, 0);
}

static void an_end_that_is_gone_is_an_error(void **state)
{
    (void)state;
    struct bench b = quick();
    assert_int_equal(with_a_silent_end(&b, true), ERR_CLOSED);
    assert_int_equal(b.table.n, 0);
}

static unsigned calls, workers;

static void call(void *ctx)
{
    (void)ctx;
    calls++;
}

static void work(void *ctx, unsigned i)
{
    (void)ctx;
    __atomic_fetch_or(&workers, 1u << i, __ATOMIC_RELAXED);
}

static void asked_to_stop_nothing_is_measured_and_the_number_is_none(void **state)
{
    (void)state;
    const struct bench b = quick();
    struct spread s = bench_repeat(&b, call, NULL);
    assert_true(calls >= 5 && s.low > 0 && s.low <= s.median && s.median <= s.high);
    s = bench_together(&b, 3, work, NULL);
    assert_int_equal(workers, 7);
    assert_true(s.low > 0 && s.median <= s.high);
    stop = 1;
    calls = workers = 0;
    assert_true(isnan(bench_repeat(&b, call, NULL).median));
    assert_true(isnan(bench_together(&b, 3, work, NULL).median));
    assert_int_equal(calls + workers, 0);
    stop = 0;
}

static void an_address_that_nobody_listens_at_is_refused(void **state)
{
    (void)state;
    char address[64];
    assert_int_equal(bench_connect("[::1"), -1);
    assert_int_equal(bench_listen("no host", address, sizeof address), -1);
    const int fd = bench_listen("127.0.0.1", address, sizeof address);
    assert_true(fd >= 0);
    assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
    assert_int_equal(bench_accept(fd, 1), -1);
    close(fd);
    assert_int_equal(bench_connect(address), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(loopback_has_a_rate_and_a_round_trip),
        T(asked_to_stop_it_does_not_wait_for_an_answer),
        T(an_end_that_is_gone_is_an_error),
        T(asked_to_stop_nothing_is_measured_and_the_number_is_none),
        T(an_address_that_nobody_listens_at_is_refused)};
    log_silence(true);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
