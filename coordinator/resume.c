#include "coordinator/resume.h"

#include <string.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/journal.h"
#include "coordinator/saver.h"
#include "coordinator/tensors.h"
#include "data/dataset.h"

enum { CONF_MAX = 1 << 20 };

/* The configuration a checkpoint was trained with must give the same steps. */
static int compare_conf(const char *dir, const struct conf *conf)
{
    char *path = file_join(dir, "run.yaml"), *text;
    size_t bytes;
    int err = file_read(path, CONF_MAX, &text, &bytes);
    if (!err) {
        struct conf before;
        conf_init(&before);
        err = conf_load_text(&before, text, bytes, path);
        if (!err)
            err = conf_check(&before);
        if (!err && conf_differences(&before, path, conf, "this start") > 0) {
            log_error("%s: the run was started with another configuration (above); start "
                      "with the same, or choose another run.dir",
                      dir);
            err = ERR_CONFIG;
        }
        mem_free(text);
    }
    mem_free(path);
    return err;
}

/* Ids mean what they meant to those who trained the checkpoint @dir; @what names it. */
static int check_vocabulary(const char *what, const char *dir, uint32_t size,
                            const struct conf *conf, const struct vocabulary *vocabulary)
{
    struct tokenizer *own;
    char *path = file_join(dir, DATASET_TOKENIZER), hash[HASH_HEX];
    const int err = tokenizer_load(path, &own);
    mem_free(path);
    if (err)
        return err;
    tokenizer_hash(own, hash);
    tokenizer_free(own);
    if (size != vocabulary->size) {
        log_error("%s%s: its vocabulary has %u tokens and that of %s has %u; use data "
                  "prepared with the same tokenizer",
                  what, dir, size, conf->data.dir, vocabulary->size);
        return ERR_CONFIG;
    }
    if (strcmp(hash, vocabulary->hash) != 0) {
        log_error("%s%s: its vocabulary is another than that of %s, though both have %u "
                  "tokens (tokenizer.json has hash %s, there %s); use data prepared with "
                  "the same tokenizer",
                  what, dir, conf->data.dir, size, hash, vocabulary->hash);
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static int load_state(const struct conf *conf, const struct vocabulary *vocabulary,
                      struct store *store, struct resume *r)
{
    TRY(checkpoint_read_state(r->dir, &r->state));
    TRY(check_vocabulary("", r->dir, r->state.vocab, conf, vocabulary));
    store->version = r->state.step;
    return ERR_OK;
}

static int load(const struct conf *conf, const struct vocabulary *vocabulary,
                const struct transformer *model, struct store *store, struct resume *r)
{
    TRY(load_state(conf, vocabulary, store, r));
    TRY(compare_conf(r->dir, conf));
    return saver_load(r->dir, model, store);
}

int resume_checkpoint(const char *dir, bool ema, const struct conf *conf,
                      const struct vocabulary *vocabulary,
                      const struct transformer *model, struct store *store,
                      struct resume *r)
{
    *r = (struct resume){.found = true, .dir = mem_strdup(dir)};
    TRY(load_state(conf, vocabulary, store, r));
    return tensors_load_model(dir, model, ema, store->theta);
}

/* The checkpoint that run.from names: itself, or the newest of a run. */
static int find_from(const char *from, char **dir)
{
    char *manifest = file_join(from, "MANIFEST");
    const bool itself = file_exists(manifest);
    mem_free(manifest);
    if (itself) {
        TRY(checkpoint_verify(from));
        *dir = mem_strdup(from);
        return ERR_OK;
    }
    const int err = checkpoint_find(from, UINT64_MAX, dir);
    if (err == ERR_NO_FILE)
        log_error("run.from %s: there is no checkpoint", from);
    return err;
}

/* A new run: nothing but parameters comes from elsewhere. */
static int begin(const struct conf *conf, const struct vocabulary *vocabulary,
                 const struct transformer *model, struct store *store)
{
    struct checkpoint_state from;
    char *dir;
    if (!*conf->run.from) {
        transformer_init_params(model, store->theta, conf->train.seed);
        return ERR_OK;
    }
    TRY(find_from(conf->run.from, &dir));
    int err = checkpoint_read_state(dir, &from);
    if (!err)
        err = check_vocabulary("run.from ", dir, from.vocab, conf, vocabulary);
    if (!err)
        err = tensors_load_model(dir, model, false, store->theta);
    if (!err)
        log_info("parameters from %s", dir);
    mem_free(dir);
    return err;
}

/* --- turns -----------------------------------------------------------------------------
 */

static void take_turn(void *ctx, const struct journal_record *r)
{
    if (r->kind == JOURNAL_REWIND)
        turns_add(ctx, (struct turn){r->step, r->targets, r->rate});
}

static int read_turns(const char *run_dir, struct turns *turns)
{
    char *path = file_join(run_dir, "journal");
    const int err = file_exists(path) ? journal_read(run_dir, take_turn, turns) : ERR_OK;
    mem_free(path);
    return err;
}

/* --- starting --------------------------------------------------------------------------
 */

static int start_anew(const struct conf *conf, const struct vocabulary *vocabulary,
                      const struct transformer *model, struct store *store,
                      struct resume *r)
{
    r->state = (struct checkpoint_state){.vocab = vocabulary->size};
    validation_init(&r->state.validation);
    TRY(begin(conf, vocabulary, model, store));
    store_begin(store);
    return ERR_OK;
}

/* @err: of looking for a checkpoint; r->dir is it. */
static int take(const struct conf *conf, const struct vocabulary *vocabulary,
                const struct transformer *model, struct store *store, int err,
                struct resume *r)
{
    r->found = !err;
    if (err && err != ERR_NO_FILE)
        return err;
    if (err)
        return start_anew(conf, vocabulary, model, store, r);
    const int bad = load(conf, vocabulary, model, store, r);
    if (bad) {
        mem_free(r->dir);
        r->dir = NULL;
    }
    return bad;
}

/* Whether run.resume allows what was found; says why not. */
static int check_wanted(const struct conf *conf, int err, const struct resume *r)
{
    if (err == ERR_NO_FILE && conf->run.resume == RESUME_MUST) {
        log_error("%s: there is no checkpoint to go on from (run.resume must)",
                  conf->run.dir);
        return ERR_NO_FILE;
    }
    if (!err && conf->run.resume == RESUME_NEVER) {
        log_error(
            "%s: it has a checkpoint already (run.resume never); choose another run.dir",
            r->dir);
        return ERR_BUSY;
    }
    return ERR_OK;
}

int resume_run(const struct conf *conf, const struct vocabulary *vocabulary,
               const struct transformer *model, struct store *store, struct resume *r)
{
    struct turns turns = {0};
    *r = (struct resume){0};
    TRY(read_turns(conf->run.dir, &turns));
    TRY(checkpoint_abandon(&disk_real, conf->run.dir, &turns));
    const int err = checkpoint_find(conf->run.dir, UINT64_MAX, &r->dir);
    FAILPOINT("resume.found");
    TRY(check_wanted(conf, err, r));
    TRY(take(conf, vocabulary, model, store, err, r));
    if (r->found)
        FAILPOINT("resume.loaded");
    turns_learn(&r->state.guard.turns, &turns);
    return ERR_OK;
}

int resume_back(const struct conf *conf, const struct turns *turns,
                const struct vocabulary *vocabulary, const struct transformer *model,
                struct store *store, struct resume *r)
{
    *r = (struct resume){0};
    TRY(checkpoint_abandon(&disk_real, conf->run.dir, turns));
    FAILPOINT("rewind.abandoned");
    store_clear(store);
    const int err = checkpoint_find(conf->run.dir, UINT64_MAX, &r->dir);
    TRY(take(conf, vocabulary, model, store, err, r));
    FAILPOINT("rewind.loaded");
    turns_learn(&r->state.guard.turns, turns);
    return ERR_OK;
}

struct coordinator_from resume_from(const struct resume *r)
{
    return (struct coordinator_from){.version = r->state.step,
                                     .saved = r->found,
                                     .validation = r->state.validation,
                                     .guard = r->state.guard};
}
