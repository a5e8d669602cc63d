/* A file of tokens.  True of every file that opens: its header says what it has, every
 * token is below its vocabulary, its header packs to the same 128 bytes. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "data/id_file.h"
#include "data/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tokens *t;
    const int err = tokens_open(fuzz_file(data, bytes), &t);
    CHECK(err == ERR_OK || err == ERR_DATA || err == ERR_CORRUPT);
    if (err)
        return 0;
    const struct tokens_info *info = tokens_info(t);
    CHECK(bytes == ID_FILE_HEADER + info->count * info->width);
    uint32_t *ids = mem_alloc(info->count * sizeof *ids);
    tokens_get(t, 0, info->count, ids);
    for (size_t i = 0; i < info->count; i++)
        CHECK(ids[i] < info->vocab);
    mem_free(ids);
    static const struct id_file_kind kind = {"LSTOKENS", ""};
    struct id_header h = {info->width,
                          info->vocab,
                          info->count,
                          {info->documents, info->source_bytes, 0},
                          ""};
    memcpy(h.tokenizer, info->tokenizer, sizeof h.tokenizer);
    char hash[HASH_HEX];
    unsigned char header[ID_FILE_HEADER];
    hash128_hex(data + ID_FILE_HEADER, bytes - ID_FILE_HEADER, hash);
    id_header_pack(&kind, &h, hash, header);
    CHECK(memcmp(header, data, ID_FILE_HEADER) == 0);
    tokens_close(t);
    return 0;
}

size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    if (bytes < ID_FILE_HEADER)
        return bytes;
    char hash[HASH_HEX];
    const uint64_t width = data[12] == 4 ? 4 : 2;
    const uint64_t count = (bytes - ID_FILE_HEADER) / width;
    bytes = ID_FILE_HEADER + count * width;
    hash128_hex(data + ID_FILE_HEADER, bytes - ID_FILE_HEADER, hash);
    memcpy(data, "LSTOKENS", 8);
    memcpy(data + 48, hash, HASH_HEX - 1);
    if (data[24] % 8) /* now and then the count stays wrong */
        memcpy(data + 24, &count, sizeof count);
    const uint64_t check = hash64(data, 120);
    memcpy(data + 120, &check, sizeof check);
    return bytes;
}
