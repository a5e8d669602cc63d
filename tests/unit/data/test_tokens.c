#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "data/id_file.h"
#include "data/tokens.h"

static struct tokens_info info_of(uint64_t vocab, uint32_t width)
{
    struct tokens_info info = {.width = width, .vocab = vocab};
    hash128_hex("a tokenizer", 11, info.tokenizer);
    return info;
}

static void write_tokens(const char *path, struct tokens_info info, const uint32_t *ids,
                         size_t n)
{
    struct tokens_writer *w;
    assert_int_equal(tokens_writer_open(path, &info, &w), ERR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tokens_writer_add(w, ids + i, 1), ERR_OK);
    assert_int_equal(tokens_writer_count(w), n);
    assert_int_equal(tokens_writer_seal(w, 3, 1000), ERR_OK);
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(out);
}

static void what_is_no_token_file_is_refused(void **state)
{
    (void)state;
    struct tokens *t;
    write_file("empty", "", 0);
    write_file("text", "To be, or not to be", 19);
    assert_int_equal(tokens_open("no such file", &t), ERR_NO_FILE);
    assert_int_equal(tokens_open("empty", &t), ERR_DATA);
    assert_int_equal(tokens_open("text", &t), ERR_DATA);
    assert_int_equal(tokens_open(".", &t), ERR_IO);
}

static const uint32_t sample[] = {0, 65535, 7, 42, 1, 1000, 31373, 995, 3, 12, 14};
enum { SAMPLES = sizeof sample / sizeof *sample };

static void every_truncation_and_every_flipped_bit_is_found(void **state)
{
    (void)state;
    for (uint32_t width = 2; width <= 4; width += 2) {
        write_tokens("whole", info_of(65536, width), sample, SAMPLES);
        char *bytes;
        size_t n;
        struct tokens *t;
        assert_int_equal(file_read("whole", 1 << 20, &bytes, &n), ERR_OK);
        assert_int_equal(n, ID_FILE_HEADER + width * SAMPLES);
        for (size_t i = 0; i < n; i++) {
            write_file("part", bytes, i);
            assert_int_not_equal(tokens_open("part", &t), ERR_OK);
            for (int bit = 0; bit < 8; bit++) {
                bytes[i] ^= (char)(1 << bit);
                write_file("flipped", bytes, n);
                assert_int_not_equal(tokens_open("flipped", &t), ERR_OK);
                bytes[i] ^= (char)(1 << bit);
            }
        }
        bytes[n] = 0; /* file_read leaves a byte there: one too many */
        write_file("longer", bytes, n + 1);
        assert_int_equal(tokens_open("longer", &t), ERR_CORRUPT);
        write_file("again", bytes, n);
        assert_int_equal(tokens_open("again", &t), ERR_OK);
        tokens_close(t);
        mem_free(bytes);
        print_message("token file of %zu bytes: %zu truncations and %zu flipped bits, "
                      "each found\n",
                      n, n, 8 * n);
    }
}

static void put(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, value >>= 8)
        at[i] = (unsigned char)value;
}

