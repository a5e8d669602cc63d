#include "checkpoint/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"

char *checkpoint_path(const char *run_dir, uint64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "checkpoints/step-%08" PRIu64, step);
    return file_join(run_dir, name);
}

int folder_hash_file(const char *path, uint64_t *bytes, char hash[HASH_HEX])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    enum { PIECE = 1 << 20 };
    char *piece = mem_alloc(PIECE);
    struct hash_stream *s = hash_stream_new();
    uint64_t total = 0;
    ssize_t k;
    while ((k = read(fd, piece, PIECE)) > 0 || (k < 0 && errno == EINTR)) {
        if (k < 0)
            continue;
        hash_stream_add(s, piece, (size_t)k);
        total += (uint64_t)k;
    }
    hash_stream_hex(s, hash);
    hash_stream_free(s);
    mem_free(piece);
    close(fd);
    if (k < 0)
        return ERR_IO;
    *bytes = total;
    return ERR_OK;
}

/* Calls @each for every name in RUN/checkpoints; an absent folder is empty. */
static int for_each_name(const char *run_dir, void (*each)(void *ctx, const char *name),
                         void *ctx)
{
    char *parent = file_join(run_dir, "checkpoints");
    DIR *dir = opendir(parent);
    int err = ERR_OK;
    if (!dir && errno != ENOENT) {
        log_error("could not read %s: %s", parent, strerror(errno));
        err = err_from_errno(errno);
    }
    if (dir) {
        for (struct dirent *e; (e = readdir(dir));)
            each(ctx, e->d_name);
        closedir(dir);
    }
    mem_free(parent);
    return err;
}

struct steps {
    uint64_t *list;
    size_t n;
};

static void take_step(void *ctx, const char *name)
{
    struct steps *s = ctx;
    uint64_t step;
    int used = 0;
    if (sscanf(name, "step-%19" SCNu64 "%n", &step, &used) == 1 && !name[used] &&
        name[5] >= '0' && name[5] <= '9') {
        s->list = mem_resize(s->list, (s->n + 1) * sizeof *s->list);
        s->list[s->n++] = step;
    }
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int checkpoint_list(const char *run_dir, uint64_t **steps, size_t *n)
{
    struct steps s = {0};
    const int err = for_each_name(run_dir, take_step, &s);
    if (err) {
        mem_free(s.list);
        return err;
    }
    if (s.n)
        qsort(s.list, s.n, sizeof *s.list, compare);
    *steps = s.list;
    *n = s.n;
    return ERR_OK;
}

/* First without its name for good, so that nothing half-removed looks like a checkpoint.
 */
static int rename_and_remove(const struct disk *d, const char *path, const char *draft,
                             const char *parent)
{
    TRY(disk_rename(d, path, draft));
    TRY(disk_sync_dir(d, parent));
    FAILPOINT("checkpoint.old_renamed");
    TRY(disk_remove_tree(d, draft));
    FAILPOINT("checkpoint.old_removed");
    return ERR_OK;
}

int folder_remove(const struct disk *d, const char *run_dir, uint64_t step)
{
    char *path = checkpoint_path(run_dir, step), name[64];
    char *parent = file_join(run_dir, "checkpoints");
    snprintf(name, sizeof name, FOLDER_DRAFT "%08" PRIu64 "-old", step);
    char *draft = file_join(parent, name);
    const int err = rename_and_remove(d, path, draft, parent);
    mem_free(path);
    mem_free(parent);
    mem_free(draft);
    return err;
}

static bool is_kept(const struct checkpoint_keep *keep, uint64_t step, uint64_t newest)
{
    for (int m = 0; m < VALIDATION_METRICS; m++)
        if (step == keep->best[m])
            return true;
    return (keep->every && step % keep->every == 0) ||
           (keep->stride && step % keep->stride == 0 &&
            step >= turns_back(newest, keep->back, keep->stride));
}

/* All of the @n of @steps but the last and what is kept; @newest: of all there are. */
static int remove_old(const struct disk *d, const char *run_dir,
                      const struct checkpoint_keep *keep, const uint64_t *steps, size_t n,
                      uint64_t newest)
{
    const size_t last = keep->last ? keep->last : 1;
    for (size_t i = 0; i + last < n; i++)
        if (!is_kept(keep, steps[i], newest))
            TRY(folder_remove(d, run_dir, steps[i]));
    return ERR_OK;
}

/* Takes @step out of @steps; whether it was there. */
static bool take_out(uint64_t *steps, size_t *n, uint64_t step)
{
    size_t i = 0;
    while (i < *n && steps[i] != step)
        i++;
    if (i == *n)
        return false;
    memmove(&steps[i], &steps[i + 1], (--*n - i) * sizeof *steps);
    return true;
}

int checkpoint_retain(const struct disk *d, const char *run_dir,
                      const struct checkpoint_keep *keep)
{
    uint64_t *steps;
    size_t n;
    TRY(checkpoint_list(run_dir, &steps, &n));
    const uint64_t newest = n > 0 ? steps[n - 1] : 0;
    const bool halfway = take_out(steps, &n, keep->halfway);
    int err = remove_old(d, run_dir, keep, steps, n, newest);
    if (!err && halfway && keep->halfway != newest &&
        !is_kept(keep, keep->halfway, newest))
        err = folder_remove(d, run_dir, keep->halfway);
    mem_free(steps);
    return err;
}

static void remove_draft(void *ctx, const char *name)
{
    if (strncmp(name, FOLDER_DRAFT, strlen(FOLDER_DRAFT)) != 0)
        return;
    char *parent = file_join(ctx, "checkpoints"), *path = file_join(parent, name);
    file_remove_tree(path);
    mem_free(parent);
    mem_free(path);
}

int checkpoint_clean(const char *run_dir)
{
    return for_each_name(run_dir, remove_draft, (void *)(uintptr_t)run_dir);
}
