/* A safetensors file.  True of every file: what can be listed can be read, into memory of
 * exactly its shapes, and written again it lists and reads the same; one tensor more or
 * less is refused. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "checkpoint/safetensors.h"

enum { MOST = 64 };

struct found {
    struct safetensor t[MOST];
    size_t n;
};

static size_t size_of(const struct safetensor *t)
{
    size_t n = sizeof(float);
    for (size_t d = 0; d < t->rank; d++)
        n *= t->dims[d];
    return n;
}

static void keep(void *ctx, const struct safetensor *t)
{
    struct found *f = ctx;
    CHECK(t->rank <= SAFETENSORS_RANK);
    if (f->n < MOST) {
        f->t[f->n] = *t;
        f->t[f->n].name = mem_strdup(t->name);
        f->t[f->n].data = mem_zalloc(size_of(t));
    }
    f->n++;
}

static void drop(struct found *f)
{
    for (size_t i = 0; i < f->n && i < MOST; i++) {
        mem_free((void *)(uintptr_t)f->t[i].name);
        mem_free(f->t[i].data);
    }
}

static void check_again(struct found *f, const char *path)
{
    struct found again = {.n = 0};
    CHECK(safetensors_list(path, keep, &again) == ERR_OK);
    CHECK(again.n == f->n);
    CHECK(safetensors_read(path, again.t, again.n) == ERR_OK);
    for (size_t i = 0; i < f->n; i++) {
        const struct safetensor *a = &f->t[i], *b = &again.t[i];
        CHECK(strcmp(a->name, b->name) == 0 && a->rank == b->rank);
        CHECK(memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0);
        CHECK(memcmp(a->data, b->data, size_of(a)) == 0);
    }
    drop(&again);
}

static void check_found(struct found *f, const char *path)
{
    CHECK(safetensors_read(path, f->t, f->n) == ERR_OK);
    if (f->n)
        CHECK(safetensors_read(path, f->t, f->n - 1) == ERR_DATA);
    char name[512], hash[33];
    uint64_t bytes;
    snprintf(name, sizeof name, "%s/again", fuzz_folder());
    file_remove_tree(name); /* only a new file is written */
    CHECK(safetensors_write(&disk_real, name, f->t, f->n, NULL, &bytes, hash) == ERR_OK);
    check_again(f, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct found f = {.n = 0};
    const char *path = fuzz_file(data, bytes);
    const int err = safetensors_list(path, keep, &f);
    CHECK(err == ERR_OK || err == ERR_DATA);
    CHECK(!err || f.n == 0);
    if (!err && f.n <= MOST)
        check_found(&f, path);
    drop(&f);
    return 0;
}

/* The length of the header: up to and with the last brace and what fills it up to 8. */
size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    const uint8_t *brace = bytes > 8 ? memrchr(data + 8, '}', bytes - 8) : NULL;
    if (!brace)
        return bytes;
    size_t end = (size_t)(brace - data) + 1;
    while (end < bytes && end % 8 != 0 && data[end] == ' ')
        end++;
    for (int i = 0; i < 8; i++)
        data[i] = (uint8_t)((uint64_t)(end - 8) >> (8 * i));
    return bytes;
}
