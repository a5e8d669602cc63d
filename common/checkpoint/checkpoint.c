#include "checkpoint/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/folder.h"
#include "checkpoint/manifest.h"
#include "checkpoint/state.h"

enum { STATE_MAX = 1 << 20 };

/* --- writing ---------------------------------------------------------------------------
 */

static int write_text(const struct disk *d, const char *dir, const char *name,
                      const char *text, struct manifest_file *entry)
{
    char *path = file_join(dir, name);
    const size_t bytes = strlen(text);
    struct disk_file f;
    int err = disk_create(d, path, (off_t)bytes, &f);
    FAILPOINT("checkpoint.file_made");
    if (!err)
        err = disk_write(&f, text, bytes);
    FAILPOINT("checkpoint.file_written");
    if (!err)
        err = disk_finish(&f);
    FAILPOINT("checkpoint.file_synced");
    mem_free(path);
    if (!err && entry) {
        entry->name = name;
        entry->bytes = bytes;
        hash128_hex(text, bytes, entry->hash);
    }
    return err;
}

static int write_tensors(const struct disk *d, const char *dir, const char *name,
                         const struct safetensor *tensors, size_t n,
                         const char *const *metadata, struct manifest_file *entry)
{
    char *path = file_join(dir, name);
    entry->name = name;
    const int err =
        safetensors_write(d, path, tensors, n, metadata, &entry->bytes, entry->hash);
    mem_free(path);
    return err;
}

static int write_files(const struct disk *d, const char *dir,
                       const struct checkpoint_content *c)
{
    struct manifest m = {.n = c->emas ? MANIFEST_FILES : MANIFEST_NEEDED};
    TRY(write_tensors(d, dir, manifest_names[0], c->model, c->models, c->metadata,
                      &m.file[0]));
    TRY(write_tensors(d, dir, manifest_names[1], c->moments, c->moments_n, NULL,
                      &m.file[1]));
    char *state = state_pack(&c->state);
    int err = write_text(d, dir, manifest_names[2], state, &m.file[2]);
    mem_free(state);
    TRY(err);
    TRY(write_text(d, dir, manifest_names[3], c->tokenizer, &m.file[3]));
    TRY(write_text(d, dir, manifest_names[4], c->run_yaml, &m.file[4]));
    if (c->emas)
        TRY(write_tensors(d, dir, manifest_names[5], c->ema, c->emas, NULL, &m.file[5]));
    FAILPOINT("checkpoint.before_manifest");
    char *text = manifest_pack(&m);
    err = write_text(d, dir, "MANIFEST", text, NULL);
    mem_free(text);
    TRY(err);
    FAILPOINT("checkpoint.before_names");
    return disk_sync_dir(d, dir);
}

static int make_draft(const struct disk *d, const char *parent, const char *draft)
{
    TRY(disk_make_dirs(d, parent));
    TRY(disk_remove_tree(d, draft));
    if (d->mkdir(draft, 0755) != 0) {
        const int e = errno;
        log_error("could not make directory %s: %s", draft, strerror(e));
        return err_from_errno(e);
    }
    FAILPOINT("checkpoint.drafted");
    return ERR_OK;
}

/* RUN is synced every time: who made RUN/checkpoints may have been killed before. */
static int publish(const struct disk *d, const char *draft, const char *path,
                   const char *parent, const char *run_dir)
{
    FAILPOINT("checkpoint.before_rename");
    TRY(disk_rename(d, draft, path));
    FAILPOINT("checkpoint.renamed");
    TRY(disk_sync_dir(d, parent));
    TRY(disk_sync_dir(d, run_dir));
    FAILPOINT("checkpoint.published");
    return ERR_OK;
}

int checkpoint_write(const struct disk *d, const char *run_dir,
                     const struct checkpoint_content *c)
{
    char *parent = file_join(run_dir, "checkpoints");
    char *path = checkpoint_path(run_dir, c->state.step);
    char draft_name[64];
    snprintf(draft_name, sizeof draft_name, FOLDER_DRAFT "%08" PRIu64, c->state.step);
    char *draft = file_join(parent, draft_name);

    int err = make_draft(d, parent, draft);
    if (!err)
        err = write_files(d, draft, c);
    if (!err && file_exists(path)) /* the same version, written by an earlier life */
        err = folder_remove(d, run_dir, c->state.step);
    if (!err)
        err = publish(d, draft, path, parent, run_dir);
    if (err)
        disk_remove_tree(d, draft);
    mem_free(parent);
    mem_free(path);
    mem_free(draft);
    return err;
}

/* "a/b" is in "a", "b" in "." */
static char *parent_of(const char *path)
{
    char *parent = mem_strdup(path), *slash = strrchr(parent, '/');
    if (!slash) {
        mem_free(parent);
        return mem_strdup(".");
    }
    slash[slash == parent] = '\0';
    return parent;
}

static char *without_last_slashes(const char *path)
{
    char *text = mem_strdup(path);
    for (size_t n = strlen(text); n > 1 && text[n - 1] == '/'; n--)
        text[n - 1] = '\0';
    return text;
}

