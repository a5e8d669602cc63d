#include "checkpoint/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

static size_t count_of(const struct safetensor *t)
{
    size_t n = 1;
    for (size_t d = 0; d < t->rank; d++)
        n = mem_mul(n, t->dims[d]);
    return n;
}

/* --- writing ---------------------------------------------------------------------------
 */

static json_t *describe(const struct safetensor *t, uint64_t begin)
{
    json_t *shape = json_array();
    for (size_t d = 0; d < t->rank; d++)
        json_array_append_new(shape, json_integer((json_int_t)t->dims[d]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                     "data_offsets", (json_int_t)begin,
                     (json_int_t)(begin + count_of(t) * sizeof(float)));
}

/* The header with its length and padding; to be freed with mem_free(). */
static char *make_header(const struct safetensor *tensors, size_t n,
                         const char *const *metadata, size_t *bytes)
{
    json_t *root = json_object(), *about = json_object();
    json_object_set_new(about, "format", json_string("pt"));
    for (; metadata && *metadata; metadata += 2)
        json_object_set_new(about, metadata[0], json_string(metadata[1]));
    json_object_set_new(root, "__metadata__", about);
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(root, tensors[i].name, describe(&tensors[i], at));
        at += count_of(&tensors[i]) * sizeof(float);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);

    const size_t length = strlen(text), padded = (length + 7) & ~(size_t)7;
    char *header = mem_alloc(8 + padded);
    for (int i = 0; i < 8; i++)
        header[i] = (char)(padded >> (8 * i));
    memcpy(header + 8, text, length);
    memset(header + 8 + length, ' ', padded - length);
    free(text);
    *bytes = 8 + padded;
    return header;
}

static int write_part(struct disk_file *f, struct hash_stream *hash, const void *data,
                      size_t bytes)
{
    hash_stream_add(hash, data, bytes);
    TRY(disk_write(f, data, bytes));
    FAILPOINT("checkpoint.file_part");
    return ERR_OK;
}

int safetensors_write(const struct disk *d, const char *path,
                      const struct safetensor *tensors, size_t n,
                      const char *const *metadata, uint64_t *bytes, char hash[33])
{
    size_t header_bytes;
    char *header = make_header(tensors, n, metadata, &header_bytes);
    uint64_t total = header_bytes;
    for (size_t i = 0; i < n; i++)
        total += count_of(&tensors[i]) * sizeof(float);

    struct hash_stream *stream = hash_stream_new();
    struct disk_file f;
    int err = disk_create(d, path, (off_t)total, &f);
    FAILPOINT("checkpoint.file_made");
    if (!err) {
        err = write_part(&f, stream, header, header_bytes);
        for (size_t i = 0; !err && i < n; i++)
            err = write_part(&f, stream, tensors[i].data,
                             count_of(&tensors[i]) * sizeof(float));
        FAILPOINT("checkpoint.file_written");
        if (!err)
            err = disk_finish(&f);
        FAILPOINT("checkpoint.file_synced");
    }
    if (!err) {
        *bytes = total;
        hash_stream_hex(stream, hash);
    }
    hash_stream_free(stream);
    mem_free(header);
    return err;
}

/* --- reading ---------------------------------------------------------------------------
 */

struct view {
    const char *path;
    const char *bytes; /* the whole file, mapped */
    size_t size, data; /* where the data begins */
    json_t *header;
};

static int bad(const char *path, const char *what, const char *name)
{
    log_error("%s: %s%s%s", path, what, *name ? " " : "", name);
    return ERR_DATA;
}

static void close_view(struct view *v)
{
    if (v->header)
        json_decref(v->header);
    if (v->bytes)
        munmap((void *)(uintptr_t)v->bytes, v->size);
}

static int map(const char *path, struct view *v)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        const int e = errno;
        log_error("could not open %s: %s", path, strerror(e));
        if (fd >= 0)
            close(fd);
        return err_from_errno(e);
    }
    void *bytes = MAP_FAILED;
    if (st.st_size > 8)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return bad(path, "too short for a safetensors file", "");
    v->bytes = bytes;
    v->size = (size_t)st.st_size;
    return ERR_OK;
}

struct extent {
    uint64_t begin, end;
};

static int compare_extents(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int read_integer(const json_t *j, uint64_t limit, uint64_t *value)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0 ||
        (uint64_t)json_integer_value(j) > limit)
        return ERR_DATA;
    *value = (uint64_t)json_integer_value(j);
    return ERR_OK;
}

