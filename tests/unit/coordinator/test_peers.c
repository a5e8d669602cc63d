#include "support/test.h"

#include "coordinator/peers.h"
#include "net/loop.h"

struct ends {
    struct loop *loop;
    struct channel *here, *there;
};

static void ignore_message(void *ctx, struct channel *c, const struct message *m)
{
    (void)ctx;
    (void)c;
    (void)m;
}

static void ignore_end(void *ctx, struct channel *c, int err)
{
    (void)ctx;
    (void)c;
    (void)err;
}

static struct ends ends_new(void)
{
    const struct channel_events events = {ignore_message, ignore_end};
    struct ends e = {.loop = loop_new()};
    control_pair(e.loop, events, NULL, events, NULL, &e.here, &e.there);
    return e;
}

static void the_place_of_a_stranger_is_used_again(void **state)
{
    (void)state;
    struct ends e = ends_new();
    struct peers peers = {0};
    struct peer *member = peers_add(&peers, e.here, 1);
    member->worker = 1;
    for (int knock = 0; knock < 100000; knock++) {
        struct peer *stranger = peers_add(&peers, e.here, 2);
        assert_int_equal(stranger->id, 2);
        assert_ptr_equal(peers_get(&peers, 2), stranger);
        peers_remove(&peers, stranger);
    }
    assert_int_equal(peers.n, 2);
    assert_ptr_equal(peers_get(&peers, 1), member);
    peers_fini(&peers);
    loop_free(e.loop);
}

static void many_at_once_keep_their_numbers(void **state)
{
    (void)state;
    struct ends e = ends_new();
    struct peers peers = {0};
    struct peer *one[100];
    for (uint32_t i = 0; i < 100; i++) {
        one[i] = peers_add(&peers, e.here, i);
        assert_int_equal(one[i]->id, i + 1);
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_ptr_equal(peers_get(&peers, i + 1), one[i]);
    peers_fini(&peers);
    loop_free(e.loop);
}

static void a_name_cannot_move_the_cursor_of_who_reads_the_log(void **state)
{
    (void)state;
    struct ends e = ends_new();
    struct peers peers = {0};
    struct peer *p = peers_add(&peers, e.here, 1);
    const struct message join = {.kind = MESSAGE_JOIN,
                                 .incarnation = 9,
                                 .join = {.host = "a\n\033[2Jn\xc3\xb8"
                                                  "de\177",
                                          .pid = 5}};
    peer_introduce(p, &join);
    assert_string_equal(p->name, "a??[2Jn\xc3\xb8"
                                 "de? pid 5");
    assert_int_equal(p->incarnation, 9);
    peers_fini(&peers);
    loop_free(e.loop);
}

RUN(T(the_place_of_a_stranger_is_used_again), T(many_at_once_keep_their_numbers),
    T(a_name_cannot_move_the_cursor_of_who_reads_the_log))
