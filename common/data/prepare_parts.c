#include "data/prepare_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/dataset.h"

#define DRAFT_TOKENIZER DATASET_TOKENIZER ".new"

int prepare_check_share(double held_out)
{
    if (held_out > 0 && held_out < 1)
        return ERR_OK;
    log_error("--held-out %g: expected a share above 0 and below 1, for example 0.1",
              held_out);
    return ERR_RANGE;
}

int prepare_check_width(uint32_t width)
{
    if (width == 0 || width == 2 || width == 4)
        return ERR_OK;
    log_error("prepare: %u bytes per token: expected 2 or 4", width);
    return ERR_RANGE;
}

static void report_learning(void *ctx, size_t done, size_t wanted)
{
    const struct prepare_options *o = ctx;
    o->progress(o->progress_ctx, "learning", done, wanted);
}

int prepare_tokenizer(const struct prepare_options *o, const struct tokenizer_spec *spec,
                      struct spans train, struct spans whole, struct tokenizer **t)
{
    switch (spec->kind) {
    case SPEC_BYTE:
        *t = tokenizer_byte();
        return ERR_OK;
    case SPEC_GPT2:
        return tokenizer_gpt2(spec->dir, t);
    case SPEC_BPE:
        return tokenizer_train(
            train.at, train.n,
            &(struct tokenizer_training){.vocab = spec->vocab,
                                         .progress = o->progress ? report_learning : NULL,
                                         .progress_ctx = (void *)o},
            t);
    case SPEC_SUBWORD:
        return tokenizer_subwords(train.at, train.n,
                                  &(struct tokenizer_subwords){
                                      .codes = spec->codes,
                                      .merges = spec->merges,
                                      .progress = o->progress ? report_learning : NULL,
                                      .progress_ctx = (void *)o},
                                  t);
    case SPEC_CHAR:
        break;
    }
    return tokenizer_char(whole.at, whole.n, t);
}

void prepare_report_unknown(const char *name, uint64_t unknown)
{
    if (unknown)
        log_warn("prepare: %s: unknown characters %llu, which the training part does not "
                 "have: they are <unk>",
                 name, (unsigned long long)unknown);
}

int prepare_save_tokenizer(const char *dir, const struct tokenizer *t)
{
    char *path = file_join(dir, DRAFT_TOKENIZER);
    const int err = tokenizer_save(t, path);
    mem_free(path);
    return err;
}

static int remove_file(const char *dir, const char *name)
{
    char *path = file_join(dir, name);
    int err = ERR_OK;
    if (unlink(path) != 0 && errno != ENOENT) {
        log_error("could not remove %s: %s", path, strerror(errno));
        err = err_from_errno(errno);
    }
    mem_free(path);
    return err;
}

int prepare_publish_begin(const char *dir, const char *const other[2])
{
    TRY(remove_file(dir, DATASET_TOKENIZER));
    TRY(file_sync_dir(dir));
    TRY(remove_file(dir, other[0]));
    return remove_file(dir, other[1]);
}

int prepare_publish_end(const char *dir)
{
    char *draft = file_join(dir, DRAFT_TOKENIZER),
         *path = file_join(dir, DATASET_TOKENIZER);
    int err = ERR_OK;
    if (rename(draft, path) != 0) {
        log_error("could not rename %s to %s: %s", draft, path, strerror(errno));
        err = err_from_errno(errno);
    }
    mem_free(draft);
    mem_free(path);
    return err ? err : file_sync_dir(dir);
}

void prepare_drop_tokenizer(const char *dir)
{
    char *draft = file_join(dir, DRAFT_TOKENIZER);
    unlink(draft);
    mem_free(draft);
}
