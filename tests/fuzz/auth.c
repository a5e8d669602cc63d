/* Two ends that know the token, and somebody between them.  The input says which of the
 * four messages is changed, how long it then is, one byte of it and its change, and
 * changes of all bytes from the first on.
 *
 * True of every change: the end that gets it does not take the other for what it is not;
 * of the first message, which proves nothing yet, the caller finds out by the answer.
 * Without a change both ends are done.  Bytes that nobody sent never open anything. */
#include "fuzz/fuzz.h"

#include <stdbool.h>

#include "base/err.h"
#include "net/auth.h"

enum {
    MESSAGES = 4,
    HEAD = 4 /* which message; its length, or 0: as it is; a byte; its change */
};

static const uint8_t token[AUTH_TOKEN] = "0123456789abcdefghijklmnopqrstu";

/* Memory that ends where the message does. */
static int take(struct auth *a, const uint8_t *bytes, size_t n, struct auth_message *say)
{
    uint8_t *copy = malloc(n ? n : 1);
    CHECK(copy);
    if (n)
        memcpy(copy, bytes, n);
    const int err = auth_take(a, copy, n, say);
    free(copy);
    CHECK(err == ERR_OK || err == ERR_MALFORMED || err == ERR_REFUSED ||
          err == ERR_MISMATCH);
    CHECK(say->n <= AUTH_BYTES_MAX);
    return err;
}

static bool change(struct auth_message *m, const uint8_t *data, size_t bytes)
{
    const size_t before = m->n;
    bool changed = false;
    if (data[1] && data[1] <= AUTH_BYTES_MAX)
        m->n = data[1];
    changed = m->n != before;
    for (size_t i = before; i < m->n; i++)
        m->bytes[i] = 0;
    const size_t one = data[2] % AUTH_BYTES_MAX;
    if (one < m->n && data[3]) {
        m->bytes[one] ^= data[3];
        return true; /* and no other, which could undo it */
    }
    for (size_t i = 0; i < m->n && HEAD + i < bytes; i++) {
        changed |= data[HEAD + i] != 0;
        m->bytes[i] ^= data[HEAD + i];
    }
    return changed;
}

static void between(const uint8_t *data, size_t bytes)
{
    struct auth caller, listener, *to[] = {&listener, &caller};
    struct auth_message m, answer;
    auth_listen(&listener, token);
    auth_call(&caller, token, AUTH_CONTROL, 42, &m);
    bool changed = false;
    int err = ERR_OK;
    for (int i = 0; i < MESSAGES && !err; i++) {
        const bool now = i == data[0] % (MESSAGES + 1) && change(&m, data, bytes);
        err = take(to[i % 2], m.bytes, m.n, &answer);
        changed |= now;
        CHECK(!now || err || i == 0);
        CHECK(!changed || !caller.done);
        CHECK(!changed || i == 3 || !listener.done);
        m = answer;
    }
    CHECK((caller.done && listener.done) == !changed);
}

static void strange(const uint8_t *data, size_t bytes)
{
    struct auth caller, listener;
    struct auth_message say;
    auth_listen(&listener, token);
    auth_call(&caller, token, AUTH_LANE, 7, &say);
    CHECK(take(&caller, data, bytes, &say) != ERR_OK);
    if (take(&listener, data, bytes, &say) == ERR_OK)
        CHECK(take(&listener, data, bytes, &say) != ERR_OK);
    CHECK(!caller.done && !listener.done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    strange(data, bytes);
    if (bytes >= HEAD)
        between(data, bytes);
    return 0;
}
