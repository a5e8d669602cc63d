#include "data/tokens_header.h"

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

static const char magic[8] = {'L', 'S', 'T', 'O', 'K', 'E', 'N', 'S'};

enum {
    VERSION = 1,
    AT_VERSION = 8,
    AT_WIDTH = 12,
    AT_VOCAB = 16,
    AT_COUNT = 24,
    AT_DOCUMENTS = 32,
    AT_SOURCE = 40,
    AT_DATA_HASH = 48,
    AT_TOKENIZER = 80,
    AT_ZERO = 112,
    AT_HASH = 120,
    HEX = HASH_HEX - 1
};

static void put32(unsigned char *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put64(unsigned char *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t get32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

void tokens_header_pack(const struct tokens_info *info, const char data_hash[HASH_HEX],
                        unsigned char header[TOKENS_HEADER])
{
    assert(strlen(info->tokenizer) == HEX);
    memset(header, 0, TOKENS_HEADER);
    memcpy(header, magic, sizeof magic);
    put32(header + AT_VERSION, VERSION);
    put32(header + AT_WIDTH, info->width);
    put64(header + AT_VOCAB, info->vocab);
    put64(header + AT_COUNT, info->count);
    put64(header + AT_DOCUMENTS, info->documents);
    put64(header + AT_SOURCE, info->source_bytes);
    memcpy(header + AT_DATA_HASH, data_hash, HEX);
    memcpy(header + AT_TOKENIZER, info->tokenizer, HEX);
    put64(header + AT_HASH, hash64(header, AT_HASH));
}

static bool is_hash(const unsigned char *at)
{
    for (int i = 0; i < HEX; i++)
        if (!(at[i] >= '0' && at[i] <= '9') && !(at[i] >= 'a' && at[i] <= 'f'))
            return false;
    return true;
}

static int check_fields(const unsigned char *header, const char *path)
{
    const uint32_t version = get32(header + AT_VERSION), width = get32(header + AT_WIDTH);
    const uint64_t vocab = get64(header + AT_VOCAB);
    if (version != VERSION) {
        log_error("%s: token file of version %u, this program reads version %d; run "
                  "`lockstep prepare` again",
                  path, version, VERSION);
        return ERR_DATA;
    }
    if ((width != 2 && width != 4) || vocab == 0 || vocab > (uint64_t)1 << 8 * width ||
        get64(header + AT_ZERO) != 0) {
        log_error(
            "%s: not a valid token file: %u bytes per token, vocabulary of %llu; run "
            "`lockstep prepare` again",
            path, width, (unsigned long long)vocab);
        return ERR_DATA;
    }
    if (!is_hash(header + AT_DATA_HASH) || !is_hash(header + AT_TOKENIZER)) {
        log_error("%s: not a valid token file: its hashes are not hexadecimal digits; run "
                  "`lockstep prepare` again",
                  path);
        return ERR_DATA;
    }
    return ERR_OK;
}

int tokens_header_unpack(const unsigned char *header, size_t bytes, const char *path,
                         struct tokens_info *info, char data_hash[HASH_HEX])
{
    if (bytes < TOKENS_HEADER || memcmp(header, magic, sizeof magic) != 0) {
        log_error("%s: not a token file; expected one that `lockstep prepare` wrote",
                  path);
        return ERR_DATA;
    }
    if (get64(header + AT_HASH) != hash64(header, AT_HASH)) {
        log_error("%s: damaged: the checksum of its header is wrong; run `lockstep "
                  "prepare` again",
                  path);
        return ERR_CORRUPT;
    }
    TRY(check_fields(header, path));
    *info = (struct tokens_info){.width = get32(header + AT_WIDTH),
                                 .vocab = get64(header + AT_VOCAB),
                                 .count = get64(header + AT_COUNT),
                                 .documents = get64(header + AT_DOCUMENTS),
                                 .source_bytes = get64(header + AT_SOURCE)};
    memcpy(info->tokenizer, header + AT_TOKENIZER, HEX);
    memcpy(data_hash, header + AT_DATA_HASH, HEX);
    info->tokenizer[HEX] = data_hash[HEX] = '\0';
    return ERR_OK;
}
