#include "support/sets.h"

#include "support/rows_reference.h"

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Any bits at all, or numbers of the size of a gradient, some of them 0. */
static float *numbers(size_t n, uint32_t seed)
{
    float *x = malloc(n * sizeof *x);
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    for (uint32_t i = 0; i < n; i++) {
        const struct philox_block b = philox(key, (struct philox_block){{i}});
        const float small = (float)(philox_uniform(b.word[1]) - 0.5) * 1e-3f;
        x[i] = seed % 2 ? from_bits(b.word[0]) : b.word[2] % 8 ? small : 0;
    }
    return x;
}

static void known_blocks_become_the_bytes_of_the_definition(void **state)
{
    (void)state;
    static const struct {
        float in[3];
        uint8_t exponent; /* of the unit */
        int8_t q[3];
    } cases[] = {
        {{1, -0.5f, 0.25f}, 121, {64, -32, 16}},
        {{1, 0x1.8p-6f, 0x1p-7f}, 121, {64, 2, 0}},      /* ties go to the even */
        {{1, -0x1.8p-6f, 0x1.02p-7f}, 121, {64, -2, 1}}, /* and past one up */
        {{0x1.fc0p0f, 0x1p-6f, 0}, 121, {127, 1, 0}},
        {{0x1.fdfffep0f, 0x1p-6f, 0}, 121, {127, 1, 0}}, /* just before 127.5 */
        {{-0x1.fep0f, 0x1p-6f, 0}, 122, {-64, 0, 0}},    /* 127.5: a larger unit */
        {{0, -0.0f, 0}, 3, {0, 0, 0}},
        {{0x1p-149f, -0x1p-126f, 0x1p-125f}, 3, {0, 0, 0}}, /* below the unit's half */
        {{0x1p-118f, 0x1p-124f, 0}, 3, {64, 1, 0}},         /* the smallest unit */
        {{0x1.fdfffep127f, 1, 0}, 248, {127, 0, 0}},        /* the largest that passes */
        {{0x1.fep127f, 1, 0}, 255, {0, 0, 0}}, /* and the first that is none */
        {{1, INFINITY, 0}, 255, {0, 0, 0}},
        {{1, -INFINITY, 0}, 255, {0, 0, 0}},
        {{NAN, 1, 0}, 255, {0, 0, 0}},
    };
    FOR_EACH_SET(set)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packed[4];
        rows_pack_int8(packed, cases[i].in, 3);
        assert_int_equal(packed[0], cases[i].exponent);
        assert_memory_equal(packed + 1, cases[i].q, 3);
    }
}

static void blocks_of_all_sizes_are_rounded_as_defined(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (uint32_t n = 1; n < 300; n++) {
        float *x = numbers(n, n);
        double *want = malloc(n * sizeof *want);
        reference_int8(want, x, n);
        rows_round_int8(x, n);
        for (size_t i = 0; i < n; i++)
            assert_true(isnan(want[i]) ? isnan(x[i]) : (double)x[i] == want[i]);
        free(x);
        free(want);
    }
}

static void what_travels_is_what_stays_and_is_rounded_once(void **state)
{
    (void)state;
    enum { MOST = 300 };
    FOR_EACH_SET(set)
    for (uint32_t n = 1; n < MOST; n++) {
        float *x = numbers(n, n), back[MOST];
        uint8_t packed[MOST + 5], again[MOST + 5];
        rows_pack_int8(packed, x, n);
        rows_unpack_int8(back, packed, n);
        rows_round_int8(x, n);
        assert_memory_equal(back, x, n * sizeof *x);
        rows_round_int8(x, n);
        assert_memory_equal(back, x, n * sizeof *x);
        rows_pack_int8(again, x, n);
        assert_memory_equal(again, packed, rows_int8_bytes(n));
        free(x);
    }
}

static void what_is_no_number_is_seen_in_its_block_and_in_no_other(void **state)
{
    (void)state;
    enum { COUNT = 3 * ROWS_BLOCK };
    const float bad[] = {NAN, INFINITY, -INFINITY, FLT_MAX};
    FOR_EACH_SET(set)
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
        for (size_t at = ROWS_BLOCK; at < 2 * ROWS_BLOCK; at++) {
            float x[COUNT];
            for (size_t i = 0; i < COUNT; i++)
                x[i] = 1;
            x[at] = bad[b];
            rows_round_int8(x, COUNT);
            for (size_t i = 0; i < COUNT; i++)
                assert_true(i / ROWS_BLOCK == 1 ? isnan(x[i]) : x[i] == 1);
        }
}

static void bytes_may_lie_in_the_room_of_their_floats(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (uint32_t n = 1; n < 300; n++) {
        float *x = numbers(n, n), *want = numbers(n, n);
        const size_t bytes = rows_int8_bytes(n);
        uint8_t *room = (uint8_t *)x, *landing = room + n * sizeof *x - bytes;
        rows_round_int8(want, n);
        rows_pack_int8(room, x, n);
        memmove(landing, room, bytes);
        rows_unpack_int8(x, landing, n);
        assert_memory_equal(x, want, n * sizeof *x);
        free(x);
        free(want);
    }
}

static void any_bytes_become_the_same_floats_in_all_sets(void **state)
{
    (void)state;
    enum { COUNT = 256 * ROWS_BLOCK, BYTES = COUNT + 256 };
    uint8_t *bytes = malloc(BYTES);
    float *first = malloc(COUNT * sizeof *first), *x = malloc(COUNT * sizeof *x);
    for (size_t i = 0; i < BYTES; i++) /* every unit, every integer */
        bytes[i] = (uint8_t)(i % (ROWS_BLOCK + 1) ? i * 7 : i / (ROWS_BLOCK + 1));
    assert_true(set_start(0));
    rows_unpack_int8(first, bytes, COUNT);
    FOR_EACH_SET(set)
    {
        rows_unpack_int8(x, bytes, COUNT);
        assert_memory_equal(x, first, COUNT * sizeof *x);
    }
    free(bytes);
    free(first);
    free(x);
}

static void no_size_reads_or_writes_too_far(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t n = 1; n < 200; n++) {
        float *x = malloc(n * sizeof *x);
        uint8_t *y = malloc(rows_int8_bytes(n));
        for (size_t i = 0; i < n; i++)
            x[i] = 1;
        rows_pack_int8(y, x, n);
        rows_unpack_int8(x, y, n);
        rows_round_int8(x, n);
        for (size_t i = 0; i < n; i++)
            assert_true(x[i] == 1);
        free(x);
        free(y);
    }
}

RUN(T(known_blocks_become_the_bytes_of_the_definition),
    T(blocks_of_all_sizes_are_rounded_as_defined),
    T(what_travels_is_what_stays_and_is_rounded_once),
    T(what_is_no_number_is_seen_in_its_block_and_in_no_other),
    T(bytes_may_lie_in_the_room_of_their_floats),
    T(any_bytes_become_the_same_floats_in_all_sets), T(no_size_reads_or_writes_too_far))
