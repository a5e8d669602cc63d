#include "base/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* --- the real one ----------------------------------------------------------------------
 */

/* Fails with the errno that LOCKSTEP_FAIL asks for here, in a build with fail points. */
#define MAY_FAIL(name)                                                                   \
    do {                                                                                 \
        const int asked_ = FAILPOINT_ERRNO(name);                                        \
        if (asked_) {                                                                    \
            errno = asked_;                                                              \
            return -1;                                                                   \
        }                                                                                \
    } while (0)

static int real_open(const char *path, int flags, mode_t mode)
{
    MAY_FAIL("disk.open");
    return open(path, flags, mode);
}

/* posix_fallocate() returns its error. */
static int real_reserve(int fd, off_t bytes)
{
    const int asked = FAILPOINT_ERRNO("disk.reserve");
    if (asked)
        return asked;
    return posix_fallocate(fd, 0, bytes);
}

static ssize_t real_write(int fd, const void *data, size_t bytes, off_t at)
{
    MAY_FAIL("disk.write");
    return pwrite(fd, data, bytes, at);
}

static int real_truncate(int fd, off_t bytes)
{
    MAY_FAIL("disk.truncate");
    return ftruncate(fd, bytes);
}

static int real_make_dir(const char *path, mode_t mode)
{
    MAY_FAIL("disk.make_dir");
    return mkdir(path, mode);
}

static int real_sync(int fd)
{
    MAY_FAIL("disk.sync");
    return fsync(fd);
}

static int real_rename(const char *from, const char *to)
{
    MAY_FAIL("disk.rename");
    return rename(from, to);
}

static int real_remove(const char *path)
{
    MAY_FAIL("disk.remove");
    return remove(path);
}

static int real_sync_dir(const char *path)
{
    MAY_FAIL("disk.sync_dir");
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const int e = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    errno = e;
    return e ? -1 : 0;
}

const struct disk disk_real = {
    .open = real_open,
    .reserve = real_reserve,
    .write = real_write,
    .truncate = real_truncate,
    .sync = real_sync,
    .close = close,
    .mkdir = real_make_dir,
    .rename = real_rename,
    .remove = real_remove,
    .sync_dir = real_sync_dir,
};

/* --- a new file ------------------------------------------------------------------------
 */

static int fail(const char *what, const char *path, int errno_value)
{
    log_error("could not %s %s: %s", what, path, strerror(errno_value));
    return err_from_errno(errno_value);
}

static int reserve(const struct disk *d, int fd, off_t bytes)
{
    if (bytes == 0)
        return 0;
    const int e = d->reserve(fd, bytes);
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
    *f = (struct disk_file){d, path, fd, 0};
    return ERR_OK;
}

int disk_write(struct disk_file *f, const void *data, size_t bytes)
{
    for (const char *from = data; bytes;) {
        const ssize_t k = f->disk->write(f->fd, from, bytes, f->at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            const int e = k < 0 ? errno : EIO;
            f->disk->close(f->fd);
            f->fd = -1;
            return fail("write", f->path, e);
        }
        from += k;
        f->at += k;
        bytes -= (size_t)k;
    }
    return ERR_OK;
}

static int finish(struct disk_file *f, bool durable)
{
    int e = !durable || f->disk->sync(f->fd) == 0 ? 0 : errno;
    if (f->disk->close(f->fd) != 0 && !e)
        e = errno;
    f->fd = -1;
    return e ? fail("sync", f->path, e) : ERR_OK;
}

int disk_finish(struct disk_file *f)
{
    return finish(f, true);
}

/* --- names -----------------------------------------------------------------------------
 */

int disk_sync_dir(const struct disk *d, const char *path)
{
    return d->sync_dir(path) == 0 ? ERR_OK : fail("sync", path, errno);
}

static int sync_parent(const struct disk *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return disk_sync_dir(d, ".");
    char *dir = mem_strdup(path);
    dir[slash == path ? 1 : slash - path] = '\0';
    const int err = disk_sync_dir(d, dir);
    mem_free(dir);
    return err;
}

int disk_rename(const struct disk *d, const char *from, const char *to)
{
    if (d->rename(from, to) == 0)
        return ERR_OK;
    const int e = errno;
    log_error("could not rename %s to %s: %s", from, to, strerror(e));
    return err_from_errno(e);
}

static int write_draft(const struct disk *d, const char *draft, const void *data,
                       size_t bytes, bool durable)
{
    const int fd = d->open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail("create", draft, errno);
    struct disk_file f = {d, draft, fd, 0};
    TRY(disk_write(&f, data, bytes));
    return finish(&f, durable);
}

int disk_replace(const struct disk *d, const char *path, const void *data, size_t bytes,
                 bool durable)
{
    char *draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(draft, "%s.tmp", path);
    int err = write_draft(d, draft, data, bytes, durable);
    FAILPOINT("replace.written");
    if (!err)
        err = disk_rename(d, draft, path);
    FAILPOINT("replace.renamed");
    if (err)
        d->remove(draft);
    mem_free(draft);
    return !err && durable ? sync_parent(d, path) : err;
}

static int make_dir(const struct disk *d, const char *path)
{
    struct stat st;
    if (d->mkdir(path, 0755) == 0)
        return sync_parent(d, path);
    const int e = errno;
    if (e == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return ERR_OK;
    return fail("make directory", path, e);
}

int disk_make_dirs(const struct disk *d, const char *path)
{
    char *part = mem_strdup(path);
    int err = ERR_OK;
    for (char *at = part + 1; *part && !err; at++)
        if (*at == '/' || *at == '\0') {
            const char kept = *at;
            *at = '\0';
            err = make_dir(d, part);
            *at = kept;
            if (!kept)
                break;
        }
    mem_free(part);
    return err;
}

static int remove_below(const struct disk *d, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return fail("read", path, errno);
    int err = ERR_OK;
    for (struct dirent *e; !err && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *below = file_join(path, e->d_name);
        err = disk_remove_tree(d, below);
        mem_free(below);
    }
    closedir(dir);
    return err;
}

int disk_remove_tree(const struct disk *d, const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? ERR_OK : fail("remove", path, errno);
    if (S_ISDIR(st.st_mode))
        TRY(remove_below(d, path));
    return d->remove(path) == 0 || errno == ENOENT ? ERR_OK : fail("remove", path, errno);
}
