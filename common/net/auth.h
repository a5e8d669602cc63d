/* auth.h - who is at the other end of a connection: mutual challenge and response with
 * the job's token, which itself never travels.
 *
 *      caller                                  listener
 *        | -- hello (protocol, role, incarnation, nonce) --> |
 *        | <-- challenge (protocol, nonce, proof) ---------- |   it knows the token
 *        | -- proof ---------------------------------------> |   so do I
 *        | <-- accepted ------------------------------------ |
 *
 * A proof is BLAKE2b-256 with the token as key (RFC 7693; libsodium) over whose proof it
 * is, both protocols, role, incarnation and both nonces.  Nonces are drawn anew for each
 * connection, so nothing that was recorded proves anything later; the two proofs differ in
 * their first word, so neither end can be made to answer for the other.
 *
 * Messages have fixed sizes of at most AUTH_BYTES_MAX; each travels in a frame (frame.h).
 * What follows on the connection is not encrypted: the token keeps strangers out of a
 * cluster's network, it does not make an open network safe.
 *
 * Pure state, but for the kernel's random numbers; any thread.
 */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUTH_TOKEN = 32, /* bytes of the job's shared secret */
    AUTH_NONCE = 32,
    AUTH_PROOF = 32,
    AUTH_BYTES_MAX = 72
};

enum auth_role { AUTH_CONTROL = 1, AUTH_LANE = 2 };

struct auth {
    /* read-only */
    bool done; /* the other end knows the token */
    enum auth_role role;
    uint64_t incarnation;    /* of the caller */
    uint32_t their_protocol; /* known after its first message */
    /* private */
    bool caller;
    int step; /* the message that is awaited */
    uint32_t protocol;
    uint8_t token[AUTH_TOKEN], nonce_of_caller[AUTH_NONCE], nonce_of_listener[AUTH_NONCE];
};

struct auth_message {
    uint8_t bytes[AUTH_BYTES_MAX];
    size_t n; /* 0: there is nothing to say */
};

void auth_token_draw(uint8_t token[AUTH_TOKEN]);
/* A number for a process's life that no other has; also where chance is wanted that need
 * not be repeated. */
uint64_t auth_draw(void);

/* Begins as the caller, with its first message in *say; or as the listener. */
void auth_call(struct auth *a, const uint8_t token[AUTH_TOKEN], enum auth_role role,
               uint64_t incarnation, struct auth_message *say);
void auth_listen(struct auth *a, const uint8_t token[AUTH_TOKEN]);

/* Takes the other end's next message; *say is the answer, to be sent unless the result is
 * an error.  ERR_MALFORMED: not a message of this moment.  ERR_REFUSED: it does not know
 * the token.  ERR_MISMATCH: it speaks another protocol (their_protocol).  After an error
 * the connection is to be closed. */
int auth_take(struct auth *a, const uint8_t *bytes, size_t n, struct auth_message *say);

#endif
