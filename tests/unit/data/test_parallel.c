#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/id_file.h"
#include "data/parallel.h"

enum { LONGEST = 4 };

static const struct {
    uint32_t source_n, target_n, source[LONGEST], target[LONGEST];
} sample[] = {{1, 1, {0}, {65535}},
              {3, 4, {7, 42, 1}, {1000, 31373, 995, 3}},
              {2, 1, {12, 14}, {65534}},
              {1, 2, {5}, {6, 6}}};
enum { SAMPLES = sizeof sample / sizeof *sample, SOURCES = 7, TARGETS = 8 };

static struct parallel_info info_of(uint64_t vocab, uint32_t width)
{
    struct parallel_info info = {.width = width, .vocab = vocab};
    hash128_hex("a tokenizer", 11, info.tokenizer);
    return info;
}

static void write_pairs(const char *path, uint32_t width)
{
    const struct parallel_info info = info_of(65536, width);
    struct parallel_writer *w;
    assert_int_equal(parallel_writer_open(path, &info, &w), ERR_OK);
    for (size_t i = 0; i < SAMPLES; i++)
        parallel_writer_add(w, sample[i].source, sample[i].source_n, sample[i].target,
                            sample[i].target_n);
    assert_int_equal(parallel_writer_info(w)->count, SAMPLES);
    assert_int_equal(parallel_writer_seal(w, 1000), ERR_OK);
    assert_int_equal(parallel_writer_publish(w), ERR_OK);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(out);
}

static char *read_pairs(uint32_t width, size_t *n)
{
    char *bytes;
    write_pairs("whole", width);
    assert_int_equal(file_read("whole", 1 << 20, &bytes, n), ERR_OK);
    assert_int_equal(*n, ID_FILE_HEADER + 8 * SAMPLES + width * (SOURCES + TARGETS));
    return bytes;
}

static void what_is_no_pairs_file_is_refused(void **state)
{
    (void)state;
    struct parallel *p;
    write_file("empty", "", 0);
    write_file("text", "A man\tEin Mann\n", 15);
    assert_int_equal(parallel_open("no such file", &p), ERR_NO_FILE);
    assert_int_equal(parallel_open("empty", &p), ERR_DATA);
    assert_int_equal(parallel_open("text", &p), ERR_DATA);
    assert_int_equal(parallel_open(".", &p), ERR_IO);
}

static void every_truncation_and_every_flipped_bit_is_found(void **state)
{
    (void)state;
    for (uint32_t width = 2; width <= 4; width += 2) {
        size_t n;
        struct parallel *p;
        char *bytes = read_pairs(width, &n);
        for (size_t i = 0; i < n; i++) {
            write_file("part", bytes, i);
            assert_int_not_equal(parallel_open("part", &p), ERR_OK);
            for (int bit = 0; bit < 8; bit++) {
                bytes[i] ^= (char)(1 << bit);
                write_file("flipped", bytes, n);
                assert_int_not_equal(parallel_open("flipped", &p), ERR_OK);
                bytes[i] ^= (char)(1 << bit);
            }
        }
        bytes[n] = 0; /* file_read leaves a byte there: one too many */
        write_file("longer", bytes, n + 1);
        assert_int_equal(parallel_open("longer", &p), ERR_CORRUPT);
        write_file("again", bytes, n);
        assert_int_equal(parallel_open("again", &p), ERR_OK);
        parallel_close(p);
        mem_free(bytes);
    }
}

static void put(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, value >>= 8)
        at[i] = (char)value;
}

static void sign(char *bytes, size_t n)
{
    char hash[HASH_HEX];
    hash128_hex(bytes + ID_FILE_HEADER, n - ID_FILE_HEADER, hash);
    memcpy(bytes + 48, hash, HASH_HEX - 1);
    put(bytes + 120, hash64(bytes, 120), 8);
}

