#include "data/prepare.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/documents.h"
#include "data/prepare_parts.h"
#include "data/tokens.h"

enum { PIECE = 1 << 20 /* bytes encoded at a time, about */ };

struct work {
    const struct prepare_options *o;
    struct documents documents;
    struct part train, held_out;
    struct tokenizer *tokenizer;
    struct tokens_writer *train_out, *held_out_out;
    uint64_t encoded; /* bytes */
    uint64_t unknown; /* characters of the part that have no token */
};

static int make_tokenizer(struct work *w, const struct tokenizer_spec *spec)
{
    const struct documents *d = &w->documents;
    struct span *whole = mem_alloc(mem_mul(d->n, sizeof *whole));
    for (size_t i = 0; i < d->n; i++)
        whole[i] = (struct span){d->all[i].text, d->all[i].bytes};
    const int err =
        prepare_tokenizer(w->o, spec, (struct spans){w->train.spans, w->train.n},
                          (struct spans){whole, d->n}, &w->tokenizer);
    mem_free(whole);
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
        w->unknown += tokenizer_unknown(w->tokenizer, ids, n);
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
    w->unknown = 0;
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
    prepare_report_unknown(name, w->unknown);
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
    return prepare_save_tokenizer(w->o->dir, w->tokenizer);
}

static int publish(struct work *w)
{
    static const char *const other[] = {DATASET_TRAIN_PAIRS, DATASET_HELD_OUT_PAIRS};
    TRY(prepare_publish_begin(w->o->dir, other));
    struct tokens_writer *train = w->train_out, *held_out = w->held_out_out;
    w->train_out = NULL;
    TRY(tokens_writer_publish(train));
    w->held_out_out = NULL;
    TRY(tokens_writer_publish(held_out));
    return prepare_publish_end(w->o->dir);
}

static enum document_text text_for(const struct tokenizer_spec *spec)
{
    switch (spec->kind) {
    case SPEC_BYTE:
        return DOCUMENT_BYTES;
    case SPEC_CHAR:
    case SPEC_SUBWORD:
        return DOCUMENT_UTF8_NO_ZERO;
    case SPEC_GPT2:
    case SPEC_BPE:
        break;
    }
    return DOCUMENT_UTF8;
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
    const int err = publish(w);
    if (err)
        prepare_drop_tokenizer(o->dir);
    return err;
}

int prepare(const struct prepare_options *o)
{
    const double start = clock_seconds();
    struct tokenizer_spec spec;
    if (o->files_n == 0) {
        log_error("prepare: no text files given");
        return ERR_INVALID;
    }
    TRY(prepare_check_share(o->held_out));
    TRY(prepare_check_width(o->width));
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
