#include "data/parallel.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/id_file.h"
#include "text/ids.h"

static const struct id_file_kind kind = {"LSTPAIRS", "pairs file"};

enum { SOURCE_TOKENS, TARGET_TOKENS, TARGET_BYTES }; /* facts of the header */
enum { INDEX = 8 /* bytes of the index per pair */ };

struct parallel {
    struct id_file file;
    uint64_t *start; /* [count]: bytes from the start of the file to the source of each */
    struct parallel_info info;
};

static struct parallel_info info_of(const struct id_header *h)
{
    struct parallel_info info = {.width = h->width,
                                 .vocab = h->vocab,
                                 .count = h->count,
                                 .source_tokens = h->fact[SOURCE_TOKENS],
                                 .target_tokens = h->fact[TARGET_TOKENS],
                                 .target_bytes = h->fact[TARGET_BYTES]};
    memcpy(info.tokenizer, h->tokenizer, sizeof info.tokenizer);
    return info;
}

/* Each number is held against what there is before it is multiplied or added. */
static int check_length(const struct parallel *p)
{
    const struct parallel_info *info = &p->info;
    uint64_t left = p->file.bytes - ID_FILE_HEADER;
    if (info->count <= left / INDEX) {
        left -= info->count * INDEX;
        const uint64_t tokens = left / info->width;
        if (left % info->width == 0 && info->source_tokens <= tokens &&
            info->target_tokens == tokens - info->source_tokens)
            return ERR_OK;
    }
    log_error("%s: damaged: it has %zu bytes, expected %d, %d for each of %llu pairs and "
              "%u for each of %llu source and %llu target tokens; run `lockstep prepare` "
              "again",
              p->file.path, p->file.bytes, ID_FILE_HEADER, INDEX,
              (unsigned long long)info->count, info->width,
              (unsigned long long)info->source_tokens,
              (unsigned long long)info->target_tokens);
    return ERR_CORRUPT;
}

void parallel_lengths(const struct parallel *p, uint64_t i, uint32_t *source,
                      uint32_t *target)
{
    assert(i < p->info.count);
    uint32_t length[2];
    memcpy(length, p->file.map + ID_FILE_HEADER + i * INDEX, sizeof length);
    *source = le32toh(length[0]);
    *target = le32toh(length[1]);
}

