#include "checkpoint/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    HEADER = 8,
    FRAME = 8, /* length and kind */
    BODY = 64,
    CHECK = 8,
    RECORD = FRAME + BODY + CHECK,
    FILE_MAX = 1 << 30
};

static const char magic[HEADER + 1] = "LSJRNL01";

struct journal {
    const struct disk *disk;
    int fd;
    char *path;
    _Atomic uint64_t end, durable; /* bytes: all, and those that are there to stay */
    atomic_bool broken;            /* a sync failed: nothing may follow */
    atomic_bool complained;
};

/* --- one record ------------------------------------------------------------------------
 */

static void put32(unsigned char *at, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(x >> (8 * i));
}

static void put64(unsigned char *at, uint64_t x)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(x >> (8 * i));
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static uint64_t get64(const unsigned char *at)
{
    return (uint64_t)get32(at) | (uint64_t)get32(at + 4) << 32;
}

static uint64_t bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double unbits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static void pack(unsigned char at[RECORD], const struct journal_record *r)
{
    put32(at, BODY);
    put32(at + 4, r->kind);
    const uint64_t body[BODY / 8] = {r->term,       r->step,       r->targets,
                                     bits(r->wall), bits(r->loss), bits(r->rate),
                                     bits(r->norm), bits(r->clip)};
    for (int i = 0; i < BODY / 8; i++)
        put64(at + FRAME + 8 * i, body[i]);
    put64(at + FRAME + BODY, hash64(at, FRAME + BODY));
}

static bool unpack(const unsigned char at[RECORD], struct journal_record *r)
{
    const uint32_t kind = get32(at + 4);
    if (get32(at) != BODY || kind < JOURNAL_START || kind > JOURNAL_REWIND ||
        get64(at + FRAME + BODY) != hash64(at, FRAME + BODY))
        return false;
    const unsigned char *b = at + FRAME;
    *r = (struct journal_record){.kind = kind,
                                 .term = get64(b),
                                 .step = get64(b + 8),
                                 .targets = get64(b + 16),
                                 .wall = unbits(get64(b + 24)),
                                 .loss = unbits(get64(b + 32)),
                                 .rate = unbits(get64(b + 40)),
                                 .norm = unbits(get64(b + 48)),
                                 .clip = unbits(get64(b + 56))};
    return true;
}

/* --- the file
 * ---------------------------------------------------------------------------- */

/* How many bytes a record says were there to stay before it was written. */
static uint64_t proof(const struct journal_record *r, size_t at)
{
    return r->kind == JOURNAL_START ? at : r->kind == JOURNAL_CHECKPOINT ? r->targets : 0;
}

/* Does any record after the bad one at @bad say that it was there to stay? */
static bool was_durable(const unsigned char *text, size_t bytes, size_t bad)
{
    struct journal_record r;
    for (size_t at = bad + RECORD; at + RECORD <= bytes; at += RECORD)
        if (unpack(text + at, &r) && proof(&r, at) > bad)
            return true;
    return false;
}

static bool all_zero(const unsigned char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (text[i])
            return false;
    return true;
}

/* Calls @each; *good is the length of the valid part. */
static int scan(const char *path, const unsigned char *text, size_t bytes,
                void (*each)(void *ctx, const struct journal_record *r), void *ctx,
                size_t *good)
{
    *good = 0;
    if (bytes <= HEADER && all_zero(text, bytes))
        return ERR_OK; /* torn while it was made */
    if (memcmp(text, magic, bytes < HEADER ? bytes : HEADER) != 0) {
        log_error("%s: not a journal of this program; move it away to start a new one",
                  path);
        return ERR_CORRUPT;
    }
    if (bytes < HEADER)
        return ERR_OK;
    size_t at = HEADER;
    for (struct journal_record r; at + RECORD <= bytes && unpack(text + at, &r);
         at += RECORD)
        if (each)
            each(ctx, &r);
    if (was_durable(text, bytes, at)) {
        log_error("%s: the record at byte %zu is damaged; restore the file, or move it "
                  "away to go on from the newest checkpoint with a new journal",
                  path, at);
        return ERR_CORRUPT;
    }
    *good = at;
    return ERR_OK;
}

int journal_read(const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx)
{
    char *path = file_join(run_dir, "journal"), *text;
    size_t bytes, good;
    int err = file_read(path, FILE_MAX, &text, &bytes);
    if (!err) {
        err = scan(path, (const unsigned char *)text, bytes, each, ctx, &good);
        mem_free(text);
    }
    mem_free(path);
    return err;
}

static int io_error(struct journal *j, const char *what)
{
    const int e = errno;
    if (!j->complained)
        log_error("could not %s %s: %s", what, j->path, strerror(e));
    j->complained = true;
    return err_from_errno(e);
}

/* Make the file what is valid of it, and its name and that last. */
static int settle(struct journal *j, const char *run_dir, size_t bytes, size_t good)
{
    if (bytes > good && good > 0)
        log_warn("%s: the last %zu bytes were not whole when the writer or its machine "
                 "went down, and are cut off",
                 j->path, bytes - good);
    if (j->disk->truncate(j->fd, (off_t)good) != 0)
        return io_error(j, "cut");
    j->end = good;
    if (good == 0) {
        if (j->disk->write(j->fd, magic, HEADER, 0) != HEADER)
            return io_error(j, "write");
        j->end = HEADER;
    }
    TRY(journal_sync(j));
    return disk_sync_dir(j->disk, run_dir);
}

int journal_open(const struct disk *d, const char *run_dir,
                 void (*each)(void *ctx, const struct journal_record *r), void *ctx,
                 struct journal **out)
{
    struct journal *j = mem_zalloc(sizeof *j);
    j->disk = d;
    j->path = file_join(run_dir, "journal");
    j->fd = d->open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int err = j->fd < 0 ? io_error(j, "open") : ERR_OK;
    char *text;
    size_t bytes, good;
    if (!err)
        err = file_read(j->path, FILE_MAX, &text, &bytes);
    if (!err) {
        err = scan(j->path, (const unsigned char *)text, bytes, each, ctx, &good);
        mem_free(text);
    }
    if (!err)
        err = settle(j, run_dir, bytes, good);
    if (err)
        journal_close(j);
    else
        *out = j;
    return err;
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        j->disk->close(j->fd);
    mem_free(j->path);
    mem_free(j);
}

int journal_append(struct journal *j, const struct journal_record *r)
{
    if (j->broken)
        return ERR_IO;
    unsigned char at[RECORD];
    struct journal_record record = *r;
    if (r->kind == JOURNAL_CHECKPOINT)
        record.targets = j->durable;
    pack(at, &record);
    FAILPOINT("journal.before");
    FAILPOINT_HALF("journal.half", j->disk->write(j->fd, at, RECORD / 2, (off_t)j->end));
    const ssize_t k = j->disk->write(j->fd, at, RECORD, (off_t)j->end);
    FAILPOINT("journal.written");
    if (k == RECORD) {
        j->end += RECORD;
        return ERR_OK;
    }
    if (k >= 0)
        errno = ENOSPC; /* a short write is the disk's end */
    const int err = io_error(j, "append to");
    if (j->disk->truncate(j->fd, (off_t)j->end) != 0)
        return ERR_IO;
    return err;
}

int journal_sync(struct journal *j)
{
    const uint64_t end = j->end;
    if (j->broken)
        return ERR_IO;
    if (j->disk->sync(j->fd) != 0) {
        j->broken = true;
        return io_error(j, "sync");
    }
    j->durable = end;
    FAILPOINT("journal.synced");
    return ERR_OK;
}
