/* Real ranks: rank 0 is the coordinator, the others are workers.  All ranks run the same
 * tests in the same order; only rank 0 prints. */
#include "support/test.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/transport.h"
#include "net/world.h"

static struct world world;

/* The peers of this rank: rank 0 has all others, the others have rank 0. */
static uint32_t first_peer(void)
{
    return world.rank == 0 ? 1 : 0;
}

static uint32_t last_peer(void)
{
    return world.rank == 0 ? world.size - 1 : 0;
}

struct scene {
    struct loop *loop;
    struct transport *t;
    size_t left;
    uint32_t next[8][2]; /* transfer expected to complete: [peer][outgoing] */
    bool inside;
};

static void too_late(void *ctx)
{
    (void)ctx;
    fail_msg("rank %u: nothing happened for 30 s", world.rank);
}

static void begin(struct scene *s)
{
    *s = (struct scene){.loop = loop_new()};
    s->t = transport_mpi(s->loop);
    loop_timer_new(s->loop, 30000, 0, too_late, NULL);
}

static void end(struct scene *s)
{
    assert_true(transport_idle(s->t));
    transport_free(s->t);
    loop_free(s->loop);
}

static void one_less(struct scene *s)
{
    if (--s->left == 0)
        loop_stop(s->loop);
}

static void on_received(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct scene *s = ctx;
    assert_false(s->inside);
    assert_int_equal(transfer, s->next[peer][0]++);
    one_less(s);
}

static void on_sent(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct scene *s = ctx;
    assert_false(s->inside);
    assert_int_equal(transfer, s->next[peer][1]++);
    one_less(s);
}

/* --- transfers -------------------------------------------------------------------------
 */

enum { TRANSFERS = 9 };
static const size_t sizes[3] = {1, 64 << 10, 8 << 20};

/* Where the numbers begin: just below where a 31-bit tag comes round, and 32 bits end. */
static const uint32_t first_numbers[] = {0, INT32_MAX - 4u, UINT32_MAX - 4u};

static uint8_t byte_of(uint32_t from, uint32_t to, uint32_t i, size_t at)
{
    return (uint8_t)(from * 101 + to * 59 + i * 17 + at * 3 + at / 4096);
}

/* Every 61st byte tells where it belongs, and the last one. */
static size_t next_told(size_t at, size_t n)
{
    return at + 61 < n || at + 1 == n ? at + 61 : n - 1;
}

static void fill(uint8_t *data, uint32_t to, uint32_t i)
{
    const size_t n = sizes[i % 3];
    for (size_t at = 0; at < n; at = next_told(at, n))
        data[at] = byte_of(world.rank, to, i, at);
}

static void check(const uint8_t *data, uint32_t from, uint32_t i)
{
    const size_t n = sizes[i % 3];
    size_t wrong = 0;
    for (size_t at = 0; at < n; at = next_told(at, n))
        wrong += data[at] != byte_of(from, world.rank, i, at);
    assert_int_equal(wrong, 0);
}

static void exchange_both_ways(uint32_t first_number)
{
    struct scene s;
    uint8_t *out[8][TRANSFERS], *in[8][TRANSFERS];
    begin(&s);
    for (uint32_t p = first_peer(); p <= last_peer(); p++) {
        s.next[p][0] = s.next[p][1] = first_number;
        for (uint32_t i = 0; i < TRANSFERS; i++, s.left += 2) {
            out[p][i] = mem_zalloc(sizes[i % 3]);
            in[p][i] = mem_zalloc(sizes[i % 3]);
            fill(out[p][i], p, i);
        }
    }
    const double start = clock_seconds();
    s.inside = true;
    for (uint32_t i = 0; i < TRANSFERS; i++)
        for (uint32_t p = first_peer(); p <= last_peer(); p++) {
            transport_send(s.t, p, first_number + i, out[p][i], sizes[i % 3], on_sent,
                           &s);
            transport_receive(s.t, p, first_number + i, in[p][i], sizes[i % 3],
                              on_received, &s);
        }
    s.inside = false;
    assert_false(transport_idle(s.t));
    loop_run(s.loop);
    const double mib = (double)transport_sent_bytes(s.t) / (1 << 20);
    print_message("%.0f MiB each way with %u peers in %.1f ms\n", mib,
                  last_peer() - first_peer() + 1, 1e3 * (clock_seconds() - start));
    assert_int_equal(transport_sent_bytes(s.t), transport_received_bytes(s.t));
    for (uint32_t p = first_peer(); p <= last_peer(); p++)
        for (uint32_t i = 0; i < TRANSFERS; i++) {
            check(in[p][i], p, i);
            mem_free(in[p][i]);
            mem_free(out[p][i]);
        }
    end(&s);
}