/* With right checksums: what only somebody who means it, or a bug, could write. */
static void a_wrong_field_is_refused_even_when_the_checksums_are_right(void **state)
{
    (void)state;
    static const struct {
        size_t at, bytes;
        uint64_t value;
        int err;
    } cases[] = {{8, 4, 2, ERR_DATA},  /* version */
                 {12, 4, 0, ERR_DATA}, /* width */
                 {12, 4, 3, ERR_DATA},
                 {12, 4, 4, ERR_CORRUPT},           /* then the length is wrong */
                 {16, 8, 0, ERR_DATA},              /* vocab */
                 {16, 8, 65537, ERR_DATA},          /* beyond two bytes */
                 {16, 8, 65535, ERR_DATA},          /* a token is 65535 */
                 {24, 8, SAMPLES + 1, ERR_CORRUPT}, /* count */
                 {24, 8, (1ull << 63) + SAMPLES, ERR_CORRUPT}, /* times 2 is the length */
                 {24, 8, UINT64_MAX, ERR_CORRUPT},
                 {112, 8, 1, ERR_DATA}, /* reserved */
                 {48, 1, 'G', ERR_DATA}, /* no digit of a hash */
                 {80, 1, 0, ERR_DATA},
                 {32, 8, 3, ERR_OK}};
    write_tokens("whole", info_of(65536, 2), sample, SAMPLES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes;
        size_t n;
        struct tokens *t;
        assert_int_equal(file_read("whole", 1 << 20, &bytes, &n), ERR_OK);
        put((unsigned char *)bytes + cases[i].at, cases[i].value, cases[i].bytes);
        put((unsigned char *)bytes + 120, hash64(bytes, 120), 8);
        write_file("forged", bytes, n);
        const int err = tokens_open("forged", &t);
        assert_int_equal(err, cases[i].err);
        if (!err)
            tokens_close(t);
        mem_free(bytes);
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (uint32_t width = 0; width <= 4; width += 2) {
        write_tokens("tokens", info_of(65536, width), sample, SAMPLES);
        struct tokens *t;
        uint32_t out[SAMPLES];
        assert_int_equal(tokens_open("tokens", &t), ERR_OK);
        const struct tokens_info *info = tokens_info(t);
        assert_int_equal(info->width, width ? width : 2);
        assert_int_equal(info->vocab, 65536);
        assert_int_equal(info->count, SAMPLES);
        assert_int_equal(info->documents, 3);
        assert_int_equal(info->source_bytes, 1000);
        assert_string_equal(info->tokenizer, info_of(1, 2).tokenizer);
        tokens_get(t, 0, SAMPLES, out);
        assert_memory_equal(out, sample, sizeof sample);
        tokens_get(t, 3, 2, out);
        assert_memory_equal(out, sample + 3, 2 * sizeof *out);
        tokens_get(t, SAMPLES, 0, out);
        tokens_close(t);
    }
}

static void a_vocabulary_too_large_for_its_tokens_is_refused(void **state)
{
    (void)state;
    struct tokens_writer *w;
    struct tokens_info info = info_of(65537, 2);
    unlink("large");
    assert_int_equal(tokens_writer_open("large", &info, &w), ERR_RANGE);
    assert_false(file_exists("large") || file_exists("large.tmp"));
    info.width = 0; /* what it needs */
    assert_int_equal(tokens_writer_open("large", &info, &w), ERR_OK);
    assert_int_equal(tokens_writer_add(w, &(uint32_t){65536}, 1), ERR_OK);
    assert_int_equal(tokens_writer_seal(w, 1, 1), ERR_OK);
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
    struct tokens *t;
    uint32_t id;
    assert_int_equal(tokens_open("large", &t), ERR_OK);
    assert_int_equal(tokens_info(t)->width, 4);
    tokens_get(t, 0, 1, &id);
    assert_int_equal(id, 65536);
    tokens_close(t);
}

static void a_file_has_its_name_only_when_it_is_whole(void **state)
{
    (void)state;
    const struct tokens_info info = info_of(65536, 0);
    struct tokens_writer *w;
    unlink("late");
    assert_int_equal(tokens_writer_open("late", &info, &w), ERR_OK);
    assert_int_equal(tokens_writer_add(w, sample, SAMPLES), ERR_OK);
    assert_false(file_exists("late"));
    assert_int_equal(tokens_writer_seal(w, 1, 1), ERR_OK);
    assert_false(file_exists("late"));
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
    assert_true(file_exists("late"));
    assert_false(file_exists("late.tmp"));

    assert_int_equal(tokens_writer_open("late", &info, &w), ERR_OK);
    assert_int_equal(tokens_writer_add(w, sample, 1), ERR_OK);
    tokens_writer_drop(w); /* the old file stays */
    struct tokens *t;
    assert_int_equal(tokens_open("late", &t), ERR_OK);
    assert_int_equal(tokens_info(t)->count, SAMPLES);
    assert_false(file_exists("late.tmp"));
    tokens_close(t);
    assert_int_equal(tokens_writer_open("no/such/folder", &info, &w), ERR_NO_FILE);
}

/* More than the writer's buffer, so that pieces are joined rightly. */
static void a_long_file_is_whole_too(void **state)
{
    (void)state;
    enum { MANY = 100003 };
    uint32_t *ids = mem_alloc(MANY * sizeof *ids), *back = mem_alloc(MANY * sizeof *ids);
    for (uint32_t i = 0; i < MANY; i++)
        ids[i] = i * 2654435761u % 50257;
    const struct tokens_info info = info_of(50257, 0);
    struct tokens_writer *w;
    struct tokens *t;
    assert_int_equal(tokens_writer_open("long", &info, &w), ERR_OK);
    assert_int_equal(tokens_writer_add(w, ids, 40000), ERR_OK);
    assert_int_equal(tokens_writer_add(w, ids + 40000, MANY - 40000), ERR_OK);
    assert_int_equal(tokens_writer_seal(w, 1, 1), ERR_OK);
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
    assert_int_equal(tokens_open("long", &t), ERR_OK);
    tokens_get(t, 0, MANY, back);
    assert_memory_equal(ids, back, MANY * sizeof *ids);
    tokens_close(t);
    mem_free(ids);
    mem_free(back);
}

RUN(T(what_is_no_token_file_is_refused),
    T(every_truncation_and_every_flipped_bit_is_found),
    T(a_wrong_field_is_refused_even_when_the_checksums_are_right),
    T(what_is_written_is_read), T(a_vocabulary_too_large_for_its_tokens_is_refused),
    T(a_file_has_its_name_only_when_it_is_whole), T(a_long_file_is_whole_too))
