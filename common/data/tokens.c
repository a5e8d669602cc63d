#include "data/tokens.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/id_file.h"

static const struct id_file_kind kind = {"LSTOKENS", "token file"};

enum { DOCUMENTS, SOURCE_BYTES, ZERO };

struct tokens {
    struct id_file file;
    struct tokens_info info;
};

static int check_zero(const struct id_file *f)
{
    if (f->header.fact[ZERO] == 0)
        return ERR_OK;
    log_error("%s: not a valid token file: bytes 112 to 119 of its header are not zero; "
              "run `lockstep prepare` again",
              f->path);
    return ERR_DATA;
}

static int check_length(const struct id_file *f)
{
    const uint64_t data = f->bytes - ID_FILE_HEADER, width = f->header.width;
    if (data / width == f->header.count && data % width == 0)
        return ERR_OK;
    log_error(
        "%s: damaged: it has %zu bytes, expected %d and %u for each of %llu tokens; "
        "run `lockstep prepare` again",
        f->path, f->bytes, ID_FILE_HEADER, f->header.width,
        (unsigned long long)f->header.count);
    return ERR_CORRUPT;
}

static int open_checked(struct id_file *f, const char *path)
{
    TRY(id_file_open(f, &kind, path));
    TRY(check_zero(f));
    TRY(check_length(f));
    TRY(id_file_check_data(f));
    return id_file_check_range(f, ID_FILE_HEADER, f->header.count);
}

static struct tokens_info info_of(const struct id_header *h)
{
    struct tokens_info info = {.width = h->width,
                               .vocab = h->vocab,
                               .count = h->count,
                               .documents = h->fact[DOCUMENTS],
                               .source_bytes = h->fact[SOURCE_BYTES]};
    memcpy(info.tokenizer, h->tokenizer, sizeof info.tokenizer);
    return info;
}

int tokens_open(const char *path, struct tokens **t)
{
    struct tokens *opened = mem_zalloc(sizeof *opened);
    const int err = open_checked(&opened->file, path);
    if (err) {
        tokens_close(opened);
        return err;
    }
    opened->info = info_of(&opened->file.header);
    *t = opened;
    return ERR_OK;
}

void tokens_close(struct tokens *t)
{
    if (!t)
        return;
    id_file_close(&t->file);
    mem_free(t);
}

const struct tokens_info *tokens_info(const struct tokens *t)
{
    return &t->info;
}

const char *tokens_path(const struct tokens *t)
{
    return t->file.path;
}

void tokens_get(const struct tokens *t, uint64_t first, size_t n, uint32_t *out)
{
    assert(first <= t->info.count);
    assert(n <= t->info.count - first);
    id_file_get(&t->file, ID_FILE_HEADER + first * t->info.width, n, out);
}

struct tokens_writer {
    struct id_writer *out;
    uint64_t count;
};

int tokens_writer_open(const char *path, const struct tokens_info *info,
                       struct tokens_writer **writer)
{
    struct id_header known = {.width = info->width, .vocab = info->vocab};
    memcpy(known.tokenizer, info->tokenizer, sizeof known.tokenizer);
    struct id_writer *out;
    TRY(id_writer_open(&kind, path, &known, &out));
    *writer = mem_zalloc(sizeof **writer);
    (*writer)->out = out;
    return ERR_OK;
}

int tokens_writer_add(struct tokens_writer *w, const uint32_t *ids, size_t n)
{
    w->count += n;
    return id_writer_add(w->out, ids, n);
}

uint64_t tokens_writer_count(const struct tokens_writer *w)
{
    return w->count;
}

int tokens_writer_seal(struct tokens_writer *w, uint64_t documents, uint64_t source_bytes)
{
    const uint64_t fact[] = {documents, source_bytes, 0};
    return id_writer_seal(w->out, w->count, fact);
}

int tokens_writer_publish(struct tokens_writer *w)
{
    struct id_writer *out = w->out;
    mem_free(w);
    return id_writer_publish(out);
}

void tokens_writer_drop(struct tokens_writer *w)
{
    if (!w)
        return;
    id_writer_drop(w->out);
    mem_free(w);
}