/* One entry of the header, as a tensor without data. */
static int read_entry(const struct view *v, const char *name, const json_t *entry,
                      struct safetensor *t, struct extent *at)
{
    const size_t limit = v->size - v->data;
    const json_t *shape = json_object_get(entry, "shape"),
                 *offsets = json_object_get(entry, "data_offsets");
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype || !json_is_array(shape) || !json_is_array(offsets) ||
        json_array_size(offsets) != 2 || json_array_size(shape) > SAFETENSORS_RANK ||
        json_object_size(entry) != 3)
        return bad(v->path, "malformed description of tensor", name);
    if (strcmp(dtype, "F32") != 0)
        return bad(v->path, "only F32 can be read, not the type of tensor", name);
    *t = (struct safetensor){.name = name, .rank = json_array_size(shape)};
    uint64_t count = 1;
    for (size_t d = 0; d < t->rank; d++) {
        uint64_t dim;
        if (read_integer(json_array_get(shape, d), limit, &dim) ||
            __builtin_mul_overflow(count, dim, &count) || count > limit)
            return bad(v->path, "impossible shape of tensor", name);
        t->dims[d] = dim;
    }
    if (read_integer(json_array_get(offsets, 0), limit, &at->begin) ||
        read_integer(json_array_get(offsets, 1), limit, &at->end) ||
        at->end < at->begin || at->end - at->begin != count * sizeof(float))
        return bad(v->path, "offsets do not fit the shape of tensor", name);
    return ERR_OK;
}

static int check_cover(const struct view *v)
{
    const size_t n = json_object_size(v->header);
    struct extent *all = mem_alloc((n + 1) * sizeof *all);
    size_t k = 0;
    const char *name;
    json_t *entry;
    int err = ERR_OK;
    json_object_foreach(v->header, name, entry)
    {
        struct safetensor t;
        if (strcmp(name, "__metadata__") == 0)
            continue;
        err = read_entry(v, name, entry, &t, &all[k++]);
        if (err)
            break;
    }
    if (!err) {
        qsort(all, k, sizeof *all, compare_extents);
        uint64_t at = 0;
        for (size_t i = 0; i < k && !err; at = all[i++].end)
            if (all[i].begin != at)
                err = bad(v->path, "tensors overlap or leave a gap", "");
        if (!err && at != v->size - v->data)
            err = bad(v->path, "the data does not end where the last tensor does", "");
    }
    mem_free(all);
    return err;
}

static int open_view(const char *path, struct view *v)
{
    *v = (struct view){.path = path};
    TRY(map(path, v));
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)v->bytes[i];
    int err = ERR_OK;
    if (length > SAFETENSORS_HEADER_MAX || length > v->size - 8 || v->bytes[8] != '{')
        err = bad(path, "no safetensors header", "");
    if (!err) {
        v->data = 8 + length;
        json_error_t why;
        v->header = json_loadb(v->bytes + 8, length, JSON_REJECT_DUPLICATES, &why);
        if (!json_is_object(v->header))
            err = bad(path,
                      "header is not valid JSON:", v->header ? "no object" : why.text);
    }
    if (!err)
        err = check_cover(v);
    if (err)
        close_view(v);
    return err;
}

static int same_shape(const struct safetensor *a, const struct safetensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0;
}

static int read_one(const struct view *v, const struct safetensor *want)
{
    const json_t *entry = json_object_get(v->header, want->name);
    if (!entry)
        return bad(v->path, "there is no tensor", want->name);
    struct safetensor found;
    struct extent at;
    TRY(read_entry(v, want->name, entry, &found, &at));
    if (!same_shape(&found, want))
        return bad(v->path, "another shape than this model's has tensor", want->name);
    memcpy(want->data, v->bytes + v->data + at.begin, at.end - at.begin);
    return ERR_OK;
}

int safetensors_read(const char *path, const struct safetensor *tensors, size_t n)
{
    struct view v;
    TRY(open_view(path, &v));
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = read_one(&v, &tensors[i]);
    const size_t others = json_object_get(v.header, "__metadata__") ? 1 : 0;
    if (!err && json_object_size(v.header) != n + others)
        err = bad(path, "it has tensors that this model has not", "");
    close_view(&v);
    return err;
}

int safetensors_list(const char *path,
                     void (*each)(void *ctx, const struct safetensor *t), void *ctx)
{
    struct view v;
    TRY(open_view(path, &v));
    const char *name;
    json_t *entry;
    json_object_foreach(v.header, name, entry)
    {
        struct safetensor t;
        struct extent at;
        if (strcmp(name, "__metadata__") != 0 && !read_entry(&v, name, entry, &t, &at))
            each(ctx, &t);
    }
    close_view(&v);
    return ERR_OK;
}
