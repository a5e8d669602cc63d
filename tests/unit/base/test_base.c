#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/philox.h"

static void every_error_has_a_text_and_those_that_end_us_an_exit_code(void **state)
{
    (void)state;
    for (int e = ERR_OK; e < ERR_COUNT; e++) {
        assert_true(strlen(err_text(e)) > 0);
        assert_int_equal(strncmp(err_name(e), "ERR_", 4), 0);
        assert_true(e == ERR_OK ? err_exit_code(e) == 0 : err_exit_code(e) >= 64);
    }
}

/* Known answers of the authors' Random123 library (kat_vectors, philox4x32 10). */
static void philox_gives_the_published_numbers(void **state)
{
    (void)state;
    static const struct {
        struct philox_block counter;
        struct philox_key key;
        uint32_t expected[4];
    } cases[] = {
        {{{0, 0, 0, 0}}, {{0, 0}}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{{~0u, ~0u, ~0u, ~0u}},
         {{~0u, ~0u}},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         {{0xa4093822, 0x299f31d0}},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct philox_block x = philox(cases[i].key, cases[i].counter);
        assert_memory_equal(x.word, cases[i].expected, sizeof x.word);
    }
}

static void streams_of_one_seed_have_other_keys(void **state)
{
    (void)state;
    const struct philox_key a = philox_key(7, PHILOX_INIT),
                            b = philox_key(7, PHILOX_DROPOUT),
                            c = philox_key(8, PHILOX_INIT);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
}

static void normal_numbers_have_mean_0_and_variance_1(void **state)
{
    (void)state;
    const struct philox_key key = philox_key(1, PHILOX_TEST);
    double sum = 0, squares = 0;
    enum { COUNT = 20000 };
    for (uint32_t i = 0; i < COUNT / 2; i++) {
        const struct philox_block x = philox(key, (struct philox_block){{i, 0, 0, 0}});
        double pair[2];
        philox_normal(x.word[0], x.word[1], pair);
        sum += pair[0] + pair[1];
        squares += pair[0] * pair[0] + pair[1] * pair[1];
    }
    assert_true(fabs(sum / COUNT) < 4 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1) < 4 * sqrt(2.0 / COUNT));
}

static void hashing_in_pieces_equals_hashing_the_whole(void **state)
{
    (void)state;
    char whole[HASH_HEX], pieces[HASH_HEX];
    hash128_hex("lockstep", 8, whole);
    struct hash_stream *s = hash_stream_new();
    hash_stream_add(s, "lock", 4);
    hash_stream_add(s, "step", 4);
    hash_stream_hex(s, pieces);
    hash_stream_free(s);
    assert_string_equal(whole, pieces);
}

static void a_file_is_whole_or_absent(void **state)
{
    (void)state;
    char *text;
    size_t bytes;
    assert_int_equal(file_make_dirs("a/b/c"), ERR_OK);
    assert_int_equal(file_write_atomic("a/b/c/f", "old", 3), ERR_OK);
    assert_int_equal(file_write_atomic("a/b/c/f", "newer", 5), ERR_OK);
    assert_int_equal(file_read("a/b/c/f", 100, &text, &bytes), ERR_OK);
    assert_int_equal(bytes, 5);
    assert_string_equal(text, "newer");
    mem_free(text);
    assert_false(file_exists("a/b/c/f.tmp"));
    assert_int_equal(file_read("a/b/c/f", 4, &text, &bytes), ERR_TOO_BIG);
    assert_int_equal(file_read("a/b/none", 4, &text, &bytes), ERR_NO_FILE);
    assert_int_equal(file_write_atomic("a/none/f", "x", 1), ERR_NO_FILE);
    assert_int_equal(file_remove_tree("a"), ERR_OK);
    assert_false(file_exists("a"));
}

static void a_slab_is_aligned_and_zero(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 4096, (2 << 20) + 1};
    for (size_t i = 0; i < 3; i++) {
        char *p = mem_slab(sizes[i]);
        assert_int_equal((uintptr_t)p % (2 << 20), 0);
        assert_int_equal(p[0] | p[sizes[i] - 1], 0);
        mem_slab_free(p, sizes[i]);
    }
}

RUN(T(every_error_has_a_text_and_those_that_end_us_an_exit_code),
    T(philox_gives_the_published_numbers), T(streams_of_one_seed_have_other_keys),
    T(normal_numbers_have_mean_0_and_variance_1),
    T(hashing_in_pieces_equals_hashing_the_whole), T(a_file_is_whole_or_absent),
    T(a_slab_is_aligned_and_zero))
