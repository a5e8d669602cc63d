#include "support/test.h"

#include "base/philox.h"
#include "conf/conf.h"
#include "flat/wire.h"

enum { COUNT = 1000 };

static void fill(float *x)
{
    const struct philox_key key = philox_key(3, PHILOX_TEST);
    for (uint32_t i = 0; i < COUNT; i++)
        x[i] = (float)(philox_uniform(philox(key, (struct philox_block){{i}}).word[0]) -
                       0.5) /
               (float)(1 + i / 100);
}

static void choices_are_those_of_the_option(void **state)
{
    (void)state;
    const int choices[WIRES] = {WIRE_FLOAT32, WIRE_BFLOAT16, WIRE_INT8};
    struct conf c;
    for (int w = 0; w < WIRES; w++) {
        char word[40];
        snprintf(word, sizeof word, "cluster.wire=%s", wire_name((enum wire)w));
        conf_init(&c);
        assert_int_equal(conf_load_word(&c, word), 0);
        assert_int_equal((int)c.cluster.wire, w);
        assert_int_equal(choices[w], w);
    }
}

static void bytes_are_fewer_by_half_and_by_three_quarters(void **state)
{
    (void)state;
    assert_int_equal(wire_bytes(WIRE_IS_FLOAT32, 64000), 256000);
    assert_int_equal(wire_bytes(WIRE_IS_BFLOAT16, 64000), 128000);
    assert_int_equal(wire_bytes(WIRE_IS_INT8, 64000), 65000);
    assert_int_equal(wire_bytes(WIRE_IS_INT8, 65), 67);
}

/* As worker and coordinator do it: packed where it lies, landed where it will lie. */
static void what_travelled_is_what_stayed(void **state)
{
    (void)state;
    static float stays[COUNT], sent[COUNT], got[COUNT];
    for (int w = 0; w < WIRES; w++)
        for (size_t n = 1; n <= COUNT; n += n < 200 ? 1 : 100) {
            const enum wire wire = (enum wire)w;
            fill(stays);
            wire_round(wire, stays, n);
            memcpy(sent, stays, sizeof sent);
            wire_pack(wire, sent, sent, n);
            void *bytes = wire_landing(wire, got, n);
            memcpy(bytes, sent, wire_bytes(wire, n));
            wire_unpack(wire, got, bytes, n);
            assert_memory_equal(got, stays, n * sizeof *got);
        }
}

static void what_is_rounded_stays(void **state)
{
    (void)state;
    static float once[COUNT], twice[COUNT];
    for (int w = 0; w < WIRES; w++) {
        fill(once);
        wire_round((enum wire)w, once, COUNT);
        memcpy(twice, once, sizeof twice);
        wire_round((enum wire)w, twice, COUNT);
        assert_memory_equal(once, twice, sizeof twice);
    }
}

/* A worker rounds the vector, the coordinator its ranges. */
static void pieces_are_rounded_as_the_whole(void **state)
{
    (void)state;
    static float whole[COUNT], pieces[COUNT];
    for (int w = 0; w < WIRES; w++)
        for (size_t cut = 0; cut < COUNT; cut += WIRE_BLOCK) {
            fill(whole);
            fill(pieces);
            wire_round((enum wire)w, whole, COUNT);
            wire_round((enum wire)w, pieces, cut);
            wire_round((enum wire)w, pieces + cut, COUNT - cut);
            assert_memory_equal(whole, pieces, sizeof whole);
        }
}

RUN(T(choices_are_those_of_the_option), T(bytes_are_fewer_by_half_and_by_three_quarters),
    T(what_travelled_is_what_stayed), T(what_is_rounded_stays),
    T(pieces_are_rounded_as_the_whole))
