#include "data/dataset.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* @hash and @vocab: as the file @path says that its tokenizer has. */
static int check_tokenizer(const struct tokenizer *tokenizer, const char *path,
                           const char hash[HASH_HEX], uint64_t vocab)
{
    char expected[HASH_HEX];
    tokenizer_hash(tokenizer, expected);
    if (strcmp(hash, expected) == 0 && vocab == tokenizer_vocab(tokenizer))
        return ERR_OK;
    log_error("%s was made with another tokenizer than the %s beside it: hash %s, "
              "expected %s; run `lockstep prepare` again",
              path, DATASET_TOKENIZER, hash, expected);
    return ERR_DATA;
}

static int open_tokens(const char *dir, const char *name,
                       const struct tokenizer *tokenizer, struct tokens **t)
{
    char *path = file_join(dir, name);
    int err = tokens_open(path, t);
    if (!err)
        err = check_tokenizer(tokenizer, path, tokens_info(*t)->tokenizer,
                              tokens_info(*t)->vocab);
    mem_free(path);
    return err;
}

static int open_pairs(const char *dir, const char *name,
                      const struct tokenizer *tokenizer, struct parallel **p)
{
    char *path = file_join(dir, name);
    int err = parallel_open(path, p);
    if (!err)
        err = check_tokenizer(tokenizer, path, parallel_info(*p)->tokenizer,
                              parallel_info(*p)->vocab);
    mem_free(path);
    return err;
}

static int open_text(struct dataset *d, const char *dir)
{
    TRY(open_tokens(dir, DATASET_TRAIN, d->tokenizer, &d->train));
    return open_tokens(dir, DATASET_HELD_OUT, d->tokenizer, &d->held_out);
}

static int open_parallel(struct dataset *d, const char *dir)
{
    uint32_t end;
    if (!tokenizer_end_of_text(d->tokenizer, &end)) {
        log_error("%s: its %s has no end of text, which has to end the sentences of a "
                  "parallel text; run `lockstep prepare` again",
                  dir, DATASET_TOKENIZER);
        return ERR_DATA;
    }
    TRY(open_pairs(dir, DATASET_TRAIN_PAIRS, d->tokenizer, &d->train_pairs));
    return open_pairs(dir, DATASET_HELD_OUT_PAIRS, d->tokenizer, &d->held_out_pairs);
}

static int open_tokenizer(const char *dir, struct tokenizer **t)
{
    char *path = file_join(dir, DATASET_TOKENIZER);
    int err = ERR_NO_FILE;
    if (file_exists(path))
        err = tokenizer_load(path, t);
    else
        log_error(
            "could not open the data: there is no %s; run `lockstep prepare`, or run "
            "it again if it did not finish",
            path);
    mem_free(path);
    return err;
}

static bool has(const char *dir, const char *one, const char *other)
{
    char *a = file_join(dir, one), *b = file_join(dir, other);
    const bool there = file_exists(a) || file_exists(b);
    mem_free(a);
    mem_free(b);
    return there;
}

static int open_all(struct dataset *d, const char *dir)
{
    TRY(open_tokenizer(dir, &d->tokenizer));
    const bool text = has(dir, DATASET_TRAIN, DATASET_HELD_OUT),
               parallel = has(dir, DATASET_TRAIN_PAIRS, DATASET_HELD_OUT_PAIRS);
    if (text && parallel) {
        log_error(
            "%s: there are files of a text, %s, and of a parallel text, %s, so it is "
            "not clear which is meant; run `lockstep prepare` again",
            dir, DATASET_TRAIN, DATASET_TRAIN_PAIRS);
        return ERR_DATA;
    }
    return parallel ? open_parallel(d, dir) : open_text(d, dir);
}

int dataset_open(struct dataset *d, const char *dir)
{
    struct dataset opened = {0};
    const int err = open_all(&opened, dir);
    if (err) {
        dataset_close(&opened);
        return err;
    }
    *d = opened;
    return ERR_OK;
}

void dataset_close(struct dataset *d)
{
    tokens_close(d->train);
    tokens_close(d->held_out);
    parallel_close(d->train_pairs);
    parallel_close(d->held_out_pairs);
    tokenizer_free(d->tokenizer);
    *d = (struct dataset){0};
}
