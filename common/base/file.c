#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
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

int file_write_atomic(const char *path, const void *data, size_t bytes)
{
    return disk_replace(&disk_real, path, data, bytes, true);
}

int file_replace(const char *path, const void *data, size_t bytes)
{
    return disk_replace(&disk_real, path, data, bytes, false);
}

int file_sync_dir(const char *path)
{
    return disk_sync_dir(&disk_real, path);
}

int file_make_dirs(const char *path)
{
    return disk_make_dirs(&disk_real, path);
}

int file_remove_tree(const char *path)
{
    return disk_remove_tree(&disk_real, path);
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
