#include "data/prepare.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/documents.h"
#include "data/tokens.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"

enum { PIECE = 1 << 20 /* bytes encoded at a time, about */ };

#define DRAFT_TOKENIZER DATASET_TOKENIZER ".new"

struct work {
    const struct prepare_options *o;
    struct documents documents;
    struct part train, held_out;
    struct tokenizer *tokenizer;
    struct tokens_writer *train_out, *held_out_out;
    uint64_t encoded; /* bytes */
};

static int check_options(const struct prepare_options *o)
{
    if (o->files_n == 0) {
        log_error("prepare: no text files given");
        return ERR_INVALID;
    }
    if (!(o->held_out > 0 && o->held_out < 1)) {
        log_error("--held-out %g: expected a share above 0 and below 1, for example 0.1",
                  o->held_out);
        return ERR_RANGE;
    }
    if (o->width != 0 && o->width != 2 && o->width != 4) {
        log_error("prepare: %u bytes per token: expected 2 or 4", o->width);
        return ERR_RANGE;
    }
    return ERR_OK;
}

static void report_learning(void *ctx, size_t tokens, size_t wanted)
{
    const struct prepare_options *o = ctx;
    o->progress(o->progress_ctx, "learning", tokens, wanted);
}

static int make_tokenizer(struct work *w, const struct tokenizer_spec *spec)
{
    const struct part *train = &w->train;
    switch (spec->kind) {
    case SPEC_BYTE:
        w->tokenizer = tokenizer_byte();
        return ERR_OK;
    case SPEC_GPT2:
        return tokenizer_gpt2(spec->dir, &w->tokenizer);
    case SPEC_BPE:
        return tokenizer_train(train->spans, train->n,
                               &(struct tokenizer_training){
                                   .vocab = spec->vocab,
                                   .progress = w->o->progress ? report_learning : NULL,
                                   .progress_ctx = (void *)w->o},
                               &w->tokenizer);
    case SPEC_CHAR:
        break;
    }
    struct part whole, none;
    documents_split(&w->documents, w->documents.units, &whole, &none);
    const int err = tokenizer_char(whole.spans, whole.n, &w->tokenizer);
    part_fini(&whole);
    part_fini(&none);
    return err;
}

static int encode_span(struct work *w, struct span span, struct tokens_writer *out)
{
    for (size_t at = 0, end; at < span.bytes; at = end) {
        end = span.bytes - at <= PIECE
                  ? span.bytes
                  : tokenizer_cut(w->tokenizer, span.text, span.bytes, at + PIECE);
        uint32_t *ids;
        size_t n;
        TRY(tokenizer_encode(w->tokenizer, span.text + at, end - at, &ids, &n));
        const int err = tokens_writer_add(out, ids, n);
        mem_free(ids);
        TRY(err);
        w->encoded += end - at;
        if (w->o->progress)
            w->o->progress(w->o->progress_ctx, "encoding", w->encoded,
                           w->documents.bytes);
    }
    return ERR_OK;
}

static int encode_part(struct work *w, const struct part *part, const char *name,
                       struct tokens_writer *out)
{
    uint32_t end;
    const bool mark = w->documents.n > 1 && tokenizer_end_of_text(w->tokenizer, &end);
    for (size_t i = 0; i < part->n; i++) {
        TRY(encode_span(w, part->spans[i], out));
        if (mark && part->ends[i])
            TRY(tokens_writer_add(out, &end, 1));
    }
    const uint64_t tokens = tokens_writer_count(out);
    if (tokens < 2) {
        log_error(
            "the text is too short to be split: %s would have %llu tokens of all its "
            "%llu characters, expected at least 2; give more text or another "
            "--held-out than %g",
            name, (unsigned long long)tokens, (unsigned long long)w->documents.units,
            w->o->held_out);
        return ERR_DATA;
    }
    TRY(tokens_writer_seal(out, part->n, part->bytes));
    log_info("prepare: %s %llu bytes, %llu tokens, %.3f bytes per token", name,
             (unsigned long long)part->bytes, (unsigned long long)tokens,
             (double)part->bytes / (double)tokens);
    return ERR_OK;
}

