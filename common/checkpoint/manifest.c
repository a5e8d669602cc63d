#include "checkpoint/manifest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

const char *const manifest_names[MANIFEST_FILES] = {
    "model.safetensors", "optimizer.safetensors", "state.json", "tokenizer.json",
    "run.yaml",          "ema.safetensors"};

enum { LINE = 128 };

static const char seal[] = "MANIFEST ";

char *manifest_pack(const struct manifest *m)
{
    char *text = mem_alloc((MANIFEST_FILES + 1) * LINE);
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        n += (size_t)snprintf(text + n, LINE, "%llu %s %s\n",
                              (unsigned long long)m->file[i].bytes, m->file[i].hash,
                              m->file[i].name);
    char hash[HASH_HEX];
    hash128_hex(text, n, hash);
    snprintf(text + n, LINE, "%s%s\n", seal, hash);
    return text;
}

/* One line.  False: it is none of a file. */
static bool read_file(const char **at, struct manifest_file *f)
{
    unsigned long long length;
    int used = 0;
    if (sscanf(*at, "%19llu %32[0-9a-f] %n", &length, f->hash, &used) != 2 || used == 0)
        return false;
    const char *end = strchr(*at + used, '\n');
    if (!end)
        return false;
    f->bytes = length;
    *at = end + 1;
    return true;
}

/* What manifest_pack() writes is the only valid text: read the numbers, write it again
 * and compare. */
int manifest_unpack(const char *text, size_t bytes, struct manifest *m, const char **why)
{
    struct manifest found = {0};
    const char *at = text;
    *why = "MANIFEST is damaged";
    while (found.n < MANIFEST_FILES && read_file(&at, &found.file[found.n])) {
        found.file[found.n].name = manifest_names[found.n];
        found.n++;
    }
    if (found.n < MANIFEST_NEEDED)
        return ERR_DATA;
    char *again = manifest_pack(&found);
    const int err =
        strlen(again) == bytes && memcmp(again, text, bytes) == 0 ? ERR_OK : ERR_DATA;
    mem_free(again);
    if (!err)
        *m = found;
    return err;
}
