#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

static int fail(const char *what, const char *path, int errno_value)
{
    log_error("could not %s %s: %s", what, path, strerror(errno_value));
    return err_from_errno(errno_value);
}

int file_read(const char *path, size_t limit, char **data, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", path, errno);

    char *text = NULL;
    size_t n = 0, room = 0;
    int err = ERR_OK;
    for (;;) {
        if (n == room)
            text = mem_resize(text, (room = room ? 2 * room : 65536) + 1);
        ssize_t k = read(fd, text + n, room - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            err = fail("read", path, errno);
        if (k <= 0)
            break;
        n += (size_t)k;
        if (n > limit) {
            log_error("could not read %s: it has more than %zu bytes", path, limit);
            err = ERR_TOO_BIG;
            break;
        }
    }
    close(fd);
    if (err) {
        mem_free(text);
        return err;
    }
    text[n] = '\0';
    *data = text;
    *bytes = n;
    return ERR_OK;
}

int file_write_all(int fd, const void *data, size_t bytes)
{
    for (const char *at = data; bytes;) {
        ssize_t k = write(fd, at, bytes);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return errno;
        at += k;
        bytes -= (size_t)k;
    }
    return 0;
}

static int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return file_sync_dir(".");
    char *dir = mem_strdup(path);
    dir[slash == path ? 1 : slash - path] = '\0';
    int err = file_sync_dir(dir);
    mem_free(dir);
    return err;
}

static int replace(const char *path, const void *data, size_t bytes, bool durable)
{
    char *draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(draft, "%s.tmp", path);

    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        int err = fail("create", draft, errno);
        mem_free(draft);
        return err;
    }
    int e = file_write_all(fd, data, bytes);
    if (!e && durable && fsync(fd) != 0)
        e = errno;
    if (close(fd) != 0 && !e)
        e = errno;
    if (!e && rename(draft, path) != 0)
        e = errno;
    if (e)
        unlink(draft);
    mem_free(draft);
    if (e)
        return fail("write", path, e);
    return durable ? sync_parent(path) : ERR_OK;
}

int file_write_atomic(const char *path, const void *data, size_t bytes)
{
    return replace(path, data, bytes, true);
}

int file_replace(const char *path, const void *data, size_t bytes)
{
    return replace(path, data, bytes, false);
}

int file_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", path, errno);
    int e = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return e ? fail("sync", path, e) : ERR_OK;
}

int file_make_dirs(const char *path)
{
    char *part = mem_strdup(path);
    int e = 0;
    for (char *at = part + 1; *part && !e; at++)
        if (*at == '/' || *at == '\0') {
            const char kept = *at;
            *at = '\0';
            struct stat st;
            if (mkdir(part, 0755) != 0 &&
                !(errno == EEXIST && stat(part, &st) == 0 && S_ISDIR(st.st_mode)))
                e = errno;
            *at = kept;
            if (!kept)
                break;
        }
    mem_free(part);
    return e ? fail("make directory", path, e) : ERR_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int file_remove_tree(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return fail("remove", path, errno);
    return ERR_OK;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_join(const char *dir, const char *name)
{
    char *path = mem_alloc(strlen(dir) + strlen(name) + 2);
    sprintf(path, "%s/%s", dir, name);
    return path;
}
