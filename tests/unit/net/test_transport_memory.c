#include "support/test.h"

#include "base/mem.h"
#include "net/transport.h"

struct seen {
    struct loop *loop;
    struct transport *t; /* when set, the callback posts one more receive */
    char order[64];
    int left; /* callbacks until the loop stops */
};

static void on_done(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct seen *s = ctx;
    const size_t n = strlen(s->order);
    snprintf(s->order + n, sizeof s->order - n, "%u:%u ", peer, transfer);
    if (--s->left == 0)
        loop_stop(s->loop);
}

static void transfers_complete_from_the_loop_in_order_of_posting(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct transport *c, *w;
    transport_memory(l, &c, &w);
    struct seen all = {.loop = l, .left = 6};
    char a[2][8] = {"one", "two"}, b[2][8], up[8] = "up", down[8];
    assert_true(transport_idle(c) && transport_idle(w));

    transport_receive(w, 0, 0, b[0], 8, on_done, &all); /* receiver first */
    transport_send(c, 1, 0, a[0], 8, on_done, &all);
    transport_send(c, 1, 1, a[1], 8, on_done, &all); /* sender first */
    transport_receive(w, 0, 1, b[1], 8, on_done, &all);
    transport_send(w, 0, 7, up, 3, on_done, &all); /* and the other way */
    transport_receive(c, 1, 7, down, 3, on_done, &all);
    assert_string_equal(all.order, ""); /* never from inside the call */
    assert_false(transport_idle(c) || transport_idle(w));
    loop_run(l);
    assert_string_equal(b[0], "one");
    assert_string_equal(b[1], "two");
    assert_string_equal(down, "up");
    assert_string_equal(all.order, "1:0 1:1 1:7 0:0 0:1 0:7 ");
    assert_true(transport_idle(c) && transport_idle(w));
    assert_int_equal(transport_sent_bytes(c), 16);
    assert_int_equal(transport_received_bytes(c), 3);
    assert_int_equal(transport_sent_bytes(w), 3);
    transport_free(c);
    transport_free(w);
    loop_free(l);
}

static void chain(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct seen *s = ctx;
    static char byte;
    assert_int_equal(transfer, 100 - (uint32_t)s->left);
    if (--s->left == 0)
        loop_stop(s->loop);
    else if (s->t)
        transport_receive(s->t, peer, transfer + 1, &byte, 1, chain, s);
}

static void callbacks_may_post_transfers(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct transport *c, *w;
    char byte = 1, in;
    transport_memory(l, &c, &w);
    struct seen sender = {.loop = l, .left = 100},
                receiver = {.loop = l, .t = w, .left = 100};
    for (uint32_t i = 0; i < 100; i++)
        transport_send(c, 1, i, &byte, 1, chain, &sender);
    transport_receive(w, 0, 0, &in, 1, chain, &receiver);
    while (sender.left || receiver.left)
        loop_run(l);
    transport_free(w);
    transport_free(c);
    loop_free(l);
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void a_forgotten_peer_is_never_heard_of_again(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct transport *c, *w;
    char a[4] = "abc", b[4];
    transport_memory(l, &c, &w);
    struct seen s = {.loop = l};
    transport_send(c, 1, 0, a, 4, on_done, &s);
    transport_receive(w, 0, 0, b, 4, on_done, &s); /* complete, not yet told */
    transport_send(c, 1, 1, a, 4, on_done, &s);
    assert_false(transport_forget(c, 1));
    assert_false(transport_forget(w, 0));
    transport_send(c, 1, 2, a, 4, on_done, &s); /* ignored */
    assert_true(transport_idle(c) && transport_idle(w));
    loop_timer_new(l, 1, 0, stop, l);
    loop_run(l);
    assert_string_equal(s.order, "");
    transport_free(c);
    transport_free(w);
    loop_free(l);
}

static void a_step_allocates_nothing_once_there_are_transfers(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct transport *c, *w;
    char a = 1, b;
    transport_memory(l, &c, &w);
    uint64_t before = 0;
    for (uint32_t i = 0; i < 10; i++) {
        struct seen s = {.loop = l, .left = 2};
        transport_send(c, 1, i, &a, 1, on_done, &s);
        transport_receive(w, 0, i, &b, 1, on_done, &s);
        loop_run(l);
        if (i == 0)
            before = mem_count();
    }
    assert_int_equal(mem_count(), before);
    transport_free(c);
    transport_free(w);
    loop_free(l);
}

RUN(T(transfers_complete_from_the_loop_in_order_of_posting),
    T(callbacks_may_post_transfers), T(a_forgotten_peer_is_never_heard_of_again),
    T(a_step_allocates_nothing_once_there_are_transfers))
