#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/tokens_header.h"

enum { BUFFER = 1 << 16 /* bytes */ };

struct tokens_writer {
    char *path, *draft;
    int fd; /* -1 once sealed */
    struct tokens_info info;
    struct hash_stream *hash;
    unsigned char buffer[BUFFER];
    size_t used;
    bool sealed;
};

static int fail(const struct tokens_writer *w, const char *what, int errno_value)
{
    log_error("could not %s %s: %s", what, w->draft, strerror(errno_value));
    return err_from_errno(errno_value);
}

static int check_width(const char *path, struct tokens_info *info)
{
    if (info->width == 0)
        info->width = info->vocab <= 1 << 16 ? 2 : 4;
    assert(info->width == 2 || info->width == 4);
    assert(info->vocab > 0);
    if (info->vocab <= (uint64_t)1 << 8 * info->width)
        return ERR_OK;
    log_error("could not write %s: a vocabulary of %llu tokens does not fit tokens of %u "
              "bytes; use 4 bytes per token or a smaller vocabulary",
              path, (unsigned long long)info->vocab, info->width);
    return ERR_RANGE;
}

int tokens_writer_open(const char *path, const struct tokens_info *info,
                       struct tokens_writer **writer)
{
    struct tokens_info known = {.width = info->width, .vocab = info->vocab};
    memcpy(known.tokenizer, info->tokenizer, sizeof known.tokenizer);
    TRY(check_width(path, &known));

    struct tokens_writer *w = mem_zalloc(sizeof *w);
    w->path = mem_strdup(path);
    w->draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(w->draft, "%s.tmp", path);
    w->info = known;
    w->hash = hash_stream_new();
    w->fd = open(w->draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const off_t start = w->fd < 0 ? -1 : lseek(w->fd, TOKENS_HEADER, SEEK_SET);
    if (start < 0) {
        const int err = fail(w, "create", errno);
        tokens_writer_drop(w);
        return err;
    }
    *writer = w;
    return ERR_OK;
}

static int flush(struct tokens_writer *w)
{
    const int e = file_write_all(w->fd, w->buffer, w->used);
    if (e)
        return fail(w, "write", e);
    hash_stream_add(w->hash, w->buffer, w->used);
    w->used = 0;
    return ERR_OK;
}

int tokens_writer_add(struct tokens_writer *w, const uint32_t *ids, size_t n)
{
    assert(!w->sealed);
    for (size_t i = 0; i < n; i++) {
        assert(ids[i] < w->info.vocab);
        if (BUFFER - w->used < w->info.width)
            TRY(flush(w));
        const uint16_t two = htole16((uint16_t)ids[i]);
        const uint32_t four = htole32(ids[i]);
        memcpy(w->buffer + w->used, w->info.width == 2 ? (const void *)&two : &four,
               w->info.width);
        w->used += w->info.width;
    }
    w->info.count += n;
    return ERR_OK;
}

uint64_t tokens_writer_count(const struct tokens_writer *w)
{
    return w->info.count;
}

int tokens_writer_seal(struct tokens_writer *w, uint64_t documents, uint64_t source_bytes)
{
    assert(!w->sealed);
    TRY(flush(w));
    w->info.documents = documents;
    w->info.source_bytes = source_bytes;
    unsigned char header[TOKENS_HEADER];
    char hash[HASH_HEX];
    hash_stream_hex(w->hash, hash);
    tokens_header_pack(&w->info, hash, header);

    if (lseek(w->fd, 0, SEEK_SET) != 0)
        return fail(w, "write", errno);
    const int e = file_write_all(w->fd, header, sizeof header);
    if (e)
        return fail(w, "write", e);
    if (fsync(w->fd) != 0)
        return fail(w, "sync", errno);
    const int closed = close(w->fd);
    w->fd = -1;
    if (closed != 0)
        return fail(w, "close", errno);
    w->sealed = true;
    return ERR_OK;
}

static void free_writer(struct tokens_writer *w)
{
    hash_stream_free(w->hash);
    mem_free(w->path);
    mem_free(w->draft);
    mem_free(w);
}

int tokens_writer_publish(struct tokens_writer *w)
{
    assert(w->sealed);
    if (rename(w->draft, w->path) != 0) {
        const int err = fail(w, "rename", errno);
        tokens_writer_drop(w);
        return err;
    }
    free_writer(w);
    return ERR_OK;
}

void tokens_writer_drop(struct tokens_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->fd >= 0 || w->sealed)
        unlink(w->draft);
    free_writer(w);
}
