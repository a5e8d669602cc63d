/* checkpoint.h - a version on disk, whole or not at all.
 *
 *      RUN/checkpoints/step-00001200/
 *          model.safetensors       parameters
 *          optimizer.safetensors   moments
 *          state.json              everything else that a resume needs
 *          tokenizer.json          so that a checkpoint can speak by itself
 *          run.yaml                the configuration it was trained with
 *          ema.safetensors         the average of the parameters, if the run keeps one
 *          MANIFEST                written last: "LENGTH XXH3-128 NAME" per file and a
 * last line "MANIFEST XXH3-128" over the lines before it
 *
 * Written under a temporary name (tmp-step-...), each file synced, renamed, the
 * folder above synced; any failure removes the temporary folder and leaves everything
 * else as it was.
 *
 * A checkpoint is good when MANIFEST agrees with its own checksum, names each of the
 * files above once and nothing else (the average only if there is one), and every file
 * has its length and checksum.
 *
 * Functions may be called from any one thread at a time per run; all log what failed.
 */
#ifndef CHECKPOINT_CHECKPOINT_H
#define CHECKPOINT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "checkpoint/safetensors.h"
#include "guard/guard.h"
#include "metrics/validation.h"

/* What a resume needs besides tensors. */
struct checkpoint_state {
    uint64_t step; /* version */
    uint64_t term;
    uint64_t fingerprint; /* of the configuration */
    uint32_t vocab;
    struct validation validation;
    struct guard guard; /* zeros where a program that did not know it wrote the file */
    char version[32];   /* of the program */
};

struct checkpoint_content {
    struct checkpoint_state state;
    const struct safetensor *model, *moments, *ema;
    size_t models, moments_n, emas;   /* emas 0: the run keeps no average */
    const char *tokenizer, *run_yaml; /* texts */
    const char *const *metadata;      /* for model.safetensors; pairs, NULL */
};

/* Errors: ERR_NO_SPACE, ERR_IO, ERR_NO_FILE. */
int checkpoint_write(const struct disk *d, const char *run_dir,
                     const struct checkpoint_content *c);

/* The same as the new folder @dir, of no run, in the same way: whole or not at all.
 * ERR_BUSY, logged, when it exists. */
int checkpoint_export(const struct disk *d, const char *dir,
                      const struct checkpoint_content *c);

/* Is this folder a good checkpoint?  Says why not, at level warn. */
int checkpoint_verify(const char *dir);

/* The newest good checkpoint; @at: that of this step, UINT64_MAX: any.  Bad ones on the
 * way are named in a warning and skipped.  *dir is to be freed with mem_free().
 * ERR_NO_FILE (not logged): there are no checkpoints at all.  ERR_NO_VALID, logged: there
 * are, but none is good. */
int checkpoint_find(const char *run_dir, uint64_t at, char **dir);

int checkpoint_read_state(const char *dir, struct checkpoint_state *s);

/* Steps of all checkpoints by name, ascending, unverified; to be freed with mem_free().
 */
int checkpoint_list(const char *run_dir, uint64_t **steps, size_t *n);

/* Remove those that a turn of the run has left behind, the newest first. */
int checkpoint_abandon(const struct disk *d, const char *run_dir, const struct turns *t);

struct checkpoint_keep {
    size_t last;           /* the newest so many, and at least one */
    uint64_t every;        /* multiples of it; 0: none */
    uint64_t back, stride; /* what a run needs that may go back: turns_back(); 0: none */
    uint64_t best[VALIDATION_METRICS]; /* UINT64_MAX: none */
    uint64_t halfway; /* kept while it is the newest, and not counted; UINT64_MAX: none */
};

/* Remove all others. */
int checkpoint_retain(const struct disk *d, const char *run_dir,
                      const struct checkpoint_keep *keep);

/* Remove temporary folders that an earlier process left.  Only the owner of the run. */
int checkpoint_clean(const char *run_dir);

/* "RUN/checkpoints/step-00001200", to be freed with mem_free() */
char *checkpoint_path(const char *run_dir, uint64_t step);

#endif
