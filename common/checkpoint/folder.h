/* folder.h - inside checkpoint: names in RUN/checkpoints. */
#ifndef CHECKPOINT_FOLDER_H
#define CHECKPOINT_FOLDER_H

#include <stdint.h>

#include "base/disk.h"
#include "base/hash.h"

#define FOLDER_DRAFT "tmp-step-" /* being written or being removed */

/* Length and XXH3-128 of a file.  ERR_NO_FILE, ERR_IO; does not log. */
int folder_hash_file(const char *path, uint64_t *bytes, char hash[HASH_HEX]);

/* Remove the checkpoint of this step.  Logs. */
int folder_remove(const struct disk *d, const char *run_dir, uint64_t step);

#endif
