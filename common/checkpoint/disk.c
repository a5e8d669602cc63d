#include "checkpoint/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

static int real_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

const struct disk disk_real = {
    .open = real_open,
    .write = write,
    .sync = fsync,
    .close = close,
    .mkdir = mkdir,
    .rename = rename,
    .sync_dir = file_sync_dir,
    .reserve = NULL, /* see disk_create() */
};

static int fail(const char *what, const char *path, int errno_value)
{
    log_error("could not %s %s: %s", what, path, strerror(errno_value));
    return err_from_errno(errno_value);
}

static int reserve(const struct disk *d, int fd, off_t bytes)
{
    if (bytes == 0)
        return 0;
    const int e = d->reserve ? d->reserve(fd, bytes) : posix_fallocate(fd, 0, bytes);
    return e == EOPNOTSUPP || e == EINVAL ? 0 : e; /* a file system without it */
}

int disk_create(const struct disk *d, const char *path, off_t bytes, struct disk_file *f)
{
    const int fd = d->open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail("create", path, errno);
    const int e = reserve(d, fd, bytes);
    if (e) {
        d->close(fd);
        return fail("reserve room for", path, e);
    }
    *f = (struct disk_file){d, path, fd};
    return ERR_OK;
}

int disk_write(struct disk_file *f, const void *data, size_t bytes)
{
    for (const char *at = data; bytes;) {
        const ssize_t k = f->disk->write(f->fd, at, bytes);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            const int e = k < 0 ? errno : EIO;
            f->disk->close(f->fd);
            f->fd = -1;
            return fail("write", f->path, e);
        }
        at += k;
        bytes -= (size_t)k;
    }
    return ERR_OK;
}

int disk_finish(struct disk_file *f)
{
    int e = f->disk->sync(f->fd) == 0 ? 0 : errno;
    if (f->disk->close(f->fd) != 0 && !e)
        e = errno;
    f->fd = -1;
    return e ? fail("sync", f->path, e) : ERR_OK;
}
