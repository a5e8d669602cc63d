#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/philox.h"
#include "net/frame.h"

/* A frame on the heap, so that reading past its end is found. */
static uint8_t *frame(const void *payload, size_t n)
{
    uint8_t *f = mem_alloc(FRAME_HEADER + n);
    frame_header(f, payload, n);
    memcpy(f + FRAME_HEADER, payload, n);
    return f;
}

/* Decodes all of @f; the error, or how many frames. */
static int decode_all(const uint8_t *f, size_t n, size_t limit, int *frames)
{
    struct frame_decoder d;
    const uint8_t *at = f, *payload;
    size_t bytes;
    int err = ERR_OK;
    *frames = 0;
    frame_decoder_init(&d, limit);
    while (!err && at < f + n) {
        err = frame_decode(&d, &at, f + n, &payload, &bytes);
        *frames += !err && payload;
    }
    frame_decoder_fini(&d);
    return err;
}

static void other_protocols_are_refused_at_their_first_wrong_byte(void **state)
{
    (void)state;
    static const char *const strangers[] = {"GET / HTTP/1.1\r\n", "SSH-2.0", "LKS2", "\n",
                                            "LKX"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        int frames;
        assert_int_equal(decode_all((const uint8_t *)strangers[i], strlen(strangers[i]),
                                    FRAME_MAX, &frames),
                         ERR_MALFORMED);
    }
}

static void a_length_above_the_limit_is_refused_before_memory_is_reserved(void **state)
{
    (void)state;
    static const struct {
        uint8_t length[4];
        size_t limit;
        int err;
    } cases[] = {
        {{0x00, 0x10, 0, 0}, 4096, ERR_OK},
        {{0x01, 0x10, 0, 0}, 4096, ERR_TOO_BIG},
        {{0x00, 0x00, 0x00, 0x04}, FRAME_MAX, ERR_OK},
        {{0x01, 0x00, 0x00, 0x04}, FRAME_MAX, ERR_TOO_BIG},
        {{0xFF, 0xFF, 0xFF, 0xFF}, FRAME_MAX, ERR_TOO_BIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t f[FRAME_HEADER] = "LKS1";
        int frames;
        memcpy(f + 4, cases[i].length, 4);
        const uint64_t before = mem_count();
        assert_int_equal(decode_all(f, sizeof f, cases[i].limit, &frames), cases[i].err);
        assert_int_equal(frames, 0);
        if (cases[i].err)
            assert_int_equal(mem_count(), before);
    }
}

static void every_truncation_waits_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    uint8_t *f = frame(text, sizeof text);
    const size_t n = FRAME_HEADER + sizeof text;
    int frames;
    for (size_t k = 0; k < n; k++) {
        uint8_t *part = mem_alloc(k);
        memcpy(part, f, k);
        assert_int_equal(decode_all(part, k, FRAME_MAX, &frames), ERR_OK);
        assert_int_equal(frames, 0);
        mem_free(part);
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        f[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const int err = decode_all(f, n, FRAME_MAX, &frames);
        const int longer = bit / 8 >= 4 && bit / 8 < 8; /* may wait for more bytes */
        assert_true(err != ERR_OK || longer);
        assert_int_equal(frames, 0);
        f[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(decode_all(f, n, FRAME_MAX, &frames), ERR_OK);
    assert_int_equal(frames, 1);
    mem_free(f);
}

static void frames_come_out_whole_whatever_the_pieces(void **state)
{
    (void)state;
    enum { FRAMES = 40, SEED = 7 };
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 100000, 3};
    const struct philox_key key = philox_key(SEED, PHILOX_TEST);
    print_message("seed %d\n", SEED);
    uint8_t *stream = NULL;
    size_t n = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        const size_t size = sizes[i % 8];
        uint8_t *payload = mem_alloc(size);
        memset(payload, (int)i, size);
        stream = mem_resize(stream, n + FRAME_HEADER + size);
        frame_header(stream + n, payload, size);
        memcpy(stream + n + FRAME_HEADER, payload, size);
        n += FRAME_HEADER + size;
        mem_free(payload);
    }

    struct frame_decoder d;
    frame_decoder_init(&d, FRAME_MAX);
    size_t found = 0, piece = 0;
    for (const uint8_t *at = stream; at < stream + n; piece++) {
        const uint32_t word =
            philox(key, (struct philox_block){{(uint32_t)piece, 0, 0, 0}}).word[0];
        const size_t left = (size_t)(stream + n - at);
        const size_t take = 1 + word % (word & 0x10000 ? 7000 : 20);
        const uint8_t *end = at + (take < left ? take : left);
        while (at < end) {
            const uint8_t *payload;
            size_t bytes;
            assert_int_equal(frame_decode(&d, &at, end, &payload, &bytes), ERR_OK);
            if (!payload) {
                assert_true(at == end);
                continue;
            }
            assert_int_equal(bytes, sizes[found % 8]);
            for (size_t k = 0; k < bytes; k++)
                assert_int_equal(payload[k], found);
            assert_false(frame_decoder_partial(&d));
            found++;
        }
    }
    assert_int_equal(found, FRAMES);
    frame_decoder_fini(&d);
    mem_free(stream);
}

RUN(T(other_protocols_are_refused_at_their_first_wrong_byte),
    T(a_length_above_the_limit_is_refused_before_memory_is_reserved),
    T(every_truncation_waits_and_every_flipped_bit_is_refused),
    T(frames_come_out_whole_whatever_the_pieces))
