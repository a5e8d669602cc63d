#include "data/dataset.h"

#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

static int open_tokens(const char *dir, const char *name,
                       const struct tokenizer *tokenizer, struct tokens **t)
{
    char *path = file_join(dir, name);
    struct tokens *opened = NULL;
    int err = tokens_open(path, &opened);
    if (!err) {
        char hash[HASH_HEX];
        tokenizer_hash(tokenizer, hash);
        if (strcmp(hash, tokens_info(opened)->tokenizer) != 0 ||
            tokens_info(opened)->vocab != tokenizer_vocab(tokenizer)) {
            log_error(
                "%s was made with another tokenizer than the %s beside it: hash %s, "
                "expected %s; run `lockstep prepare` again",
                path, DATASET_TOKENIZER, tokens_info(opened)->tokenizer, hash);
            err = ERR_DATA;
        }
    }
    mem_free(path);
    if (err) {
        tokens_close(opened);
        return err;
    }
    *t = opened;
    return ERR_OK;
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

int dataset_open(struct dataset *d, const char *dir)
{
    struct dataset opened = {0};
    int err = open_tokenizer(dir, &opened.tokenizer);
    if (!err)
        err = open_tokens(dir, DATASET_TRAIN, opened.tokenizer, &opened.train);
    if (!err)
        err = open_tokens(dir, DATASET_HELD_OUT, opened.tokenizer, &opened.held_out);
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
    tokenizer_free(d->tokenizer);
    *d = (struct dataset){0};
}
