#include "unit/net/messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/codec.h"
#include "net/control.h"
#include "net/frame.h"

enum { ME = 77 };

/* --- two ends and what they see --------------------------------------------------------
 */

struct scene;

struct end {
    struct scene *scene;
    struct channel *c; /* NULL when it is gone */
    size_t messages, ended;
    int err;
    uint64_t sum;      /* of what heartbeats and leases carry, checked in order */
    size_t stop_after; /* messages until the loop stops; 0: at the end of the channel */
    bool echo, close_at_first, stop_at_end;
    uint64_t close_ms;
};

struct scene {
    struct loop *loop;
    struct control_server *server;
    char bound[CONTROL_ADDRESS];
    struct end accepted, caller;
    bool inside;
    uint64_t lane_of; /* the caller of a data lane, and its socket here */
    int lane;
    size_t accepts;
};

static void on_message(void *ctx, struct channel *c, const struct message *m)
{
    struct scene *s = ctx;
    struct end *e = s->caller.c == c ? &s->caller : &s->accepted;
    assert_false(s->inside);
    assert_int_equal(e->ended, 0);
    if (m->kind == MESSAGE_HEARTBEAT) {
        assert_int_equal(m->heartbeat.held, e->messages);
    } else if (m->kind == MESSAGE_LEASE) {
        const struct message_slice *x = m->lease.slice;
        const size_t tokens = message_slice_tokens(x);
        for (size_t i = 0; i < tokens; i++)
            e->sum += x->tokens[i];
    }
    e->messages++;
    if (e->echo) {
        s->inside = true;
        channel_send(c, m);
        s->inside = false;
    }
    if (e->close_at_first) {
        s->inside = true;
        channel_close(c, e->close_ms);
        s->inside = false;
    }
    if (e->messages == e->stop_after)
        loop_stop(s->loop);
}

static void on_closed(void *ctx, struct channel *c, int err)
{
    struct scene *s = ctx;
    struct end *e = s->caller.c == c ? &s->caller : &s->accepted;
    assert_false(s->inside);
    e->ended++;
    e->err = err;
    e->c = NULL;
    if (e->stop_at_end)
        loop_stop(s->loop);
}

static const struct channel_events events = {on_message, on_closed};

static void on_accept(void *ctx, struct channel *c)
{
    struct scene *s = ctx;
    assert_false(s->inside);
    s->accepts++;
    s->accepted.c = c;
    channel_attach(c, s);
    assert_ptr_equal(channel_attached(c), s);
    assert_int_equal(strncmp(channel_peer(c), "127.0.0.1:", 10), 0);
    assert_int_equal(channel_incarnation(c), ME);
    if (s->accepted.stop_after == 0 && !s->accepted.stop_at_end)
        loop_stop(s->loop);
}

static void on_lane(void *ctx, uint64_t incarnation, int fd)
{
    struct scene *s = ctx;
    s->lane_of = incarnation;
    s->lane = fd;
}

static void too_late(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happened for 20 s");
}

static const struct control_caller right = {.token = {1, 2, 3}, .incarnation = ME},
                                   wrong = {.token = {1, 2, 4}, .incarnation = ME};

static int try_to_listen(struct scene *s, const char *address,
                         struct control_server **server)
{
    const struct control_server_options o = {.token = {1, 2, 3},
                                             .events = events,
                                             .on_accept = on_accept,
                                             .on_lane = on_lane,
                                             .ctx = s};
    return control_listen(s->loop, address, s->bound, &o, server);
}

static void listen_on(struct scene *s)
{
    s->loop = loop_new();
    loop_timer_new(s->loop, 20000, 0, too_late, NULL);
    assert_int_equal(try_to_listen(s, "", &s->server), ERR_OK);
}

static void call(struct scene *s)
{
    s->inside = true;
    assert_int_equal(
        control_connect(s->loop, s->bound, &right, events, s, &s->caller.c), ERR_OK);
    s->inside = false;
}

enum lane { TCP, MEMORY };

/* Both ends of a channel. */
static void open_both(struct scene *s, enum lane lane)
{
    if (lane == TCP) {
        listen_on(s);
        call(s);
        loop_run(s->loop); /* until accepted */
    } else {
        s->loop = loop_new();
        loop_timer_new(s->loop, 20000, 0, too_late, NULL);
        control_pair(s->loop, events, s, events, s, &s->accepted.c, &s->caller.c);
    }
}