static int open_writer(struct work *w, const char *name, struct tokens_writer **out)
{
    struct tokens_info info = {.width = w->o->width,
                               .vocab = tokenizer_vocab(w->tokenizer)};
    tokenizer_hash(w->tokenizer, info.tokenizer);
    char *path = file_join(w->o->dir, name);
    const int err = tokens_writer_open(path, &info, out);
    mem_free(path);
    return err;
}

static int write_drafts(struct work *w)
{
    TRY(file_make_dirs(w->o->dir));
    TRY(open_writer(w, DATASET_TRAIN, &w->train_out));
    TRY(open_writer(w, DATASET_HELD_OUT, &w->held_out_out));
    TRY(encode_part(w, &w->train, DATASET_TRAIN, w->train_out));
    TRY(encode_part(w, &w->held_out, DATASET_HELD_OUT, w->held_out_out));
    char *path = file_join(w->o->dir, DRAFT_TOKENIZER);
    const int err = tokenizer_save(w->tokenizer, path);
    mem_free(path);
    return err;
}

static int publish_tokenizer(const char *dir, const char *draft, const char *path)
{
    if (rename(draft, path) != 0) {
        log_error("could not rename %s to %s: %s", draft, path, strerror(errno));
        return err_from_errno(errno);
    }
    return file_sync_dir(dir);
}

/* The old tokenizer.json goes first and the new one comes last: a folder that has one has
 * three files that belong together. */
static int publish(struct work *w, const char *draft, const char *path)
{
    const char *dir = w->o->dir;
    if (unlink(path) != 0 && errno != ENOENT) {
        log_error("could not remove %s: %s", path, strerror(errno));
        return err_from_errno(errno);
    }
    TRY(file_sync_dir(dir));
    struct tokens_writer *train = w->train_out, *held_out = w->held_out_out;
    w->train_out = NULL;
    int err = tokens_writer_publish(train);
    if (err)
        return err;
    w->held_out_out = NULL;
    TRY(tokens_writer_publish(held_out));
    return publish_tokenizer(dir, draft, path);
}

static int publish_all(struct work *w)
{
    char *draft = file_join(w->o->dir, DRAFT_TOKENIZER);
    char *path = file_join(w->o->dir, DATASET_TOKENIZER);
    const int err = publish(w, draft, path);
    if (err)
        unlink(draft);
    mem_free(draft);
    mem_free(path);
    return err;
}

static enum document_text text_for(const struct tokenizer_spec *spec)
{
    return spec->kind == SPEC_BYTE   ? DOCUMENT_BYTES
           : spec->kind == SPEC_CHAR ? DOCUMENT_UTF8_NO_ZERO
                                     : DOCUMENT_UTF8;
}

static int run(struct work *w, const struct tokenizer_spec *spec)
{
    const struct prepare_options *o = w->o;
    TRY(documents_read(&w->documents, o->files, o->files_n, text_for(spec),
                       o->limit ? o->limit : PREPARE_LIMIT));
    const uint64_t units = w->documents.units;
    documents_split(&w->documents, (uint64_t)((double)units * (1 - o->held_out)),
                    &w->train, &w->held_out);
    TRY(make_tokenizer(w, spec));
    TRY(write_drafts(w));
    return publish_all(w);
}

int prepare(const struct prepare_options *o)
{
    const double start = clock_seconds();
    struct tokenizer_spec spec;
    TRY(check_options(o));
    TRY(tokenizer_spec_parse(o->tokenizer, &spec));

    struct work w = {.o = o};
    const int err = run(&w, &spec);
    if (!err)
        log_info("prepare: %s ready, vocabulary %zu, in %.1f s", o->dir,
                 tokenizer_vocab(w.tokenizer), clock_seconds() - start);
    tokens_writer_drop(w.train_out);
    tokens_writer_drop(w.held_out_out);
    tokenizer_free(w.tokenizer);
    part_fini(&w.train);
    part_fini(&w.held_out);
    documents_fini(&w.documents);
    return err;
}
