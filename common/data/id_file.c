#include "data/id_file.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    VERSION = 1,
    AT_VERSION = 8,
    AT_WIDTH = 12,
    AT_VOCAB = 16,
    AT_COUNT = 24,
    AT_DATA_HASH = 48,
    AT_TOKENIZER = 80,
    AT_HASH = 120,
    MAGIC = 8,
    HEX = HASH_HEX - 1
};

static const size_t at_fact[ID_FILE_FACTS] = {32, 40, 112};

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

void id_header_pack(const struct id_file_kind *kind, const struct id_header *h,
                    const char data_hash[HASH_HEX], unsigned char bytes[ID_FILE_HEADER])
{
    assert(strlen(h->tokenizer) == HEX);
    memset(bytes, 0, ID_FILE_HEADER);
    memcpy(bytes, kind->magic, MAGIC);
    put32(bytes + AT_VERSION, VERSION);
    put32(bytes + AT_WIDTH, h->width);
    put64(bytes + AT_VOCAB, h->vocab);
    put64(bytes + AT_COUNT, h->count);
    for (int i = 0; i < ID_FILE_FACTS; i++)
        put64(bytes + at_fact[i], h->fact[i]);
    memcpy(bytes + AT_DATA_HASH, data_hash, HEX);
    memcpy(bytes + AT_TOKENIZER, h->tokenizer, HEX);
    put64(bytes + AT_HASH, hash64(bytes, AT_HASH));
}

static bool is_hash(const unsigned char *at)
{
    for (int i = 0; i < HEX; i++)
        if (!(at[i] >= '0' && at[i] <= '9') && !(at[i] >= 'a' && at[i] <= 'f'))
            return false;
    return true;
}

static int check_fields(const struct id_file *f, const struct id_file_kind *kind)
{
    const uint32_t version = get32(f->map + AT_VERSION), width = get32(f->map + AT_WIDTH);
    const uint64_t vocab = get64(f->map + AT_VOCAB);
    if (version != VERSION) {
        log_error("%s: %s of version %u, this program reads version %d; run "
                  "`lockstep prepare` again",
                  f->path, kind->name, version, VERSION);
        return ERR_DATA;
    }
    if ((width != 2 && width != 4) || vocab == 0 || vocab > (uint64_t)1 << 8 * width) {
        log_error("%s: not a valid %s: %u bytes per token, vocabulary of %llu; run "
                  "`lockstep prepare` again",
                  f->path, kind->name, width, (unsigned long long)vocab);
        return ERR_DATA;
    }
    if (!is_hash(f->map + AT_DATA_HASH) || !is_hash(f->map + AT_TOKENIZER)) {
        log_error("%s: not a valid %s: its hashes are not hexadecimal digits; run "
                  "`lockstep prepare` again",
                  f->path, kind->name);
        return ERR_DATA;
    }
    return ERR_OK;
}

static int read_header(struct id_file *f, const struct id_file_kind *kind)
{
    if (f->bytes < ID_FILE_HEADER || memcmp(f->map, kind->magic, MAGIC) != 0) {
        log_error("%s: not a %s; expected one that `lockstep prepare` wrote", f->path,
                  kind->name);
        return ERR_DATA;
    }
    if (get64(f->map + AT_HASH) != hash64(f->map, AT_HASH)) {
        log_error("%s: damaged: the checksum of its header is wrong; run `lockstep "
                  "prepare` again",
                  f->path);
        return ERR_CORRUPT;
    }
    TRY(check_fields(f, kind));
    struct id_header *h = &f->header;
    *h = (struct id_header){.width = get32(f->map + AT_WIDTH),
                            .vocab = get64(f->map + AT_VOCAB),
                            .count = get64(f->map + AT_COUNT)};
    for (int i = 0; i < ID_FILE_FACTS; i++)
        h->fact[i] = get64(f->map + at_fact[i]);
    memcpy(h->tokenizer, f->map + AT_TOKENIZER, HEX);
    memcpy(f->data_hash, f->map + AT_DATA_HASH, HEX);
    h->tokenizer[HEX] = f->data_hash[HEX] = '\0';
    return ERR_OK;
}

static int fail(const char *what, const char *path, int errno_value)
{
    log_error("could not %s %s: %s", what, path, strerror(errno_value));
    return err_from_errno(errno_value);
}

/* An empty file cannot be mapped; it then lacks its header. */
static int map_file(struct id_file *f)
{
    const int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", f->path, errno);
    struct stat st;
    int err = ERR_OK;
    if (fstat(fd, &st) != 0)
        err = fail("open", f->path, errno);
    else if (S_ISDIR(st.st_mode))
        err = fail("open", f->path, EISDIR);
    else if ((f->bytes = (size_t)st.st_size) > 0) {
        void *p = mmap(NULL, f->bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            err = fail("map", f->path, errno);
        else
            f->map = p;
    }
    close(fd);
    return err;
}

int id_file_open(struct id_file *f, const struct id_file_kind *kind, const char *path)
{
    *f = (struct id_file){.path = mem_strdup(path)};
    TRY(map_file(f));
    return read_header(f, kind);
}

void id_file_close(struct id_file *f)
{
    if (f->map)
        munmap(f->map, f->bytes);
    mem_free(f->path);
    *f = (struct id_file){0};
}

int id_file_check_data(const struct id_file *f)
{
    char hash[HASH_HEX];
    hash128_hex(f->map + ID_FILE_HEADER, f->bytes - ID_FILE_HEADER, hash);
    if (strcmp(hash, f->data_hash) == 0)
        return ERR_OK;
    log_error("%s: damaged: the checksum of its tokens is %s, expected %s; run `lockstep "
              "prepare` again",
              f->path, hash, f->data_hash);
    return ERR_CORRUPT;
}

int id_file_check_range(const struct id_file *f, size_t at, uint64_t count)
{
    enum { PIECE = 1024 };
    uint32_t ids[PIECE];
    for (uint64_t done = 0; done < count;) {
        const size_t n = count - done < PIECE ? (size_t)(count - done) : PIECE;
        id_file_get(f, at + done * f->header.width, n, ids);
        for (size_t i = 0; i < n; i++)
            if (ids[i] >= f->header.vocab) {
                log_error("%s: token %llu is %u, outside its vocabulary of %llu; run "
                          "`lockstep prepare` again",
                          f->path, (unsigned long long)(done + i), ids[i],
                          (unsigned long long)f->header.vocab);
                return ERR_DATA;
            }
        done += n;
    }
    return ERR_OK;
}

void id_file_get(const struct id_file *f, size_t at, size_t n, uint32_t *out)
{
    assert(at >= ID_FILE_HEADER);
    assert(at <= f->bytes);
    assert(n <= (f->bytes - at) / f->header.width);
    const unsigned char *from = f->map + at;
    if (f->header.width == 2)
        for (size_t i = 0; i < n; i++) {
            uint16_t id;
            memcpy(&id, from + 2 * i, sizeof id);
            out[i] = le16toh(id);
        }
    else
        for (size_t i = 0; i < n; i++)
            out[i] = get32(from + 4 * i);
}