static void end_scene(struct scene *s)
{
    const size_t a = s->accepted.ended, b = s->caller.ended;
    loop_free(s->loop);
    assert_int_equal(s->accepted.ended, a); /* freed without a callback */
    assert_int_equal(s->caller.ended, b);
}

static void say(struct scene *s, struct channel *c, const struct message *m)
{
    s->inside = true;
    channel_send(c, m);
    s->inside = false;
}

static void send_heartbeat(struct scene *s, struct channel *c, uint64_t number)
{
    say(s, c, &(struct message){MESSAGE_HEARTBEAT, 1, 1, .heartbeat = {number}});
}

/* A lease of @mib MiB of tokens; returns their sum. */
static uint64_t send_lease(struct scene *s, struct channel *c, size_t mib)
{
    const uint32_t length = 1023;
    const size_t n = mib << 18, sequences = n / (length + 1);
    uint32_t *tokens = mem_alloc(n * sizeof *tokens);
    uint64_t *samples = mem_zalloc(sequences * sizeof *samples), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += tokens[i] = (uint32_t)i * 2654435761u;
    uint32_t *lengths = mem_alloc(sequences * sizeof *lengths);
    for (size_t i = 0; i < sequences; i++)
        lengths[i] = length;
    const struct message_slice slice = {.sequences = (uint32_t)sequences,
                                        .lengths = lengths,
                                        .tokens = tokens,
                                        .samples = samples};
    say(s, c, &(struct message){MESSAGE_LEASE, .lease = {.slices = 1, .slice = &slice}});
    mem_free(tokens);
    mem_free(samples);
    mem_free(lengths);
    return sum;
}

/* A stranger: a socket of the kernel's, which says what it likes and reads nothing. */
static int stranger(struct scene *s, const void *bytes, size_t n)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct address a;
    assert_int_equal(address_parse(s->bound, &a), ERR_OK);
    at.sin_port = htons(a.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (n)
        assert_int_equal(write(fd, bytes, n), n);
    return fd;
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* What can happen within @ms happens. */
static void pass(struct scene *s, uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(s->loop, ms, 0, stop, s->loop);
    loop_run(s->loop);
    loop_timer_free(t);
}

struct said {
    uint8_t bytes[FRAME_HEADER + AUTH_BYTES_MAX];
    size_t n;
};

static struct said framed(const struct auth_message *m)
{
    struct said x = {.n = FRAME_HEADER + m->n};
    memcpy(x.bytes + FRAME_HEADER, m->bytes, m->n);
    frame_header(x.bytes, x.bytes + FRAME_HEADER, m->n);
    return x;
}

/* Somebody who knows @token, with a socket of the kernel's; @said [2] keeps its words. */
static int acquaintance(struct scene *s, const uint8_t token[AUTH_TOKEN],
                        struct said said[2])
{
    struct auth a;
    struct auth_message m;
    struct said answer;
    auth_call(&a, token, AUTH_CONTROL, ME, &m);
    said[0] = framed(&m);
    const int fd = stranger(s, said[0].bytes, said[0].n);
    pass(s, 30);
    const ssize_t n = read(fd, answer.bytes, sizeof answer.bytes);
    assert_int_equal(n, sizeof answer.bytes); /* a challenge */
    if (auth_take(&a, answer.bytes + FRAME_HEADER, (size_t)n - FRAME_HEADER, &m))
        return fd; /* it does not even believe the listener */
    said[1] = framed(&m);
    assert_int_equal(write(fd, said[1].bytes, said[1].n), said[1].n);
    pass(s, 30);
    return fd;
}

static bool ended(int fd)
{
    char bytes[512];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    return n == 0 || errno != EAGAIN;
}

/* --- bad input -------------------------------------------------------------------------
 */

static void addresses_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port; /* -1: refused */
    } cases[] = {
        {"", "", 0},
        {"node7", "node7", 0},
        {"node7:4000", "node7", 4000},
        {":4000", "", 4000},
        {"10.0.0.7:65535", "10.0.0.7", 65535},
        {"[::1]:1", "::1", 1},
        {"[::1]", "::1", 0},
        {"fe80::1%eth0", "fe80::1%eth0", 0},
        {"node7:", "", -1},
        {"node7:65536", "", -1},
        {"node7:99999999999", "", -1},
        {"node7:40x", "", -1},
        {"node7:-1", "", -1},
        {"[::1", "", -1},
        {"[]:1", "", -1},
        {"[::1]1", "", -1},
        {"a b:1", "", -1},
        {"a/b", "", -1},
        {"a\nb:1", "", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a;
        const int err = address_parse(cases[i].text, &a);
        assert_int_equal(err, cases[i].port < 0 ? ERR_INVALID : ERR_OK);
        if (err)
            continue;
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
    }
    char longest[300] = {0};
    struct address a;
    memset(longest, 'a', ADDRESS_HOST);
    assert_int_equal(address_parse(longest, &a), ERR_INVALID);
}

