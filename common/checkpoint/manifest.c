#include "checkpoint/manifest.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

const char *const manifest_names[MANIFEST_FILES] = {"model.safetensors",
                                                    "optimizer.safetensors", "state.json",
                                                    "tokenizer.json", "run.yaml"};

enum { LINE = 128 };

static const char seal[] = "MANIFEST ";

char *manifest_pack(const struct manifest *m)
{
    char *text = mem_alloc((MANIFEST_FILES + 1) * LINE);
    size_t n = 0;
    for (int i = 0; i < MANIFEST_FILES; i++)
        n += (size_t)snprintf(text + n, LINE, "%llu %s %s\n",
                              (unsigned long long)m->file[i].bytes, m->file[i].hash,
                              m->file[i].name);
    char hash[HASH_HEX];
    hash128_hex(text, n, hash);
    snprintf(text + n, LINE, "%s%s\n", seal, hash);
    return text;
}

/* What manifest_pack() writes is the only valid text: read the numbers, write it again
 * and compare. */
int manifest_unpack(const char *text, size_t bytes, struct manifest *m, const char **why)
{
    struct manifest found;
    const char *at = text;
    *why = "MANIFEST is damaged";
    for (int i = 0; i < MANIFEST_FILES; i++) {
        unsigned long long length;
        int used = 0;
        if (sscanf(at, "%19llu %32[0-9a-f] %n", &length, found.file[i].hash, &used) !=
                2 ||
            used == 0)
            return ERR_DATA;
        found.file[i].bytes = length;
        found.file[i].name = manifest_names[i];
        at += used;
        at = strchr(at, '\n');
        if (!at)
            return ERR_DATA;
        at++;
    }
    char *again = manifest_pack(&found);
    const int err =
        strlen(again) == bytes && memcmp(again, text, bytes) == 0 ? ERR_OK : ERR_DATA;
    mem_free(again);
    if (!err)
        *m = found;
    return err;
}