/* With right checksums: what only somebody who means it, or a bug, could write. */
static void a_wrong_field_is_refused_even_when_the_checksums_are_right(void **state)
{
    (void)state;
    enum { INDEX = ID_FILE_HEADER, TOKENS = INDEX + 8 * SAMPLES };
    static const struct {
        size_t at, bytes;
        uint64_t value;
        int err;
    } cases[] = {{8, 4, 2, ERR_DATA},               /* version */
                 {12, 4, 3, ERR_DATA},              /* width */
                 {12, 4, 4, ERR_CORRUPT},           /* then the length is wrong */
                 {16, 8, 65537, ERR_DATA},          /* vocab, beyond two bytes */
                 {16, 8, 65535, ERR_DATA},          /* a token is 65535 */
                 {24, 8, SAMPLES + 1, ERR_CORRUPT}, /* count */
                 {24, 8, (1ull << 61) + SAMPLES, ERR_CORRUPT}, /* times 8 is the index */
                 {32, 8, SOURCES + 1, ERR_CORRUPT},
                 {40, 8, TARGETS - 1, ERR_CORRUPT},
                 {32, 8, (1ull << 63) + SOURCES, ERR_CORRUPT}, /* times 2 is the length */
                 {40, 8, UINT64_MAX, ERR_CORRUPT},
                 {INDEX, 4, 0, ERR_DATA}, /* an empty source, an empty target */
                 {INDEX + 4, 4, 0, ERR_DATA},
                 {INDEX, 4, 2, ERR_DATA}, /* one source more, one fewer than said */
                 {INDEX + 8, 4, 2, ERR_DATA},
                 {INDEX, 4, UINT32_MAX, ERR_DATA},
                 {INDEX + 12, 4, 5, ERR_DATA},
                 {TOKENS, 2, 65535, ERR_OK},
                 {112, 8, 77, ERR_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        struct parallel *p;
        char *bytes = read_pairs(2, &n);
        put(bytes + cases[i].at, cases[i].value, cases[i].bytes);
        sign(bytes, n);
        write_file("forged", bytes, n);
        const int err = parallel_open("forged", &p);
        if (err != cases[i].err)
            fail_msg("case %zu: %s", i, err_name(err));
        if (!err)
            parallel_close(p);
        mem_free(bytes);
    }
}

/* A token moves from the source to the target: the sums of the header say no. */
static void sides_that_share_their_tokens_otherwise_are_refused(void **state)
{
    (void)state;
    size_t n;
    struct parallel *p;
    char *bytes = read_pairs(2, &n);
    put(bytes + ID_FILE_HEADER + 8, 2, 4);
    put(bytes + ID_FILE_HEADER + 12, 5, 4);
    sign(bytes, n);
    write_file("moved", bytes, n);
    assert_int_equal(parallel_open("moved", &p), ERR_DATA);
    put(bytes + 32, SOURCES - 1, 8);
    put(bytes + 40, TARGETS + 1, 8);
    sign(bytes, n);
    write_file("moved", bytes, n);
    assert_int_equal(parallel_open("moved", &p), ERR_OK); /* another valid file */
    parallel_close(p);
    put(bytes + ID_FILE_HEADER, 0, 4); /* one gives to the other all it has */
    put(bytes + ID_FILE_HEADER + 8, 3, 4);
    sign(bytes, n);
    write_file("moved", bytes, n);
    assert_int_equal(parallel_open("moved", &p), ERR_DATA);
    mem_free(bytes);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (uint32_t width = 0; width <= 4; width += 2) {
        struct parallel *p;
        write_pairs("pairs", width);
        assert_int_equal(parallel_open("pairs", &p), ERR_OK);
        const struct parallel_info *info = parallel_info(p);
        assert_int_equal(info->width, width ? width : 2);
        assert_int_equal(info->vocab, 65536);
        assert_int_equal(info->count, SAMPLES);
        assert_int_equal(info->source_tokens, SOURCES);
        assert_int_equal(info->target_tokens, TARGETS);
        assert_int_equal(info->longest_source, 3);
        assert_int_equal(info->longest_target, 4);
        assert_int_equal(info->target_bytes, 1000);
        assert_string_equal(info->tokenizer, info_of(1, 2).tokenizer);
        assert_string_equal(parallel_path(p), "pairs");
        for (size_t i = SAMPLES; i-- > 0;) {
            uint32_t s, t, source[LONGEST], target[LONGEST];
            parallel_lengths(p, i, &s, &t);
            assert_int_equal(s, sample[i].source_n);
            assert_int_equal(t, sample[i].target_n);
            parallel_get(p, i, source, target);
            assert_memory_equal(source, sample[i].source, s * sizeof *source);
            assert_memory_equal(target, sample[i].target, t * sizeof *target);
        }
        parallel_close(p);
    }
}

static void a_file_has_its_name_only_when_it_is_whole(void **state)
{
    (void)state;
    const struct parallel_info info = info_of(65536, 0);
    struct parallel_writer *w;
    struct parallel *p;
    unlink("late");
    assert_int_equal(parallel_writer_open("late", &info, &w), ERR_OK);
    parallel_writer_add(w, sample[0].source, 1, sample[0].target, 1);
    assert_int_equal(parallel_writer_seal(w, 1), ERR_OK);
    assert_false(file_exists("late"));
    assert_int_equal(parallel_writer_publish(w), ERR_OK);
    assert_false(file_exists("late.tmp"));

    assert_int_equal(parallel_writer_open("late", &info, &w), ERR_OK);
    parallel_writer_drop(w); /* the old file stays */
    assert_int_equal(parallel_open("late", &p), ERR_OK);
    assert_int_equal(parallel_info(p)->count, 1);
    assert_false(file_exists("late.tmp"));
    parallel_close(p);
    assert_int_equal(parallel_writer_open("no/such/folder", &info, &w), ERR_NO_FILE);
}

RUN(T(what_is_no_pairs_file_is_refused),
    T(every_truncation_and_every_flipped_bit_is_found),
    T(a_wrong_field_is_refused_even_when_the_checksums_are_right),
    T(sides_that_share_their_tokens_otherwise_are_refused), T(what_is_written_is_read),
    T(a_file_has_its_name_only_when_it_is_whole))