static void wrong_addresses_are_errors_and_an_absent_peer_an_end(void **state)
{
    (void)state;
    struct scene s = {.caller.stop_at_end = true};
    struct control_server *other;
    struct channel *c;
    listen_on(&s);
    assert_int_equal(try_to_listen(&s, "a b", &other), ERR_INVALID);
    char bound[CONTROL_ADDRESS];
    memcpy(bound, s.bound, sizeof bound);
    assert_int_equal(try_to_listen(&s, bound, &other), ERR_IO);
    assert_int_equal(control_connect(s.loop, "127.0.0.1", &right, events, &s, &c),
                     ERR_INVALID);
    assert_int_equal(control_connect(s.loop, ":4000", &right, events, &s, &c),
                     ERR_INVALID);

    control_server_free(s.server);
    call(&s);
    send_heartbeat(&s, s.caller.c, 0); /* lost */
    loop_run(s.loop);
    assert_int_equal(s.caller.ended, 1);
    assert_int_equal(s.caller.err, ERR_CLOSED);
    end_scene(&s);
}

static void what_strangers_say_closes_their_connection_and_reaches_nobody(void **state)
{
    (void)state;
    static uint8_t damaged[FRAME_HEADER + 4] = {[FRAME_HEADER] = 0x52, 0x02, 0x08, 0x01};
    static uint8_t heartbeat[FRAME_HEADER + 4] = {[FRAME_HEADER] = 0x52, 2, 8, 1};
    static uint8_t silent[FRAME_HEADER], big[FRAME_HEADER] = "LKS1\x49";
    frame_header(damaged, damaged + FRAME_HEADER, 4);
    damaged[FRAME_HEADER + 3] ^= 2;
    frame_header(heartbeat, heartbeat + FRAME_HEADER, 4);
    frame_header(silent, "", 0);
    const struct {
        const void *bytes;
        size_t n;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18}, {damaged, sizeof damaged},
        {heartbeat, sizeof heartbeat},   /* a good message before its time */
        {silent, sizeof silent},         /* a good frame, says nothing */
        {big, sizeof big},               /* announces 73 bytes */
    };
    struct scene s = {0};
    listen_on(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int fd = stranger(&s, cases[i].bytes, cases[i].n);
        pass(&s, 30);
        assert_true(ended(fd));
        close(fd);
    }
    close(stranger(&s, "LKS", 3));
    close(stranger(&s, damaged, FRAME_HEADER + 2));
    close(stranger(&s, "", 0));
    pass(&s, 30);
    assert_int_equal(s.accepts, 0);
    assert_int_equal(s.accepted.ended, 0);
    end_scene(&s);
}

static void without_the_token_nobody_comes_in_from_either_side(void **state)
{
    (void)state;
    struct said said[2];
    struct scene s = {.caller.stop_at_end = true};
    listen_on(&s);
    assert_int_equal(
        control_connect(s.loop, s.bound, &wrong, events, &s, &s.caller.c), ERR_OK);
    send_heartbeat(&s, s.caller.c, 0);
    loop_run(s.loop);
    assert_int_equal(s.caller.err, ERR_REFUSED); /* it found out that the listener is not
                                                    its job's */
    close(acquaintance(&s, wrong.token, said));
    struct auth a; /* somebody who does not care who listens, and guesses */
    struct auth_message m;
    auth_call(&a, wrong.token, AUTH_CONTROL, ME, &m);
    struct said hello = framed(&m);
    const int fd = stranger(&s, hello.bytes, hello.n);
    pass(&s, 30);
    m = (struct auth_message){.bytes = {3, AUTH_CONTROL}, .n = 4 + AUTH_PROOF};
    struct said guess = framed(&m);
    assert_int_equal(write(fd, guess.bytes, guess.n), guess.n);
    pass(&s, 30);
    assert_true(ended(fd));
    close(fd);
    assert_int_equal(s.accepts, 0);
    end_scene(&s);
}

