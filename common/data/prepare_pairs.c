#include "data/prepare_pairs.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/parallel.h"
#include "data/prepare_parts.h"

struct pairs_part {
    struct sentences *from;
    size_t first, n; /* of from->all */
    struct parallel_writer *out;
};

struct work {
    const struct prepare_pairs_options *o;
    struct sentences sentences, given; /* given: the held-out files, if any */
    struct pairs_part train, held_out;
    struct tokenizer *tokenizer;
    uint64_t encoded; /* bytes */
    uint64_t unknown; /* characters of the part that have no token */
};

static int check_options(const struct prepare_pairs_options *o)
{
    if (o->inputs_n == 0) {
        log_error("prepare: no files of sentences given");
        return ERR_INVALID;
    }
    if (o->max_length < 1) {
        log_error("--max-length 0: expected at least 1 token");
        return ERR_RANGE;
    }
    if (o->held_out_n == 0)
        TRY(prepare_check_share(o->common.held_out));
    return prepare_check_width(o->common.width);
}

static int read_all(struct work *w)
{
    const struct prepare_pairs_options *o = w->o;
    const uint64_t limit = o->common.limit ? o->common.limit : PREPARE_LIMIT;
    struct sentences *all = &w->sentences;
    TRY(sentences_read(all, o->inputs, o->inputs_n, limit));
    if (o->held_out_n > 0) {
        TRY(sentences_read(&w->given, o->held_out, o->held_out_n, limit));
        w->train = (struct pairs_part){.from = all, .n = all->n};
        w->held_out = (struct pairs_part){.from = &w->given, .n = w->given.n};
        return ERR_OK;
    }
    const size_t train = (size_t)((double)all->n * (1 - o->common.held_out));
    w->train = (struct pairs_part){.from = all, .n = train};
    w->held_out = (struct pairs_part){.from = all, .first = train, .n = all->n - train};
    return ERR_OK;
}

static size_t add_spans(const struct pairs_part *part, struct span *spans)
{
    const struct sentence_pair *pairs = part->from->all + part->first;
    for (size_t i = 0; i < part->n; i++) {
        spans[2 * i] = pairs[i].source;
        spans[2 * i + 1] = pairs[i].target;
    }
    return 2 * part->n;
}

static int check_end(const struct work *w)
{
    uint32_t end;
    if (tokenizer_end_of_text(w->tokenizer, &end))
        return ERR_OK;
    log_error("--tokenizer %s has no end of text, which has to end the sentences of a "
              "parallel text; use bpe:SIZE, for example bpe:8192, subword:MERGES or gpt2:DIR",
              w->o->common.tokenizer);
    return ERR_INVALID;
}

static int make_tokenizer(struct work *w, const struct tokenizer_spec *spec)
{
    struct span *spans =
        mem_alloc(mem_mul(2 * (w->train.n + w->held_out.n), sizeof *spans));
    const size_t train = add_spans(&w->train, spans),
                 held_out = add_spans(&w->held_out, spans + train);
    const int err =
        prepare_tokenizer(&w->o->common, spec, (struct spans){spans, train},
                          (struct spans){spans, train + held_out}, &w->tokenizer);
    mem_free(spans);
    return err ? err : check_end(w);
}

/* --- encoding ------------------------------------------------------------------------
 */

/* The reason to leave the pair out, or LEFT_OUT_REASONS. */
static enum left_out_reason reason_of(size_t source, size_t target, uint32_t max_length)
{
    if (source == 0)
        return LEFT_OUT_EMPTY_SOURCE;
    if (target == 0)
        return LEFT_OUT_EMPTY_TARGET;
    return source > max_length || target > max_length ? LEFT_OUT_TOO_LONG
                                                      : LEFT_OUT_REASONS;
}

static int encode_pair(struct work *w, struct pairs_part *part,
                       const struct sentence_pair *pair, uint64_t *target_bytes)
{
    uint32_t *source, *target;
    size_t source_n, target_n;
    TRY(tokenizer_encode(w->tokenizer, pair->source.text, pair->source.bytes, &source,
                         &source_n));
    const int err = tokenizer_encode(w->tokenizer, pair->target.text, pair->target.bytes,
                                     &target, &target_n);
    if (err) {
        mem_free(source);
        return err;
    }
    w->unknown += tokenizer_unknown(w->tokenizer, source, source_n) +
                  tokenizer_unknown(w->tokenizer, target, target_n);
    const enum left_out_reason reason = reason_of(source_n, target_n, w->o->max_length);
    if (reason == LEFT_OUT_REASONS) {
        parallel_writer_add(part->out, source, (uint32_t)source_n, target,
                            (uint32_t)target_n);
        *target_bytes += pair->target.bytes;
    } else
        sentences_leave_out(part->from, reason, pair);
    mem_free(source);
    mem_free(target);
    w->encoded += pair->source.bytes + pair->target.bytes;
    return ERR_OK;
}

