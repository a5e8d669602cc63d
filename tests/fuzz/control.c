/* One message of the control channel.  True of every one that unpacks: packed it is no
 * longer than it came, unpacks again, and packs to the same bytes; every check of
 * net/codec.h holds; it took at most 20 times its bytes plus 16 KiB, refused or not
 * (common/net/README.md, invariant 5). */
#include "fuzz/fuzz.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/codec.h"
#include "net/codec_check.h"

enum { HEAP_BASE = 16 << 10, HEAP_FACTOR = 20, SHORTER = 1024 };

static void expect_text(const char *text, size_t most)
{
    CHECK(text && strlen(text) <= most && utf8_ok(text, strlen(text)));
}

static void expect_run(uint32_t first, size_t count, size_t least)
{
    CHECK(first < CHECK_BELOW && count >= least && count <= MESSAGE_SLICES_MAX);
}

static void check_lease(const struct message *m)
{
    CHECK(m->lease.kind <= LEASE_TRANSLATE);
    expect_run(m->lease.first, m->lease.slices, 1);
    uint64_t sum = 0;
    for (size_t i = 0; i < m->lease.slices; i++) {
        const struct message_slice *s = &m->lease.slice[i];
        CHECK(s->sequences > 0 && s->lengths[0] > 0);
        const size_t tokens = message_slice_tokens(s), source = message_slice_source(s);
        for (size_t k = 0; k < source; k++)
            sum += s->source[k];
        for (size_t k = 0; k < tokens; k++)
            sum += s->tokens[k]; /* is there to be read */
        for (size_t k = 0; k < s->sequences; k++)
            sum += s->samples[k];
    }
    CHECK(sum + 1 != 0);
}

static void check_message(const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_JOIN:
        expect_text(m->join.host, MESSAGE_TEXT_MAX);
        expect_text(m->join.build, MESSAGE_TEXT_MAX);
        expect_text(m->join.kernels, MESSAGE_TEXT_MAX);
        return;
    case MESSAGE_WELCOME:
        expect_text(m->welcome.conf, MESSAGE_CONF_MAX);
        return;
    case MESSAGE_REFUSE:
        expect_text(m->refuse.reason, MESSAGE_TEXT_MAX);
        return;
    case MESSAGE_LEASE:
        check_lease(m);
        return;
    case MESSAGE_PARTIAL:
        CHECK(m->partial.level < MESSAGE_LEVELS);
        CHECK((uint64_t)m->partial.index << m->partial.level < MESSAGE_SLICES_MAX);
        CHECK(isfinite(m->partial.seconds) && m->partial.ranges <= MESSAGE_RANGES_MAX);
        CHECK(m->partial.statistics <= MESSAGE_STATISTICS_MAX);
        return;
    case MESSAGE_EVALUATED:
        expect_run(m->evaluated.first, m->evaluated.slices, 0);
        CHECK(isfinite(m->evaluated.seconds));
        for (size_t k = 0, left = m->evaluated.words; k < m->evaluated.sentences; k++) {
            CHECK(m->evaluated.lengths[k] <= left);
            left -= m->evaluated.lengths[k];
        }
        return;
    case MESSAGE_AUDITED:
        expect_run(m->audited.first, m->audited.slices, 1);
        return;
    case MESSAGE_COMMIT:
        CHECK(isfinite(m->commit.rate) && m->commit.ranges <= MESSAGE_RANGES_MAX);
        return;
    case MESSAGE_REVOKE:
        CHECK(m->revoke.count > 0 &&
              m->revoke.first + (uint64_t)m->revoke.count <= CHECK_BELOW);
        CHECK(m->revoke.kind <= LEASE_TRANSLATE);
        return;
    case MESSAGE_RELEASED:
        expect_run(m->released.first, m->released.count, 0);
        CHECK(m->released.kind <= LEASE_TRANSLATE);
        return;
    case MESSAGE_LEAVE:
        expect_text(m->leave.reason, MESSAGE_TEXT_MAX);
        return;
    case MESSAGE_STOP:
        expect_text(m->stop.reason, MESSAGE_TEXT_MAX);
        return;
    case MESSAGE_HEARTBEAT:
    case MESSAGE_PULLED:
        return;
    }
    CHECK(!"a known kind");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct codec *codec = codec_new();
    struct message m;
    const size_t heap = fuzz_heap();
    const int err = codec_unpack(codec, "fuzz", data, bytes, &m);
    CHECK(fuzz_heap() <= heap + HEAP_FACTOR * bytes + HEAP_BASE + SHORTER);
    CHECK(err == ERR_OK || err == ERR_MALFORMED || err == ERR_TOO_BIG);
    if (!err) {
        check_message(&m);
        size_t n, k;
        uint8_t *once = codec_pack(&m, 0, &n);
        CHECK(n <= bytes);
        CHECK(codec_unpack(codec, "fuzz", once, n, &m) == ERR_OK);
        uint8_t *twice = codec_pack(&m, 0, &k);
        CHECK(n == k && memcmp(once, twice, n) == 0);
        mem_free(once);
        mem_free(twice);
    }
    codec_free(codec);
    return 0;
}

static size_t skip_number(const uint8_t *data, size_t bytes, size_t at)
{
    while (at < bytes && data[at] & 0x80)
        at++;
    return at + 1;
}

/* The last length that goes beyond the end, or the one of a message's kind, is set to
 * what is there, inwards as long as lengths of one or two bytes stand there. */
size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    for (size_t at = 0; at + 1 < bytes;) {
        const unsigned wire = data[at] & 7;
        at = skip_number(data, bytes, at);
        if (wire == 0)
            at = skip_number(data, bytes, at);
        else if (wire == 1)
            at += 8;
        else if (wire == 2 && at < bytes) {
            const size_t head = data[at] & 0x80 ? 2 : 1;
            if (at + head > bytes)
                break;
            const size_t said =
                head == 1 ? data[at]
                          : (data[at] & 0x7Fu) | (size_t)(data[at + 1] & 0x7F) << 7;
            const size_t left = bytes - at - head;
            if (said >= left ||
                left - said < 8) { /* the last one: it ends with the message */
                if (head == 1)
                    data[at] = (uint8_t)(left & 0x7F);
                else {
                    data[at] = (uint8_t)(left | 0x80);
                    data[at + 1] = (uint8_t)(left >> 7 & 0x7F);
                }
                at += head;
            } else {
                at += head + said;
            }
        } else {
            break;
        }
    }
    return bytes;
}
