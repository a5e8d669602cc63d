/* The handshake without a network: who is believed, and what is refused. */
#include "support/test.h"

#include "base/err.h"
#include "net/auth.h"
#include "net/message.h"

enum { ME = 0xABCDEF };
static const uint8_t token[AUTH_TOKEN] = {1, 2, 3}, other[AUTH_TOKEN] = {1, 2, 3, [31] = 1};

struct pair {
    struct auth caller, listener;
    struct auth_message m[4]; /* hello, challenge, proof, accepted */
};

/* The first @n messages are exchanged. */
static void talk(struct pair *p, const uint8_t *of_caller, const uint8_t *of_listener,
                 int n)
{
    auth_call(&p->caller, of_caller, AUTH_LANE, ME, &p->m[0]);
    auth_listen(&p->listener, of_listener);
    for (int i = 0; i + 1 < n; i++)
        assert_int_equal(auth_take(i % 2 ? &p->caller : &p->listener, p->m[i].bytes,
                                   p->m[i].n, &p->m[i + 1]),
                         ERR_OK);
}

static void two_who_know_the_token_believe_each_other(void **state)
{
    (void)state;
    struct pair p;
    struct auth_message none;
    talk(&p, token, token, 4);
    assert_true(p.listener.done && !p.caller.done);
    assert_int_equal(auth_take(&p.caller, p.m[3].bytes, p.m[3].n, &none), ERR_OK);
    assert_true(p.caller.done && none.n == 0);
    assert_int_equal(p.listener.incarnation, ME);
    assert_int_equal(p.listener.role, AUTH_LANE);
    assert_int_equal(auth_take(&p.caller, p.m[3].bytes, p.m[3].n, &none), ERR_MALFORMED);
}

static void each_end_finds_out_that_the_other_does_not_know_it(void **state)
{
    (void)state;
    struct pair p;
    talk(&p, other, token, 2);
    assert_int_equal(auth_take(&p.caller, p.m[1].bytes, p.m[1].n, &p.m[2]), ERR_REFUSED);
    struct pair q; /* a caller that answers whatever it was told */
    talk(&p, other, other, 3);
    talk(&q, token, token, 2);
    assert_int_equal(auth_take(&q.listener, p.m[2].bytes, p.m[2].n, &q.m[3]), ERR_REFUSED);
    assert_false(q.listener.done);
}

static void nothing_that_was_said_before_proves_anything(void **state)
{
    (void)state;
    struct pair p, q;
    talk(&p, token, token, 4);
    talk(&q, token, token, 1);
    assert_int_equal(auth_take(&q.listener, p.m[0].bytes, p.m[0].n, &q.m[1]), ERR_OK);
    assert_int_equal(auth_take(&q.listener, p.m[2].bytes, p.m[2].n, &q.m[3]), ERR_REFUSED);
    assert_int_equal(auth_take(&q.caller, p.m[1].bytes, p.m[1].n, &q.m[2]), ERR_REFUSED);
}

/* Who has no token sends a listener's own proof back to it. */
static void a_proof_cannot_be_sent_back(void **state)
{
    (void)state;
    struct pair p;
    talk(&p, token, token, 2);
    struct auth_message back = {.bytes = {3, AUTH_LANE}, .n = 4 + AUTH_PROOF};
    memcpy(back.bytes + 4, p.m[1].bytes + p.m[1].n - AUTH_PROOF, AUTH_PROOF);
    assert_int_equal(auth_take(&p.listener, back.bytes, back.n, &p.m[3]), ERR_REFUSED);
}

static void another_protocol_is_named(void **state)
{
    (void)state;
    struct pair p;
    struct auth_message none;
    auth_call(&p.caller, token, AUTH_CONTROL, ME, &p.m[0]);
    p.caller.protocol = MESSAGE_PROTOCOL + 1;
    p.m[0].bytes[4]++;
    auth_listen(&p.listener, token);
    assert_int_equal(auth_take(&p.listener, p.m[0].bytes, p.m[0].n, &p.m[1]), ERR_OK);
    assert_int_equal(auth_take(&p.caller, p.m[1].bytes, p.m[1].n, &none), ERR_MISMATCH);
    assert_int_equal(p.caller.their_protocol, MESSAGE_PROTOCOL);
    assert_int_equal(p.listener.their_protocol, MESSAGE_PROTOCOL + 1);
}

/* Of every message: no bit may differ, no byte be missing or too many. */
static void every_truncation_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    size_t tried = 0;
    for (int i = 0; i < 4; i++) {
        struct pair p;
        talk(&p, token, token, i + 1);
        const struct auth before = i % 2 ? p.caller : p.listener;
        for (size_t bit = 0; bit < 8 * p.m[i].n; bit++, tried++) {
            struct auth_message m = p.m[i], answer, end;
            struct auth a = before, c = p.caller;
            m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (auth_take(&a, m.bytes, m.n, &answer) != ERR_OK)
                continue;
            assert_int_equal(i, 0); /* a hello's content is part of the proof */
            assert_int_not_equal(auth_take(&c, answer.bytes, answer.n, &end), ERR_OK);
        }
        for (size_t n = 0; n <= sizeof p.m[i].bytes; n++) {
            struct auth_message answer;
            struct auth a = before;
            if (n != p.m[i].n)
                assert_int_equal(auth_take(&a, p.m[i].bytes, n, &answer), ERR_MALFORMED);
        }
    }
    print_message("%zu flipped bits refused\n", tried);
}

RUN(T(two_who_know_the_token_believe_each_other),
    T(each_end_finds_out_that_the_other_does_not_know_it),
    T(nothing_that_was_said_before_proves_anything), T(a_proof_cannot_be_sent_back),
    T(another_protocol_is_named), T(every_truncation_and_every_flipped_bit_is_refused))
