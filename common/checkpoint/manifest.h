/* manifest.h - MANIFEST: which files a checkpoint has, their lengths and checksums.  In
 * the order of manifest_names; the last may be missing. */
#ifndef CHECKPOINT_MANIFEST_H
#define CHECKPOINT_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum { MANIFEST_NEEDED = 5, MANIFEST_FILES };

struct manifest {
    size_t n; /* files: MANIFEST_NEEDED or MANIFEST_FILES */
    struct manifest_file {
        const char *name; /* static */
        uint64_t bytes;
        char hash[HASH_HEX];
    } file[MANIFEST_FILES];
};

extern const char *const manifest_names[MANIFEST_FILES];

/* Text to be freed with mem_free(). */
char *manifest_pack(const struct manifest *m);
/* ERR_DATA when it is not valid; *why then says so.  Does not log. */
int manifest_unpack(const char *text, size_t bytes, struct manifest *m, const char **why);

#endif