static void say_part(const struct parallel_info *i, const char *name)
{
    log_info("prepare: %s %llu pairs, %llu source and %llu target tokens, longest %u and "
             "%u, %.3f bytes per target token",
             name, (unsigned long long)i->count, (unsigned long long)i->source_tokens,
             (unsigned long long)i->target_tokens, i->longest_source, i->longest_target,
             (double)i->target_bytes / (double)i->target_tokens);
}

static int encode_part(struct work *w, struct pairs_part *part, const char *name)
{
    const struct prepare_options *o = &w->o->common;
    uint64_t target_bytes = 0;
    w->unknown = 0;
    for (size_t i = 0; i < part->n; i++) {
        TRY(encode_pair(w, part, &part->from->all[part->first + i], &target_bytes));
        if (o->progress)
            o->progress(o->progress_ctx, "encoding", w->encoded,
                        w->sentences.bytes + w->given.bytes);
    }
    if (parallel_writer_info(part->out)->count == 0) {
        log_error(
            "no pairs for %s: there are %zu with two sentences, of at most %u tokens "
            "none; give more text, another --held-out or a larger --max-length",
            name, part->n, w->o->max_length);
        return ERR_DATA;
    }
    TRY(parallel_writer_seal(part->out, target_bytes));
    say_part(parallel_writer_info(part->out), name);
    prepare_report_unknown(name, w->unknown);
    return ERR_OK;
}

static int open_writer(struct work *w, const char *name, struct parallel_writer **out)
{
    struct parallel_info info = {.width = w->o->common.width,
                                 .vocab = tokenizer_vocab(w->tokenizer)};
    tokenizer_hash(w->tokenizer, info.tokenizer);
    char *path = file_join(w->o->common.dir, name);
    const int err = parallel_writer_open(path, &info, out);
    mem_free(path);
    return err;
}

static int write_drafts(struct work *w)
{
    const char *dir = w->o->common.dir;
    TRY(file_make_dirs(dir));
    TRY(open_writer(w, DATASET_TRAIN_PAIRS, &w->train.out));
    TRY(open_writer(w, DATASET_HELD_OUT_PAIRS, &w->held_out.out));
    int err = encode_part(w, &w->train, DATASET_TRAIN_PAIRS);
    if (!err)
        err = encode_part(w, &w->held_out, DATASET_HELD_OUT_PAIRS);
    sentences_report(&w->sentences, w->o->max_length);
    sentences_report(&w->given, w->o->max_length);
    return err ? err : prepare_save_tokenizer(dir, w->tokenizer);
}

static int publish(struct work *w)
{
    static const char *const other[] = {DATASET_TRAIN, DATASET_HELD_OUT};
    const char *dir = w->o->common.dir;
    TRY(prepare_publish_begin(dir, other));
    struct parallel_writer *train = w->train.out, *held_out = w->held_out.out;
    w->train.out = NULL;
    TRY(parallel_writer_publish(train));
    w->held_out.out = NULL;
    TRY(parallel_writer_publish(held_out));
    return prepare_publish_end(dir);
}

static int run(struct work *w, const struct tokenizer_spec *spec)
{
    TRY(read_all(w));
    TRY(make_tokenizer(w, spec));
    TRY(write_drafts(w));
    const int err = publish(w);
    if (err)
        prepare_drop_tokenizer(w->o->common.dir);
    return err;
}

int prepare_pairs(const struct prepare_pairs_options *o)
{
    const double start = clock_seconds();
    struct tokenizer_spec spec;
    TRY(check_options(o));
    TRY(tokenizer_spec_parse(o->common.tokenizer, &spec));

    struct work w = {.o = o};
    const int err = run(&w, &spec);
    if (!err)
        log_info("prepare: %s ready, vocabulary %zu, in %.1f s", o->common.dir,
                 tokenizer_vocab(w.tokenizer), clock_seconds() - start);
    parallel_writer_drop(w.train.out);
    parallel_writer_drop(w.held_out.out);
    tokenizer_free(w.tokenizer);
    sentences_fini(&w.given);
    sentences_fini(&w.sentences);
    return err;
}
