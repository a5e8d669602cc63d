/* A stream of frames.  True of every stream: wherever it is cut in pieces the same frames
 * come out and the same error; each is one that frame_header() would have begun so;
 * memory grows with what has arrived (common/net/README.md, invariant 3). */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/hash.h"
#include "net/frame.h"

enum { LIMIT = 1 << 20, HEAP_MIN = 4096 };

struct result {
    int err;
    size_t frames, taken;
    uint64_t hash;
};

static void check_frame(const uint8_t *payload, size_t n, const uint8_t *end)
{
    uint8_t header[FRAME_HEADER];
    frame_header(header, payload, n);
    CHECK(memcmp(end - n - FRAME_HEADER, header, FRAME_HEADER) == 0);
    CHECK(n == 0 || memcmp(end - n, payload, n) == 0);
}

/* In pieces of @piece bytes. */
static struct result decode(const uint8_t *data, size_t bytes, size_t piece)
{
    struct result r = {0};
    struct frame_decoder d;
    const size_t heap = fuzz_heap();
    frame_decoder_init(&d, LIMIT);
    const uint8_t *at = data, *const end = data + bytes;
    while (at < end && !r.err) {
        const uint8_t *const stop = (size_t)(end - at) < piece ? end : at + piece;
        while (at < stop && !r.err) {
            const uint8_t *payload;
            size_t n;
            r.err = frame_decode(&d, &at, stop, &payload, &n);
            CHECK(at <= stop);
            if (r.err || !payload)
                continue;
            CHECK(!frame_decoder_partial(&d));
            check_frame(payload, n, at);
            r.frames++;
            r.hash = 31 * r.hash + hash64(payload, n);
        }
    }
    CHECK(fuzz_heap() <= heap + 2 * bytes + HEAP_MIN);
    r.taken = r.err ? 0 : (size_t)(at - data);
    frame_decoder_fini(&d);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const struct result whole = decode(data, bytes, bytes + 1);
    CHECK(whole.err == ERR_OK || whole.err == ERR_MALFORMED || whole.err == ERR_TOO_BIG);
    CHECK(whole.err || whole.taken == bytes);
    const size_t pieces[] = {1, 7, FRAME_HEADER, bytes ? 1 + data[bytes - 1] : 1};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const struct result r = decode(data, bytes, pieces[i]);
        CHECK(r.err == whole.err && r.frames == whole.frames);
        CHECK(r.hash == whole.hash && r.taken == whole.taken);
    }
    return 0;
}

/* Frames one behind the other; what is left over becomes the last one's payload. */
size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    for (size_t at = 0; at + FRAME_HEADER <= bytes;) {
        const size_t left = bytes - at - FRAME_HEADER;
        size_t n = data[at + 4] | (size_t)data[at + 5] << 8;
        if (n > left)
            n = left;
        frame_header(data + at, data + at + FRAME_HEADER, n);
        at += FRAME_HEADER + n;
    }
    return bytes;
}
