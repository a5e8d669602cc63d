#include "net/auth.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/err.h"
#include "net/message.h"

_Static_assert(AUTH_TOKEN >= crypto_generichash_KEYBYTES_MIN, "a key of BLAKE2b");

enum step { HELLO = 1, CHALLENGE, PROOF, ACCEPTED };

/* step, role, two zeros; then what the message carries */
enum {
    HEAD = 4,
    HELLO_BYTES = HEAD + 4 + 8 + AUTH_NONCE,
    CHALLENGE_BYTES = HEAD + 4 + AUTH_NONCE + AUTH_PROOF,
    PROOF_BYTES = HEAD + AUTH_PROOF,
    ACCEPTED_BYTES = HEAD
};
_Static_assert((int)CHALLENGE_BYTES == (int)AUTH_BYTES_MAX, "the longest");

void auth_token_draw(uint8_t token[AUTH_TOKEN])
{
    randombytes_buf(token, AUTH_TOKEN);
}

uint64_t auth_draw(void)
{
    uint64_t x;
    randombytes_buf(&x, sizeof x);
    return x;
}

/* --- bytes ---------------------------------------------------------------------------- */

static void put(struct auth_message *m, const void *from, size_t n)
{
    assert(m->n + n <= sizeof m->bytes);
    memcpy(m->bytes + m->n, from, n);
    m->n += n;
}

static void put_number(struct auth_message *m, uint64_t x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const uint8_t byte = (uint8_t)(x >> (8 * i));
        put(m, &byte, 1);
    }
}

static uint64_t number(const uint8_t *at, size_t bytes)
{
    uint64_t x = 0;
    for (size_t i = 0; i < bytes; i++)
        x |= (uint64_t)at[i] << (8 * i);
    return x;
}

static void begin(struct auth_message *m, enum step step, enum auth_role role)
{
    m->n = 0;
    put_number(m, step, 1);
    put_number(m, role, 1);
    put_number(m, 0, 2);
}

/* --- proofs --------------------------------------------------------------------------- */

static void prove(const struct auth *a, bool caller, uint8_t proof[AUTH_PROOF])
{
    struct {
        char whose[24];
        uint64_t protocol[2], role, incarnation;
        uint8_t nonce[2][AUTH_NONCE];
    } what = {.protocol = {a->caller ? a->protocol : a->their_protocol,
                           a->caller ? a->their_protocol : a->protocol},
              .role = a->role,
              .incarnation = a->incarnation};
    strcpy(what.whose, caller ? "lockstep caller" : "lockstep listener");
    memcpy(what.nonce[0], a->nonce_of_caller, AUTH_NONCE);
    memcpy(what.nonce[1], a->nonce_of_listener, AUTH_NONCE);
    crypto_generichash(proof, AUTH_PROOF, (const uint8_t *)&what, sizeof what, a->token,
                       AUTH_TOKEN);
}

/* In a time that says nothing about where they differ. */
static bool proven(const struct auth *a, bool caller, const uint8_t *proof)
{
    uint8_t expected[AUTH_PROOF];
    prove(a, caller, expected);
    return sodium_memcmp(expected, proof, AUTH_PROOF) == 0;
}

/* --- the four messages ---------------------------------------------------------------- */

static void start(struct auth *a, const uint8_t token[AUTH_TOKEN], bool caller)
{
    *a = (struct auth){.caller = caller,
                       .step = caller ? CHALLENGE : HELLO,
                       .protocol = MESSAGE_PROTOCOL};
    memcpy(a->token, token, AUTH_TOKEN);
    randombytes_buf(caller ? a->nonce_of_caller : a->nonce_of_listener, AUTH_NONCE);
}

void auth_call(struct auth *a, const uint8_t token[AUTH_TOKEN], enum auth_role role,
               uint64_t incarnation, struct auth_message *say)
{
    start(a, token, true);
    a->role = role;
    a->incarnation = incarnation;
    begin(say, HELLO, role);
    put_number(say, a->protocol, 4);
    put_number(say, incarnation, 8);
    put(say, a->nonce_of_caller, AUTH_NONCE);
    assert(say->n == HELLO_BYTES);
}

void auth_listen(struct auth *a, const uint8_t token[AUTH_TOKEN])
{
    start(a, token, false);
}

static int take_hello(struct auth *a, const uint8_t *at, struct auth_message *say)
{
    if (at[1] != AUTH_CONTROL && at[1] != AUTH_LANE)
        return ERR_MALFORMED;
    a->role = at[1];
    a->their_protocol = (uint32_t)number(at + HEAD, 4);
    a->incarnation = number(at + HEAD + 4, 8);
    memcpy(a->nonce_of_caller, at + HEAD + 12, AUTH_NONCE);
    uint8_t proof[AUTH_PROOF];
    prove(a, false, proof);
    begin(say, CHALLENGE, a->role);
    put_number(say, a->protocol, 4);
    put(say, a->nonce_of_listener, AUTH_NONCE);
    put(say, proof, AUTH_PROOF);
    a->step = PROOF;
    return ERR_OK;
}

static int take_challenge(struct auth *a, const uint8_t *at, struct auth_message *say)
{
    a->their_protocol = (uint32_t)number(at + HEAD, 4);
    memcpy(a->nonce_of_listener, at + HEAD + 4, AUTH_NONCE);
    if (!proven(a, false, at + HEAD + 4 + AUTH_NONCE))
        return ERR_REFUSED;
    if (a->their_protocol != a->protocol)
        return ERR_MISMATCH;
    uint8_t proof[AUTH_PROOF];
    prove(a, true, proof);
    begin(say, PROOF, a->role);
    put(say, proof, AUTH_PROOF);
    a->step = ACCEPTED;
    return ERR_OK;
}

static int take_proof(struct auth *a, const uint8_t *at, struct auth_message *say)
{
    if (!proven(a, true, at + HEAD))
        return ERR_REFUSED;
    if (a->their_protocol != a->protocol)
        return ERR_MISMATCH;
    begin(say, ACCEPTED, a->role);
    a->done = true;
    return ERR_OK;
}

static int take_accepted(struct auth *a)
{
    a->done = true;
    return ERR_OK;
}

int auth_take(struct auth *a, const uint8_t *bytes, size_t n, struct auth_message *say)
{
    static const size_t sizes[] = {0, HELLO_BYTES, CHALLENGE_BYTES, PROOF_BYTES,
                                   ACCEPTED_BYTES};
    say->n = 0;
    if (a->done || n != sizes[a->step] || bytes[0] != a->step || bytes[2] || bytes[3] ||
        (a->step != HELLO && bytes[1] != a->role))
        return ERR_MALFORMED;
    switch ((enum step)a->step) {
    case HELLO:
        return take_hello(a, bytes, say);
    case CHALLENGE:
        return take_challenge(a, bytes, say);
    case PROOF:
        return take_proof(a, bytes, say);
    case ACCEPTED:
        return take_accepted(a);
    }
    return ERR_MALFORMED;
}