static void what_was_overheard_opens_nothing(void **state)
{
    (void)state;
    struct said said[2];
    struct scene s = {.accepted.stop_at_end = true};
    listen_on(&s);
    const int good = acquaintance(&s, right.token, said);
    assert_int_equal(s.accepts, 1);
    const int fd = stranger(&s, said[0].bytes, said[0].n);
    pass(&s, 30);
    assert_int_equal(write(fd, said[1].bytes, said[1].n), said[1].n);
    pass(&s, 30);
    assert_true(ended(fd));
    assert_int_equal(s.accepts, 1);
    assert_false(ended(good));
    close(fd);
    close(good);
    end_scene(&s);
}

static void who_says_nothing_does_not_stay(void **state)
{
    (void)state;
    struct scene s = {0};
    listen_on(&s);
    const int fd = stranger(&s, "LKS1", 4);
    pass(&s, CONTROL_PROOF_MS - 1000);
    assert_false(ended(fd));
    pass(&s, 2000);
    assert_true(ended(fd));
    close(fd);
    end_scene(&s);
}

/* However many knock, so many are kept, and who has the token comes in. */
static void many_who_wait_make_room_for_who_comes_last(void **state)
{
    (void)state;
    enum { SOME = 5, ALL = CONTROL_PENDING_MAX + SOME };
    static int fds[ALL];
    struct said said[2];
    struct scene s = {.accepted.stop_at_end = true};
    listen_on(&s);
    for (size_t i = 0; i < ALL; i++) {
        fds[i] = stranger(&s, "", 0);
        pass(&s, 1);
    }
    pass(&s, 2 * CONTROL_ROOM_MS);
    for (size_t i = 0; i < ALL; i++)
        assert_int_equal(ended(fds[i]), i < SOME);
    close(acquaintance(&s, right.token, said));
    assert_int_equal(s.accepts, 1);
    for (size_t i = 0; i < ALL; i++)
        close(fds[i]);
    end_scene(&s);
}

static void a_burst_closes_nobody_who_had_no_time_to_answer(void **state)
{
    (void)state;
    enum { BURST = 3 * CONTROL_PENDING_MAX };
    static int fds[BURST];
    struct scene s = {.accepted.stop_at_end = true};
    struct auth a;
    struct auth_message m;
    struct said answer;
    listen_on(&s);
    auth_call(&a, right.token, AUTH_CONTROL, ME, &m);
    struct said x = framed(&m);
    const int fd = stranger(&s, x.bytes, x.n);
    for (size_t i = 0; i < BURST; i++) /* all of them before the loop comes round */
        fds[i] = stranger(&s, "", 0);
    pass(&s, 30);
    assert_int_equal(read(fd, answer.bytes, sizeof answer.bytes), sizeof answer.bytes);
    assert_int_equal(auth_take(&a, answer.bytes + FRAME_HEADER, AUTH_BYTES_MAX, &m),
                     ERR_OK);
    x = framed(&m);
    assert_int_equal(write(fd, x.bytes, x.n), x.n);
    pass(&s, 30);
    assert_int_equal(s.accepts, 1);
    pass(&s, BURST * CONTROL_ROOM_MS / CONTROL_PENDING_MAX); /* and the others come in */
    size_t gone = 0;
    for (size_t i = 0; i < BURST; i++) {
        gone += ended(fds[i]);
        close(fds[i]);
    }
    assert_int_equal(gone, BURST - CONTROL_PENDING_MAX);
    assert_false(ended(fd));
    close(fd);
    end_scene(&s);
}

struct lane_end {
    struct scene *scene;
    int fd, err;
};

static void on_lane_made(void *ctx, int fd, int err)
{
    struct lane_end *e = ctx;
    e->fd = fd;
    e->err = err;
    loop_stop(e->scene->loop);
}

