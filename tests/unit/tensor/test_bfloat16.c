#include "support/sets.h"

#include "support/rows_reference.h"

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void known_numbers_round_as_ieee_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t in;
        uint16_t out;
    } cases[] = {
        {0x3f800000, 0x3f80}, /* 1 */
        {0x3f808000, 0x3f80}, /* a tie goes to the even neighbour below, */
        {0x3f818000, 0x3f82}, /* and to the one above */
        {0x3f808001, 0x3f81}, /* just past a tie */
        {0x3f817fff, 0x3f81}, /* just before one */
        {0x3fffffff, 0x4000}, /* a carry into the exponent */
        {0x00000001, 0x0000}, /* the smallest number of all */
        {0x007fffff, 0x0080}, /* the largest denormal becomes normal */
        {0x80000000, 0x8000}, /* minus zero */
        {0x7f7fffff, 0x7f80}, /* the largest number rounds to infinity */
        {0xff7f7fff, 0xff7f}, /* the largest that does not */
        {0x7f800000, 0x7f80}, /* infinity */
        {0x7f800001, 0x7fc0}, /* no number, and not made infinity by rounding */
        {0xffffffff, 0xffff}, /* nor carried away */
    };
    FOR_EACH_SET(set)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float x = from_bits(cases[i].in);
        float rounded = x;
        uint16_t packed;
        rows_pack_bfloat16(&packed, &x, 1);
        assert_int_equal(packed, cases[i].out);
        rows_round_bfloat16(&rounded, 1);
        assert_int_equal(bits_of(rounded), (uint32_t)cases[i].out << 16);
    }
}

static void random_numbers_of_all_sizes_round_to_the_nearest(void **state)
{
    (void)state;
    enum { COUNT = 65536 };
    float *x = malloc(COUNT * sizeof *x), *rounded = malloc(COUNT * sizeof *rounded),
          *back = malloc(COUNT * sizeof *back);
    uint16_t *packed = malloc(COUNT * sizeof *packed);
    const struct philox_key key = philox_key(1, PHILOX_TEST);
    for (uint32_t i = 0; i < COUNT; i++)
        x[i] = from_bits(philox(key, (struct philox_block){{i}}).word[0]);
    FOR_EACH_SET(set)
    {
        memcpy(rounded, x, COUNT * sizeof *x);
        rows_pack_bfloat16(packed, x, COUNT);
        rows_round_bfloat16(rounded, COUNT);
        rows_unpack_bfloat16(back, packed, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(packed[i], reference_bfloat16(x[i]));
        assert_memory_equal(rounded, back, COUNT * sizeof *back);
    }
    free(x);
    free(rounded);
    free(back);
    free(packed);
}

static void every_bfloat16_survives_the_way_there_and_back(void **state)
{
    (void)state;
    enum { COUNT = 65536 };
    uint16_t *all = malloc(COUNT * sizeof *all), *again = malloc(COUNT * sizeof *again);
    float *x = malloc(COUNT * sizeof *x);
    for (uint32_t i = 0; i < COUNT; i++)
        all[i] = (uint16_t)i;
    FOR_EACH_SET(set)
    {
        rows_unpack_bfloat16(x, all, COUNT);
        rows_pack_bfloat16(again, x, COUNT);
        for (uint32_t i = 0; i < COUNT; i++)
            assert_int_equal(again[i], isnan(x[i]) ? i | 0x40 : i);
    }
    free(all);
    free(again);
    free(x);
}

static void no_size_reads_or_writes_too_far(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (size_t n = 1; n <= 67; n++) {
        float *x = malloc(n * sizeof *x);
        uint16_t *y = malloc(n * sizeof *y);
        for (size_t i = 0; i < n; i++)
            x[i] = 1 + 0x1p-20f * (float)i;
        rows_pack_bfloat16(y, x, n);
        rows_unpack_bfloat16(x, y, n);
        rows_round_bfloat16(x, n);
        for (size_t i = 0; i < n; i++)
            assert_true(y[i] == 0x3f80 && x[i] == 1);
        free(x);
        free(y);
    }
}

RUN(T(known_numbers_round_as_ieee_says),
    T(random_numbers_of_all_sizes_round_to_the_nearest),
    T(every_bfloat16_survives_the_way_there_and_back), T(no_size_reads_or_writes_too_far))
