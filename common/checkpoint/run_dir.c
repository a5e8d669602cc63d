#include "checkpoint/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

static int refuse_busy(const char *path, int fd)
{
    char owner[128] = "";
    const ssize_t n = pread(fd, owner, sizeof owner - 1, 0);
    owner[n > 0 ? n : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    log_error("run directory %s is in use by %s; wait for it, end it, or choose another "
              "run.dir",
              path, *owner ? owner : "another process");
    return ERR_BUSY;
}

static void sign(int fd)
{
    char host[64] = "", text[128];
    gethostname(host, sizeof host - 1);
    const int n =
        snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        log_debug("could not sign the lock file: %s", strerror(errno));
}

int run_dir_open(struct run_dir *r, const char *path)
{
    TRY(file_make_dirs(path));
    char *lock = file_join(path, "lock");
    const int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int err = ERR_OK;
    if (fd < 0) {
        log_error("could not open %s: %s", lock, strerror(errno));
        err = err_from_errno(errno);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            err = refuse_busy(path, fd);
        } else {
            log_error("could not lock %s: %s", lock, strerror(errno));
            err = ERR_IO;
        }
        close(fd);
    }
    mem_free(lock);
    TRY(err);
    sign(fd);
    FAILPOINT("resume.owned");
    *r = (struct run_dir){mem_strdup(path), fd};
    return ERR_OK;
}

bool run_dir_owner(const char *path, struct run_owner *o)
{
    char *lock = file_join(path, "lock"), text[128] = "";
    const int fd = open(lock, O_RDONLY | O_CLOEXEC);
    mem_free(lock);
    const ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof text - 1, 0);
    if (fd >= 0)
        close(fd);
    *o = (struct run_owner){0};
    return n > 0 && sscanf(text, "process %ld on %63s", &o->pid, o->host) == 2;
}

void run_dir_close(struct run_dir *r)
{
    if (r->path)
        close(r->lock);
    mem_free(r->path);
    *r = (struct run_dir){0};
}