static void a_data_lane_becomes_a_plain_socket_at_both_ends(void **state)
{
    (void)state;
    struct scene s = {0};
    struct lane_end e = {&s, -1, -1};
    char byte = 0;
    listen_on(&s);
    assert_int_equal(control_connect_lane(s.loop, s.bound, &right, on_lane_made, &e),
                     ERR_OK);
    loop_run(s.loop);
    assert_int_equal(e.err, ERR_OK);
    assert_int_equal(s.lane_of, ME);
    pass(&s, 30);
    assert_int_equal(write(s.lane, "x", 1), 1);
    assert_int_equal(recv(e.fd, &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(byte, 'x');
    close(s.lane);
    assert_true(ended(e.fd));
    close(e.fd);
    assert_int_equal(control_connect_lane(s.loop, s.bound, &wrong, on_lane_made, &e),
                     ERR_OK);
    loop_run(s.loop);
    assert_int_equal(e.err, ERR_REFUSED);
    assert_int_equal(e.fd, -1);
    assert_int_equal(s.accepts, 0);
    end_scene(&s);
}

static void a_message_above_the_limit_ends_the_channel_that_would_send_it(void **state)
{
    (void)state;
    for (enum lane lane = TCP; lane <= MEMORY; lane++) {
        struct scene s = {0};
        open_both(&s, lane);
        send_lease(&s, s.caller.c, 64); /* and a few bytes */
        s.caller.stop_at_end = true;
        loop_run(s.loop);
        assert_int_equal(s.caller.err, ERR_TOO_BIG);
        assert_int_equal(s.accepted.messages, 0);
        end_scene(&s);
    }
}

static void a_message_above_the_limit_that_the_owner_set_ends_the_channel(void **state)
{
    (void)state;
    struct scene s = {0};
    open_both(&s, TCP);
    s.accepted.stop_after = 1;
    channel_limit(s.accepted.c, 1 << 20);
    send_heartbeat(&s, s.caller.c, 0);
    loop_run(s.loop);
    send_lease(&s, s.caller.c, 1); /* and a few bytes */
    s.accepted.stop_at_end = true;
    loop_run(s.loop);
    assert_int_equal(s.accepted.err, ERR_TOO_BIG);
    assert_int_equal(s.accepted.messages, 1);
    end_scene(&s);
}

static void a_peer_that_does_not_read_is_closed_when_its_queue_is_full(void **state)
{
    (void)state;
    struct scene s = {0};
    struct said said[2];
    listen_on(&s);
    const int fd = acquaintance(&s, right.token, said);
    size_t sent = 0;
    s.accepted.stop_at_end = true;
    for (; s.accepted.c && sent < 40; sent++)
        send_lease(&s, s.accepted.c, 8);
    loop_run(s.loop);
    assert_int_equal(s.accepted.ended, 1);
    assert_int_equal(s.accepted.err, ERR_TIMEOUT);
    close(fd);
    end_scene(&s);
}

/* --- good input ------------------------------------------------------------------------
 */

static void many_messages_arrive_in_order_both_ways(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    for (enum lane lane = TCP; lane <= MEMORY; lane++) {
        struct scene s = {.accepted.echo = true, .caller.stop_after = MANY};
        open_both(&s, lane);
        for (size_t i = 0; i < MANY; i++)
            send_heartbeat(&s, s.caller.c, i);
        loop_run(s.loop);
        assert_int_equal(s.accepted.messages, MANY);
        assert_int_equal(s.caller.messages, MANY);
        end_scene(&s);
    }
}

static void large_leases_arrive_whole(void **state)
{
    (void)state;
    for (enum lane lane = TCP; lane <= MEMORY; lane++) {
        struct scene s = {.caller.stop_after = 3};
        open_both(&s, lane);
        uint64_t sum = 0;
        for (int i = 0; i < 3; i++)
            sum += send_lease(&s, s.accepted.c, 10);
        loop_run(s.loop);
        assert_int_equal(s.caller.sum, sum);
        end_scene(&s);
    }
}

static void closing_lets_what_was_queued_arrive(void **state)
{
    (void)state;
    for (enum lane lane = TCP; lane <= MEMORY; lane++) {
        struct scene s = {.caller.stop_at_end = true};
        open_both(&s, lane);
        send_heartbeat(&s, s.caller.c, 0); /* not read, must not turn into a reset */
        const uint64_t sum = send_lease(&s, s.accepted.c, 20);
        s.accepted.messages = 0;
        s.inside = true;
        channel_close(s.accepted.c, 10000);
        s.inside = false;
        say(&s, s.accepted.c, &examples[9]); /* closed: nothing happens */
        loop_run(s.loop);
        assert_int_equal(s.caller.sum, sum);
        assert_int_equal(s.caller.messages, 1);
        assert_int_equal(s.caller.err, ERR_CLOSED);
        if (!s.accepted.ended) {
            s.accepted.stop_at_end = true;
            loop_run(s.loop);
        }
        assert_int_equal(s.accepted.ended, 1);
        assert_int_equal(s.accepted.err, ERR_OK);
        assert_int_equal(s.accepted.messages, 0);
        end_scene(&s);
    }
}

static void closing_has_a_deadline(void **state)
{
    (void)state;
    struct scene s = {0};
    struct said said[2];
    listen_on(&s);
    const int fd = acquaintance(&s, right.token, said);
    send_lease(&s, s.accepted.c, 20); /* more than the kernel takes */
    s.accepted.stop_at_end = true;
    channel_close(s.accepted.c, 20);
    loop_run(s.loop);
    assert_int_equal(s.accepted.ended, 1);
    assert_int_equal(s.accepted.err, ERR_TIMEOUT);
    close(fd);
    end_scene(&s);
}

static void an_owner_may_close_in_the_middle_of_messages(void **state)
{
    (void)state;
    for (enum lane lane = TCP; lane <= MEMORY; lane++)
        for (uint64_t ms = 0; ms <= 1000; ms += 1000) {
            struct scene s = {.accepted.close_at_first = true,
                              .accepted.close_ms = ms,
                              .caller.stop_at_end = true};
            open_both(&s, lane);
            for (size_t i = 0; i < 10; i++)
                send_heartbeat(&s, s.caller.c, i);
            loop_run(s.loop);
            assert_int_equal(s.accepted.messages, 1);
            assert_int_equal(s.caller.ended, 1);
            end_scene(&s);
        }
}

static void the_end_of_a_peer_is_told_once(void **state)
{
    (void)state;
    for (enum lane lane = TCP; lane <= MEMORY; lane++) {
        struct scene s = {0};
        open_both(&s, lane);
        s.accepted.stop_at_end = true;
        send_heartbeat(&s, s.caller.c, 0);
        send_heartbeat(&s, s.caller.c, 1);
        channel_close(s.caller.c, 1000);
        channel_close(s.caller.c, 0); /* the first one counts */
        loop_run(s.loop);
        assert_int_equal(s.accepted.messages, 2);
        assert_int_equal(s.accepted.ended, 1);
        assert_int_equal(s.accepted.err, ERR_CLOSED);
        end_scene(&s);
    }
}

static void stopping_to_listen_leaves_channels_alive(void **state)
{
    (void)state;
    struct scene s = {.accepted.stop_after = 1};
    listen_on(&s);
    call(&s);
    send_heartbeat(&s, s.caller.c, 0);
    loop_run(s.loop);
    control_server_free(s.server);
    s.accepted.stop_after = 2;
    send_heartbeat(&s, s.caller.c, 1);
    loop_run(s.loop);
    assert_int_equal(s.accepted.messages, 2);
    end_scene(&s);
}

static int quiet(void **state)
{
    (void)state;
    log_init("", LOG_ERROR); /* warnings are provoked here */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(addresses_are_read_as_people_write_them),
        T(wrong_addresses_are_errors_and_an_absent_peer_an_end),
        T(what_strangers_say_closes_their_connection_and_reaches_nobody),
        T(without_the_token_nobody_comes_in_from_either_side),
        T(what_was_overheard_opens_nothing),
        T(who_says_nothing_does_not_stay),
        T(many_who_wait_make_room_for_who_comes_last),
        T(a_burst_closes_nobody_who_had_no_time_to_answer),
        T(a_data_lane_becomes_a_plain_socket_at_both_ends),
        T(a_message_above_the_limit_ends_the_channel_that_would_send_it),
        T(a_message_above_the_limit_that_the_owner_set_ends_the_channel),
        T(a_peer_that_does_not_read_is_closed_when_its_queue_is_full),
        T(many_messages_arrive_in_order_both_ways),
        T(large_leases_arrive_whole),
        T(closing_lets_what_was_queued_arrive),
        T(closing_has_a_deadline),
        T(an_owner_may_close_in_the_middle_of_messages),
        T(the_end_of_a_peer_is_told_once),
        T(stopping_to_listen_leaves_channels_alive),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
