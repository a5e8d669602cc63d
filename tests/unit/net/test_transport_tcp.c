/* The data lane over TCP: two transports in one loop, over a pair of sockets. */
#include "support/test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/transport.h"

enum { HERE = 7, THERE = 0, BIG = 3 << 20 };

struct stage {
    struct loop *loop;
    struct transport *here, *there;
    int fd; /* instead of the other transport: a socket of the kernel's */
    char order[200];
    int left; /* callbacks until the loop stops */
    unsigned ended;
};

static void on_end(void *ctx, uint32_t peer)
{
    struct stage *s = ctx;
    (void)peer;
    s->ended++;
    loop_stop(s->loop);
}

static void too_late(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happened for 20 s");
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void pass(struct stage *s, uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(s->loop, ms, 0, stop, s->loop);
    loop_run(s->loop);
    loop_timer_free(t);
}

/* @raw: the other end is a plain socket */
static void begin(struct stage *s, bool raw)
{
    int fds[2];
    *s = (struct stage){.loop = loop_new(), .fd = -1};
    loop_timer_new(s->loop, 20000, 0, too_late, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    s->here = transport_tcp(s->loop, on_end, s);
    transport_tcp_add(s->here, HERE, fds[0]);
    if (raw) {
        s->fd = fds[1];
        return;
    }
    s->there = transport_tcp(s->loop, on_end, s);
    transport_tcp_add(s->there, THERE, fds[1]);
}

static void end(struct stage *s)
{
    const unsigned ended = s->ended;
    transport_free(s->here);
    if (s->there)
        transport_free(s->there);
    if (s->fd >= 0)
        close(s->fd);
    loop_free(s->loop);
    assert_int_equal(s->ended, ended); /* freed without a callback */
}

static void on_done(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct stage *s = ctx;
    const size_t n = strlen(s->order);
    snprintf(s->order + n, sizeof s->order - n, "%u:%u ", peer, transfer);
    if (--s->left == 0)
        loop_stop(s->loop);
}

static uint8_t *pattern(size_t n, unsigned seed)
{
    uint8_t *data = mem_alloc(n);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)((i * 2654435761u + seed) >> 8);
    return data;
}

static void transfers_arrive_whole_in_order_both_ways_at_once(void **state)
{
    (void)state;
    enum { N = 6 };
    static const size_t bytes[N] = {0, 1, BIG, 100, BIG + 1, 16};
    for (int receiver_first = 0; receiver_first < 2; receiver_first++) {
        struct stage s;
        uint8_t *out[2][N], *in[2][N];
        begin(&s, false);
        s.left = 4 * N;
        for (int round = 0; round < 2; round++)
            for (uint32_t i = 0; i < N; i++)
                for (int way = 0; way < 2; way++) {
                    struct transport *from = way ? s.here : s.there,
                                     *to = way ? s.there : s.here;
                    if (round == receiver_first) {
                        out[way][i] = pattern(bytes[i], i + 100 * (unsigned)way);
                        transport_send(from, way ? HERE : THERE, i, out[way][i], bytes[i],
                                       on_done, &s);
                    } else {
                        in[way][i] = mem_zalloc(bytes[i]);
                        transport_receive(to, way ? THERE : HERE, i, in[way][i], bytes[i],
                                          on_done, &s);
                    }
                }
        assert_string_equal(s.order, ""); /* never from inside the call */
        assert_false(transport_idle(s.here));
        loop_run(s.loop);
        assert_true(transport_idle(s.here) && transport_idle(s.there));
        assert_int_equal(transport_sent_bytes(s.here), 2 * BIG + 118);
        assert_int_equal(transport_received_bytes(s.here), 2 * BIG + 118);
        for (uint32_t i = 0; i < N; i++)
            for (int way = 0; way < 2; way++) {
                assert_memory_equal(in[way][i], out[way][i], bytes[i]);
                mem_free(in[way][i]);
                mem_free(out[way][i]);
            }
        assert_int_equal(s.ended, 0);
        end(&s);
    }
}

static void what_nobody_asked_for_waits_at_the_sender(void **state)
{
    (void)state;
    struct stage s;
    uint8_t *data = pattern(BIG, 1), *got = mem_zalloc(BIG);
    begin(&s, false);
    s.left = 2;
    transport_send(s.here, HERE, 5, data, BIG, on_done, &s);
    pass(&s, 50);
    assert_int_equal(s.left, 2);
    transport_receive(s.there, THERE, 5, got, BIG, on_done, &s);
    loop_run(s.loop);
    assert_memory_equal(got, data, BIG);
    end(&s);
    mem_free(data);
    mem_free(got);
}

static void what_is_not_the_transfer_that_is_awaited_ends_the_lane(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t header[16];
    } cases[] = {
        {"another number", "LKT1\x06\0\0\0\x10\0\0\0\0\0\0"},
        {"too long", "LKT1\x05\0\0\0\x11\0\0\0\0\0\0"},
        {"too short", "LKT1\x05\0\0\0\x0f\0\0\0\0\0\0"},
        {"too long by 2^32", "LKT1\x05\0\0\0\x10\0\0\0\x01\0\0"},
        {"no header", "GET / HTTP/1.1\r"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        uint8_t got[16];
        print_message("%s\n", cases[i].what);
        begin(&s, true);
        transport_receive(s.here, HERE, 5, got, sizeof got, on_done, &s);
        assert_int_equal(write(s.fd, cases[i].header, 16), 16);
        loop_run(s.loop);
        assert_int_equal(s.ended, 1);
        assert_string_equal(s.order, "");
        transport_receive(s.here, HERE, 6, got, sizeof got, on_done, &s); /* ignored */
        assert_true(transport_idle(s.here));
        end(&s);
    }
}

static void an_end_in_the_middle_is_told_once_and_completes_nothing(void **state)
{
    (void)state;
    struct stage s;
    uint8_t got[16];
    begin(&s, true);
    transport_receive(s.here, HERE, 5, got, sizeof got, on_done, &s);
    transport_receive(s.here, HERE, 6, got, sizeof got, on_done, &s);
    assert_int_equal(write(s.fd, "LKT1\x05\0\0\0\x10\0\0\0\0\0\0\0half", 20), 20);
    pass(&s, 30);
    assert_int_equal(s.ended, 0);
    close(s.fd);
    s.fd = -1;
    loop_run(s.loop);
    assert_int_equal(s.ended, 1);
    assert_string_equal(s.order, "");
    end(&s);
}

/* The buffers are the owner's again at once, in both directions: address sanitizer sees
 * what would still touch them. */
static void what_is_forgotten_is_not_touched_any_more(void **state)
{
    (void)state;
    struct stage s;
    begin(&s, true);
    uint8_t *out = pattern(BIG, 3), *in = mem_alloc(BIG);
    transport_receive(s.here, HERE, 1, in, BIG, on_done, &s);
    transport_send(s.here, HERE, 1, out, BIG, on_done, &s);
    assert_int_equal(write(s.fd, "LKT1\x01\0\0\0\0\0\x30\0\0\0\0\0half", 20), 20);
    pass(&s, 30);
    assert_false(transport_forget(s.here, HERE)); /* nothing is parked */
    mem_free(out);
    mem_free(in);
    pass(&s, 30);
    assert_string_equal(s.order, "");
    assert_int_equal(s.ended, 0);

    int fds[2]; /* the number is free again */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    transport_tcp_add(s.here, HERE, fds[0]);
    s.left = 1;
    transport_send(s.here, HERE, 0, "x", 1, on_done, &s);
    loop_run(s.loop);
    assert_string_equal(s.order, "7:0 ");
    close(fds[1]);
    end(&s);
}

RUN(T(transfers_arrive_whole_in_order_both_ways_at_once),
    T(what_nobody_asked_for_waits_at_the_sender),
    T(what_is_not_the_transfer_that_is_awaited_ends_the_lane),
    T(an_end_in_the_middle_is_told_once_and_completes_nothing),
    T(what_is_forgotten_is_not_touched_any_more))
