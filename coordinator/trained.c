#include "coordinator/trained.h"

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "coordinator/command.h"
#include "coordinator/tensors.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

static int load_tokenizer(struct trained *t)
{
    char *path = file_join(t->dir, "tokenizer.json");
    const int err = tokenizer_load(path, &t->tokenizer);
    mem_free(path);
    return err;
}

/* A manifest says that files are whole, not that they belong together. */
static int check_vocabulary(const struct trained *t)
{
    struct checkpoint_state state;
    TRY(checkpoint_read_state(t->dir, &state));
    if (state.vocab == tokenizer_vocab(t->tokenizer))
        return ERR_OK;
    log_error(
        "%s: the model has a vocabulary of %u tokens, and tokenizer.json one of %zu; "
        "it is that of another run",
        t->dir, state.vocab, tokenizer_vocab(t->tokenizer));
    return ERR_DATA;
}

static int check_kind(const struct trained *t, bool encoder)
{
    if (encoder == (t->conf.model.encoder_layers > 0))
        return ERR_OK;
    if (encoder)
        log_error(
            "%s: a decoder alone (model.encoder_layers 0) cannot translate; lockstep "
            "generate lets it write",
            t->dir);
    else
        log_error("%s: a model with an encoder (model.encoder_layers %u) has nothing to "
                  "say without a source; use lockstep translate",
                  t->dir, t->conf.model.encoder_layers);
    return ERR_DATA;
}

static int load(struct trained *t, const struct trained_from *from)
{
    const char *name;
    TRY(gemm_start(NULL, &name));
    TRY(rows_start(NULL, &name));
    TRY(command_checkpoint_conf(t->dir, &t->conf));
    TRY(conf_check(&t->conf));
    TRY(check_kind(t, from->encoder));
    TRY(load_tokenizer(t));
    TRY(check_vocabulary(t));
    TRY(transformer_init(&t->model, &t->conf.model, tokenizer_vocab(t->tokenizer)));
    if (t->conf.train.compute == COMPUTE_BFLOAT16)
        t->model.precision = GEMM_BFLOAT16;
    if (from->no_parameters)
        return ERR_OK;
    t->theta = mem_slab(t->model.count * sizeof *t->theta);
    return tensors_load_model(t->dir, &t->model, from->ema, t->theta);
}

int trained_open(struct trained *t, const struct trained_from *from)
{
    *t = (struct trained){0};
    int err = command_find_checkpoint(from->path, from->step, &t->dir);
    if (!err)
        err = load(t, from);
    if (err)
        trained_close(t);
    return err;
}

void trained_close(struct trained *t)
{
    if (t->theta)
        mem_slab_free(t->theta, t->model.count * sizeof *t->theta);
    transformer_fini(&t->model);
    if (t->tokenizer)
        tokenizer_free(t->tokenizer);
    mem_free(t->dir);
    *t = (struct trained){0};
}