/* Of what is not ours nothing is removed, not even what looks like a draft. */
static bool is_free(const char *path)
{
    if (!file_exists(path))
        return true;
    log_error("%s: it exists already; remove it, or choose another name", path);
    return false;
}

static int export(const struct disk *d, const char *parent, const char *draft,
                  const char *path, const struct checkpoint_content *c)
{
    int err = make_draft(d, parent, draft);
    if (!err)
        err = write_files(d, draft, c);
    if (!err)
        err = publish(d, draft, path, parent, parent);
    if (err)
        disk_remove_tree(d, draft);
    return err;
}

int checkpoint_export(const struct disk *d, const char *dir,
                      const struct checkpoint_content *c)
{
    char *path = without_last_slashes(dir), *parent = parent_of(path);
    char *draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(draft, "%s.tmp", path);
    int err = is_free(path) && is_free(draft) ? ERR_OK : ERR_BUSY;
    if (!err)
        err = export(d, parent, draft, path, c);
    mem_free(path);
    mem_free(parent);
    mem_free(draft);
    return err;
}

/* --- verifying
 * -------------------------------------------------------------------------- */

static int verify_file(const char *dir, const struct manifest_file *entry)
{
    char *path = file_join(dir, entry->name);
    char hash[HASH_HEX];
    uint64_t bytes;
    int err = folder_hash_file(path, &bytes, hash);
    if (err) {
        log_warn("%s: %s cannot be read", dir, entry->name);
    } else if (bytes != entry->bytes) {
        log_warn("%s: %s has %llu bytes, the manifest says %llu", dir, entry->name,
                 (unsigned long long)bytes, (unsigned long long)entry->bytes);
        err = ERR_CORRUPT;
    } else if (strcmp(hash, entry->hash) != 0) {
        log_warn("%s: %s does not have the checksum that the manifest says", dir,
                 entry->name);
        err = ERR_CORRUPT;
    }
    mem_free(path);
    return err;
}

int checkpoint_verify(const char *dir)
{
    char *path = file_join(dir, "MANIFEST");
    if (!file_exists(path)) {
        log_warn("%s: it has no MANIFEST, so it was never finished", dir);
        mem_free(path);
        return ERR_CORRUPT;
    }
    char *text;
    size_t bytes;
    int err = file_read(path, STATE_MAX, &text, &bytes);
    mem_free(path);
    TRY(err);
    struct manifest m;
    const char *why;
    err = manifest_unpack(text, bytes, &m, &why);
    mem_free(text);
    if (err) {
        log_warn("%s: %s", dir, why);
        return ERR_CORRUPT;
    }
    for (size_t i = 0; i < m.n; i++)
        TRY(verify_file(dir, &m.file[i]));
    return ERR_OK;
}

int checkpoint_find(const char *run_dir, uint64_t at, char **dir)
{
    uint64_t *steps;
    size_t n;
    TRY(checkpoint_list(run_dir, &steps, &n));
    int err = n ? ERR_NO_VALID : ERR_NO_FILE;
    for (size_t i = n; i-- > 0 && err;) {
        if (at != UINT64_MAX && steps[i] != at)
            continue;
        char *path = checkpoint_path(run_dir, steps[i]);
        if (checkpoint_verify(path) == ERR_OK) {
            *dir = path;
            err = ERR_OK;
        } else {
            log_warn("%s is damaged and skipped", path);
            mem_free(path);
        }
    }
    if (err == ERR_NO_VALID && at == UINT64_MAX)
        log_error(
            "%s/checkpoints: none of the %zu checkpoints is good, and a run that has "
            "checkpoints never starts from zero; restore one, or choose another run.dir",
            run_dir, n);
    if (err == ERR_NO_VALID && at != UINT64_MAX)
        log_error("%s/checkpoints: there is no good checkpoint of step %llu", run_dir,
                  (unsigned long long)at);
    mem_free(steps);
    return err;
}

/* What cannot be read is no good checkpoint, and never gone on from. */
static bool left_behind(const char *run_dir, uint64_t step, const struct turns *t)
{
    struct checkpoint_state s;
    if (!turns_abandon(t, step, 0))
        return false;
    char *dir = checkpoint_path(run_dir, step);
    const int err = checkpoint_read_state(dir, &s);
    mem_free(dir);
    return !err && turns_abandon(t, step, turns_newest(&s.guard.turns).offset);
}

int checkpoint_abandon(const struct disk *d, const char *run_dir, const struct turns *t)
{
    uint64_t *steps;
    size_t n;
    TRY(checkpoint_list(run_dir, &steps, &n));
    int err = ERR_OK;
    for (size_t i = n; i-- > 0 && !err;)
        if (left_behind(run_dir, steps[i], t))
            err = folder_remove(d, run_dir, steps[i]);
    mem_free(steps);
    return err;
}

int checkpoint_read_state(const char *dir, struct checkpoint_state *s)
{
    char *path = file_join(dir, "state.json"), *text;
    size_t bytes;
    int err = file_read(path, STATE_MAX, &text, &bytes);
    if (!err) {
        err = state_unpack(path, text, bytes, s);
        mem_free(text);
    }
    mem_free(path);
    return err;
}