static void numbered_transfers_of_all_sizes_cross_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof first_numbers / sizeof *first_numbers; i++)
        exchange_both_ways(first_numbers[i]);
}

/* A ping-pong from the callbacks, in which every transfer is posted when the one before
 * is done. */
struct rally {
    struct scene s;
    uint8_t ball;
    uint32_t hits;
};
enum { HITS = 200 };

static void on_back(void *ctx, uint32_t peer, uint32_t transfer);
static void on_there(void *ctx, uint32_t peer, uint32_t transfer);

static void on_served(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct rally *r = ctx;
    transport_receive(r->s.t, peer, transfer, &r->ball, 1, on_back, r);
}

static void on_back(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct rally *r = ctx;
    if (++r->hits == HITS)
        loop_stop(r->s.loop);
    else
        transport_send(r->s.t, peer, transfer + 1, &r->ball, 1, on_served, r);
}

static void on_returned(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct rally *r = ctx;
    if (++r->hits == HITS)
        loop_stop(r->s.loop);
    else
        transport_receive(r->s.t, peer, transfer + 1, &r->ball, 1, on_there, r);
}

static void on_there(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct rally *r = ctx;
    transport_send(r->s.t, peer, transfer, &r->ball, 1, on_returned, r);
}

static void callbacks_may_post_transfers(void **state)
{
    (void)state;
    struct rally r = {.ball = 7};
    if (world.rank > 1)
        return;
    begin(&r.s);
    const double start = clock_seconds();
    if (world.rank == 0)
        transport_send(r.s.t, 1, 0, &r.ball, 1, on_served, &r);
    else
        transport_receive(r.s.t, 0, 0, &r.ball, 1, on_there, &r);
    loop_run(r.s.loop);
    print_message("%.0f us there and back\n", 1e6 * (clock_seconds() - start) / HITS);
    assert_int_equal(r.hits, HITS);
    end(&r.s);
}

/* --- waiting
 * ---------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* Share of a core that the loop uses until it is stopped. */
static double busy(struct scene *s)
{
    const double cpu = cpu_seconds(), start = clock_seconds();
    loop_run(s->loop);
    return (cpu_seconds() - cpu) / (clock_seconds() - start);
}

static void waiting_costs_little(void **state)
{
    (void)state;
    struct scene s;
    uint8_t byte = 1;
    begin(&s);

    struct loop_timer *pause = loop_timer_new(s.loop, 500, 0, stop, s.loop);
    const double nothing = busy(&s);
    loop_timer_free(pause);

    for (uint32_t p = first_peer(); p <= last_peer(); p++, s.left++)
        if (world.rank != 0)
            transport_receive(s.t, p, 0, &byte, 1, on_received, &s);
    if (world.rank == 0) { /* lets the others wait for 0.5 s */
        pause = loop_timer_new(s.loop, 500, 0, stop, s.loop);
        loop_run(s.loop);
        loop_timer_free(pause);
        for (uint32_t p = first_peer(); p <= last_peer(); p++)
            transport_send(s.t, p, 0, &byte, 1, on_sent, &s);
    }
    const double receiving = busy(&s);
    if (world.rank == 1)
        fprintf(stderr,
                "rank 1, 0.5 s each: %.1f %% of a core with nothing in flight, "
                "%.1f %% while a receive is\n",
                100 * nothing, 100 * receiving);
    assert_true(nothing < 0.5);
    if (world.rank != 0)
        assert_true(receiving < 0.5);
    end(&s);
}

