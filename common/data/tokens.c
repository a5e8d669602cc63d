#include "data/tokens.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/tokens_header.h"

struct tokens {
    char *path;
    unsigned char *map;
    size_t bytes;
    struct tokens_info info;
};

static int fail(const char *what, const char *path, int errno_value)
{
    log_error("could not %s %s: %s", what, path, strerror(errno_value));
    return err_from_errno(errno_value);
}

/* An empty file cannot be mapped; it is then no token file. */
static int map_file(const char *path, unsigned char **map, size_t *bytes)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", path, errno);
    struct stat st;
    int err = ERR_OK;
    *map = NULL;
    if (fstat(fd, &st) != 0)
        err = fail("open", path, errno);
    else if (S_ISDIR(st.st_mode))
        err = fail("open", path, EISDIR);
    else if ((*bytes = (size_t)st.st_size) > 0) {
        void *p = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            err = fail("map", path, errno);
        else
            *map = p;
    }
    close(fd);
    return err;
}

static int check_length(const struct tokens *t)
{
    const uint64_t there = (t->bytes - TOKENS_HEADER) / t->info.width;
    if (there == t->info.count && (t->bytes - TOKENS_HEADER) % t->info.width == 0)
        return ERR_OK;
    log_error(
        "%s: damaged: it has %zu bytes, expected %d and %u for each of %llu tokens; "
        "run `lockstep prepare` again",
        t->path, t->bytes, TOKENS_HEADER, t->info.width,
        (unsigned long long)t->info.count);
    return ERR_CORRUPT;
}

static int check_data(const struct tokens *t, const char expected[HASH_HEX])
{
    char hash[HASH_HEX];
    hash128_hex(t->map + TOKENS_HEADER, t->bytes - TOKENS_HEADER, hash);
    if (strcmp(hash, expected) == 0)
        return ERR_OK;
    log_error("%s: damaged: the checksum of its tokens is %s, expected %s; run `lockstep "
              "prepare` again",
              t->path, hash, expected);
    return ERR_CORRUPT;
}

static int check_range(const struct tokens *t)
{
    uint32_t ids[1024];
    for (uint64_t at = 0; at < t->info.count;) {
        const uint64_t left = t->info.count - at;
        const size_t n = left < 1024 ? (size_t)left : 1024;
        tokens_get(t, at, n, ids);
        for (size_t i = 0; i < n; i++)
            if (ids[i] >= t->info.vocab) {
                log_error("%s: token %llu is %u, outside its vocabulary of %llu; run "
                          "`lockstep prepare` again",
                          t->path, (unsigned long long)(at + i), ids[i],
                          (unsigned long long)t->info.vocab);
                return ERR_DATA;
            }
        at += n;
    }
    return ERR_OK;
}

static int check(struct tokens *t)
{
    char data_hash[HASH_HEX];
    TRY(tokens_header_unpack(t->map, t->bytes, t->path, &t->info, data_hash));
    TRY(check_length(t));
    TRY(check_data(t, data_hash));
    return check_range(t);
}

int tokens_open(const char *path, struct tokens **t)
{
    struct tokens *opened = mem_zalloc(sizeof *opened);
    opened->path = mem_strdup(path);
    int err = map_file(path, &opened->map, &opened->bytes);
    if (!err)
        err = check(opened);
    if (err) {
        tokens_close(opened);
        return err;
    }
    *t = opened;
    return ERR_OK;
}

void tokens_close(struct tokens *t)
{
    if (!t)
        return;
    if (t->map)
        munmap(t->map, t->bytes);
    mem_free(t->path);
    mem_free(t);
}

const struct tokens_info *tokens_info(const struct tokens *t)
{
    return &t->info;
}

const char *tokens_path(const struct tokens *t)
{
    return t->path;
}

void tokens_get(const struct tokens *t, uint64_t first, size_t n, uint32_t *out)
{
    assert(first <= t->info.count);
    assert(n <= t->info.count - first);
    const unsigned char *at = t->map + TOKENS_HEADER + first * t->info.width;
    if (t->info.width == 2)
        for (size_t i = 0; i < n; i++) {
            uint16_t id;
            memcpy(&id, at + 2 * i, sizeof id);
            out[i] = le16toh(id);
        }
    else
        for (size_t i = 0; i < n; i++) {
            uint32_t id;
            memcpy(&id, at + 4 * i, sizeof id);
            out[i] = le32toh(id);
        }
}
