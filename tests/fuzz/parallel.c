/* A file of pairs.  True of every file that opens: its lengths are at least 1 and add up
 * to what its header says and to its size, every token is below its vocabulary, and the
 * writer makes the same bytes of it. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/id_file.h"
#include "data/parallel.h"

enum { INDEX = 8 };

static uint32_t *read_side(uint32_t n)
{
    CHECK(n >= 1);
    return mem_alloc(n * sizeof(uint32_t));
}

static void check_ids(const uint32_t *ids, uint32_t n, uint64_t vocab)
{
    for (uint32_t i = 0; i < n; i++)
        CHECK(ids[i] < vocab);
}

static void copy(const struct parallel *p, const char *path)
{
    const struct parallel_info *info = parallel_info(p);
    struct parallel_writer *w;
    CHECK(parallel_writer_open(path, info, &w) == ERR_OK);
    for (uint64_t i = 0; i < info->count; i++) {
        uint32_t s, t;
        parallel_lengths(p, i, &s, &t);
        uint32_t *source = read_side(s), *target = read_side(t);
        parallel_get(p, i, source, target);
        check_ids(source, s, info->vocab);
        check_ids(target, t, info->vocab);
        parallel_writer_add(w, source, s, target, t);
        mem_free(source);
        mem_free(target);
    }
    CHECK(memcmp(parallel_writer_info(w)->tokenizer, info->tokenizer, HASH_HEX) == 0);
    CHECK(parallel_writer_info(w)->source_tokens == info->source_tokens);
    CHECK(parallel_writer_info(w)->target_tokens == info->target_tokens);
    CHECK(parallel_writer_info(w)->longest_source == info->longest_source);
    CHECK(parallel_writer_info(w)->longest_target == info->longest_target);
    CHECK(parallel_writer_seal(w, info->target_bytes) == ERR_OK);
    CHECK(parallel_writer_publish(w) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct parallel *p;
    const int err = parallel_open(fuzz_file(data, bytes), &p);
    CHECK(err == ERR_OK || err == ERR_DATA || err == ERR_CORRUPT);
    if (err)
        return 0;
    const struct parallel_info *info = parallel_info(p);
    CHECK(bytes == ID_FILE_HEADER + info->count * INDEX +
                       (info->source_tokens + info->target_tokens) * info->width);
    char *path = file_join(fuzz_folder(), "copy");
    copy(p, path);
    mem_free(path);
    parallel_close(p);
    size_t n;
    char *again = fuzz_get("copy", &n);
    CHECK(n == bytes && memcmp(again, data, n) == 0);
    free(again);
    return 0;
}

static uint64_t get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

/* As many pairs as are there, with their tokens; the header counts them. */
static size_t fit(uint8_t *data, size_t bytes, uint64_t width)
{
    const uint64_t count = get(data + 24, 8) % ((bytes - ID_FILE_HEADER) / INDEX + 1);
    uint64_t side[2] = {0, 0};
    const size_t room = bytes - ID_FILE_HEADER - count * INDEX;
    for (uint64_t i = 0; i < 2 * count; i++) {
        uint8_t *at = data + ID_FILE_HEADER + 4 * i;
        const uint64_t left = room / width - side[0] - side[1];
        const uint64_t length = left ? get(at, 4) % left + 1 : 0;
        memcpy(at, &length, 4);
        side[i % 2] += length;
    }
    memcpy(data + 24, &count, 8);
    memcpy(data + 32, side, sizeof side);
    return ID_FILE_HEADER + count * INDEX + (side[0] + side[1]) * width;
}

size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    if (bytes < ID_FILE_HEADER)
        return bytes;
    char hash[HASH_HEX];
    memcpy(data, "LSTPAIRS", 8);
    if (data[40] % 8) /* now and then the lengths stay wrong */
        bytes = fit(data, bytes, data[12] == 4 ? 4 : 2);
    hash128_hex(data + ID_FILE_HEADER, bytes - ID_FILE_HEADER, hash);
    memcpy(data + 48, hash, HASH_HEX - 1);
    const uint64_t check = hash64(data, 120);
    memcpy(data + 120, &check, sizeof check);
    return bytes;
}