/* --- the world
 * -------------------------------------------------------------------------- */

static void peeking_and_starting_agree(void **state)
{
    (void)state;
    struct world peeked;
    world_peek(&peeked);
    assert_int_equal(peeked.rank, world.rank);
    assert_int_equal(peeked.size, world.size);
    assert_int_equal(peeked.local_size, world.size);
    assert_true(world.mpi && world.one_host);
}

static void rank_0_tells_the_others_where_to_go_or_to_leave(void **state)
{
    (void)state;
    const struct world_verdict verdicts[] = {
        {.exit_code = 73},
        {.address = "[fe80::1]:4000", .token = {1, 2, 3, [AUTH_TOKEN - 1] = 9}}};
    for (size_t i = 0; i < 2; i++) {
        struct world_verdict got;
        if (world.rank == 0) {
            assert_int_equal(world_announce(&world, &verdicts[i], 20), ERR_OK);
            continue;
        }
        assert_int_equal(world_await(&world, &got, 20), ERR_OK);
        assert_int_equal(got.exit_code, verdicts[i].exit_code);
        assert_string_equal(got.address, verdicts[i].address);
        assert_memory_equal(got.token, verdicts[i].token, AUTH_TOKEN);
    }
}

static void a_rank_that_does_not_ask_is_waited_for_until_the_deadline(void **state)
{
    (void)state;
    struct world_verdict v = {.exit_code = 3};
    struct scene s;
    uint8_t byte = 1;
    begin(&s);
    if (world.rank == 0)
        assert_int_equal(world_announce(&world, &v, 0.05), ERR_TIMEOUT);
    for (uint32_t p = first_peer(); p <= last_peer(); p++, s.left++)
        if (world.rank == 0)
            transport_send(s.t, p, 0, &byte, 1, on_sent, &s);
        else /* asks only after that */
            transport_receive(s.t, p, 0, &byte, 1, on_received, &s);
    loop_run(s.loop);
    if (world.rank != 0)
        assert_int_equal(world_await(&world, &v, 20), ERR_OK);
    end(&s);
}

static void rank_0_is_waited_for_until_the_deadline(void **state)
{
    (void)state;
    struct world_verdict v;
    if (world.rank != 0)
        assert_int_equal(world_await(&world, &v, 0.05), ERR_TIMEOUT);
}

/* Last: what is in flight stays so. */
static void a_forgotten_peer_leaves_parked_buffers_and_silence(void **state)
{
    (void)state;
    static uint8_t bytes[3]; /* parked: never reused */
    struct scene s;
    begin(&s);
    if (world.rank == 0) {
        transport_receive(s.t, 1, 0, &bytes[0], 1, on_received, &s);
        transport_receive(s.t, 1, 1, &bytes[1], 1, on_received, &s);
        assert_true(transport_forget(s.t, 1));
        assert_true(transport_forget(s.t, 1));
        transport_receive(s.t, 1, 2, &bytes[2], 1, on_received, &s); /* ignored */
        if (world.size > 2)
            assert_false(transport_forget(s.t, 2)); /* nothing was in flight */
    }
    assert_true(transport_idle(s.t));
    loop_timer_new(s.loop, 5, 0, stop, s.loop);
    loop_run(s.loop);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(peeking_and_starting_agree),
        T(rank_0_tells_the_others_where_to_go_or_to_leave),
        T(numbered_transfers_of_all_sizes_cross_in_order),
        T(callbacks_may_post_transfers),
        T(waiting_costs_little),
        T(a_rank_that_does_not_ask_is_waited_for_until_the_deadline),
        T(rank_0_is_waited_for_until_the_deadline),
        T(a_forgotten_peer_leaves_parked_buffers_and_silence),
    };
    if (world_start(&world) != 0)
        return 1;
    if (world.size < 2) {
        fprintf(stderr, "run with mpirun -n 2 or more\n");
        return 1;
    }
    if (world.rank != 0 && !freopen("/dev/null", "w", stdout))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_exit(&world, failed ? 1 : 0, true);
}
