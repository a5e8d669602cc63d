#include "data/id_file.h"

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

enum { BUFFER = 1 << 16 /* bytes */ };

struct id_writer {
    const struct id_file_kind *kind;
    char *path, *draft;
    int fd; /* -1 once sealed */
    struct id_header header;
    struct hash_stream *hash;
    unsigned char buffer[BUFFER];
    size_t used;
    bool sealed;
};

static int fail(const struct id_writer *w, const char *what, int errno_value)
{
    log_error("could not %s %s: %s", what, w->draft, strerror(errno_value));
    return err_from_errno(errno_value);
}

static int check_width(const char *path, struct id_header *h)
{
    if (h->width == 0)
        h->width = h->vocab <= 1 << 16 ? 2 : 4;
    assert(h->width == 2 || h->width == 4);
    assert(h->vocab > 0);
    if (h->vocab <= (uint64_t)1 << 8 * h->width)
        return ERR_OK;
    log_error("could not write %s: a vocabulary of %llu tokens does not fit tokens of %u "
              "bytes; use 4 bytes per token or a smaller vocabulary",
              path, (unsigned long long)h->vocab, h->width);
    return ERR_RANGE;
}

int id_writer_open(const struct id_file_kind *kind, const char *path,
                   const struct id_header *known, struct id_writer **writer)
{
    struct id_header header = *known;
    TRY(check_width(path, &header));

    struct id_writer *w = mem_zalloc(sizeof *w);
    w->path = mem_strdup(path);
    w->draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(w->draft, "%s.tmp", path);
    w->kind = kind;
    w->header = header;
    w->hash = hash_stream_new();
    w->fd = open(w->draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const off_t start = w->fd < 0 ? -1 : lseek(w->fd, ID_FILE_HEADER, SEEK_SET);
    if (start < 0) {
        const int err = fail(w, "create", errno);
        id_writer_drop(w);
        return err;
    }
    *writer = w;
    return ERR_OK;
}

static int flush(struct id_writer *w)
{
    const int e = file_write_all(w->fd, w->buffer, w->used);
    if (e)
        return fail(w, "write", e);
    hash_stream_add(w->hash, w->buffer, w->used);
    w->used = 0;
    return ERR_OK;
}

static int put(struct id_writer *w, uint32_t number, size_t width)
{
    assert(!w->sealed);
    if (BUFFER - w->used < width)
        TRY(flush(w));
    const uint16_t two = htole16((uint16_t)number);
    const uint32_t four = htole32(number);
    memcpy(w->buffer + w->used, width == 2 ? (const void *)&two : &four, width);
    w->used += width;
    return ERR_OK;
}

int id_writer_add(struct id_writer *w, const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert(ids[i] < w->header.vocab);
        TRY(put(w, ids[i], w->header.width));
    }
    return ERR_OK;
}

int id_writer_add_u32(struct id_writer *w, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(put(w, numbers[i], sizeof *numbers));
    return ERR_OK;
}

int id_writer_seal(struct id_writer *w, uint64_t count,
                   const uint64_t fact[ID_FILE_FACTS])
{
    assert(!w->sealed);
    TRY(flush(w));
    w->header.count = count;
    memcpy(w->header.fact, fact, sizeof w->header.fact);
    unsigned char header[ID_FILE_HEADER];
    char hash[HASH_HEX];
    hash_stream_hex(w->hash, hash);
    id_header_pack(w->kind, &w->header, hash, header);

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

static void free_writer(struct id_writer *w)
{
    hash_stream_free(w->hash);
    mem_free(w->path);
    mem_free(w->draft);
    mem_free(w);
}

int id_writer_publish(struct id_writer *w)
{
    assert(w->sealed);
    if (rename(w->draft, w->path) != 0) {
        const int err = fail(w, "rename", errno);
        id_writer_drop(w);
        return err;
    }
    free_writer(w);
    return ERR_OK;
}

void id_writer_drop(struct id_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->fd >= 0 || w->sealed)
        unlink(w->draft);
    free_writer(w);
}