static uint32_t longer(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static int bad_index(const struct parallel *p, uint64_t i, const char *what)
{
    log_error("%s: not a valid pairs file: %s pair %llu; run `lockstep prepare` again",
              p->file.path, what, (unsigned long long)i);
    return ERR_DATA;
}

/* Sums grow by less than 2^32 a pair and are compared after each, so they stay in 64
 * bits; that they end where they must puts each pair inside the file. */
static int read_index(struct parallel *p)
{
    struct parallel_info *info = &p->info;
    uint64_t sources = 0, targets = 0;
    const uint64_t first = ID_FILE_HEADER + info->count * INDEX;
    p->start = mem_alloc(mem_mul(info->count, sizeof *p->start));
    for (uint64_t i = 0; i < info->count; i++) {
        uint32_t source, target;
        parallel_lengths(p, i, &source, &target);
        if (source == 0 || target == 0)
            return bad_index(p, i, "no tokens in");
        p->start[i] = first + (sources + targets) * info->width;
        sources += source;
        targets += target;
        if (sources > info->source_tokens || targets > info->target_tokens)
            return bad_index(p, i, "more tokens than its header says from");
        info->longest_source = longer(info->longest_source, source);
        info->longest_target = longer(info->longest_target, target);
    }
    if (sources != info->source_tokens || targets != info->target_tokens)
        return bad_index(p, info->count, "fewer tokens than its header says before");
    return ERR_OK;
}

static int open_checked(struct parallel *p, const char *path)
{
    TRY(id_file_open(&p->file, &kind, path));
    p->info = info_of(&p->file.header);
    TRY(check_length(p));
    TRY(id_file_check_data(&p->file));
    TRY(read_index(p));
    return id_file_check_range(&p->file, ID_FILE_HEADER + p->info.count * INDEX,
                               p->info.source_tokens + p->info.target_tokens);
}

int parallel_open(const char *path, struct parallel **p)
{
    struct parallel *opened = mem_zalloc(sizeof *opened);
    const int err = open_checked(opened, path);
    if (err) {
        parallel_close(opened);
        return err;
    }
    *p = opened;
    return ERR_OK;
}

void parallel_close(struct parallel *p)
{
    if (!p)
        return;
    id_file_close(&p->file);
    mem_free(p->start);
    mem_free(p);
}

const struct parallel_info *parallel_info(const struct parallel *p)
{
    return &p->info;
}

const char *parallel_path(const struct parallel *p)
{
    return p->file.path;
}

void parallel_get(const struct parallel *p, uint64_t i, uint32_t *source,
                  uint32_t *target)
{
    uint32_t s, t;
    parallel_lengths(p, i, &s, &t);
    id_file_get(&p->file, p->start[i], s, source);
    id_file_get(&p->file, p->start[i] + (uint64_t)s * p->info.width, t, target);
}

/* --- writing -------------------------------------------------------------------------
 */

struct parallel_writer {
    struct id_writer *out;
    struct parallel_info info;
    struct ids lengths, tokens;
};

static void append(struct ids *list, const uint32_t *numbers, size_t n)
{
    memcpy(ids_reserve(list, n), numbers, n * sizeof *numbers);
    list->n += n;
}

int parallel_writer_open(const char *path, const struct parallel_info *info,
                         struct parallel_writer **writer)
{
    struct id_header known = {.width = info->width, .vocab = info->vocab};
    memcpy(known.tokenizer, info->tokenizer, sizeof known.tokenizer);
    struct id_writer *out;
    TRY(id_writer_open(&kind, path, &known, &out));
    struct parallel_writer *w = mem_zalloc(sizeof *w);
    w->out = out;
    w->info = info_of(&known);
    *writer = w;
    return ERR_OK;
}

void parallel_writer_add(struct parallel_writer *w, const uint32_t *source,
                         uint32_t source_n, const uint32_t *target, uint32_t target_n)
{
    assert(source_n >= 1);
    assert(target_n >= 1);
    append(&w->lengths, (const uint32_t[]){source_n, target_n}, 2);
    append(&w->tokens, source, source_n);
    append(&w->tokens, target, target_n);
    w->info.count++;
    w->info.source_tokens += source_n;
    w->info.target_tokens += target_n;
    w->info.longest_source = longer(w->info.longest_source, source_n);
    w->info.longest_target = longer(w->info.longest_target, target_n);
}

const struct parallel_info *parallel_writer_info(const struct parallel_writer *w)
{
    return &w->info;
}

int parallel_writer_seal(struct parallel_writer *w, uint64_t target_bytes)
{
    const uint64_t fact[] = {[SOURCE_TOKENS] = w->info.source_tokens,
                             [TARGET_TOKENS] = w->info.target_tokens,
                             [TARGET_BYTES] = target_bytes};
    w->info.target_bytes = target_bytes;
    TRY(id_writer_add_u32(w->out, w->lengths.at, w->lengths.n));
    TRY(id_writer_add(w->out, w->tokens.at, w->tokens.n));
    return id_writer_seal(w->out, w->info.count, fact);
}

static struct id_writer *release(struct parallel_writer *w)
{
    struct id_writer *out = w->out;
    ids_fini(&w->lengths);
    ids_fini(&w->tokens);
    mem_free(w);
    return out;
}

int parallel_writer_publish(struct parallel_writer *w)
{
    return id_writer_publish(release(w));
}

void parallel_writer_drop(struct parallel_writer *w)
{
    if (w)
        id_writer_drop(release(w));
}
