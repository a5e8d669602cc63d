#include "coordinator/saver.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/background.h"
#include "coordinator/tensors.h"

enum { TOKENIZER_MAX = 512 << 20 };

/* The vectors of a store, in the order of its copy. */
enum { THETA, MOMENT, EMA = MOMENT + OPTIMIZER_MOMENTS_MAX, VECTORS };

struct saver {
    struct saver_options o;
    struct background *background;
    char *tokenizer;
    float *copy[VECTORS];       /* NULL: the store has none */
    const float *from[VECTORS]; /* the store's, while they are copied */
    pthread_mutex_t lock;       /* guards copying */
    pthread_cond_t copied;
    bool copying;
    /* of the checkpoint being written */
    struct checkpoint_state state;
    struct checkpoint_keep keep;
    bool halfway;
    int err;
    double seconds;
};

/* --- writing ---------------------------------------------------------------------------
 */

static void make_copy(struct saver *s)
{
    const size_t bytes = s->o.store->count * sizeof(float);
    for (int i = 0; i < VECTORS; i++)
        if (s->from[i])
            memcpy(s->copy[i], s->from[i], bytes);
    pthread_mutex_lock(&s->lock);
    s->copying = false;
    pthread_cond_signal(&s->copied);
    pthread_mutex_unlock(&s->lock);
}

double saver_wait(struct saver *s)
{
    const double start = clock_seconds();
    pthread_mutex_lock(&s->lock);
    while (s->copying)
        pthread_cond_wait(&s->copied, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return clock_seconds() - start;
}

static void write_copy(void *ctx)
{
    struct saver *s = ctx;
    const double start = clock_seconds();
    make_copy(s);
    struct tensors model = tensors_of_model(s->o.model, s->copy[THETA]);
    struct tensors moments =
        tensors_of_moments(s->o.model, s->o.store->optimizer.kind, s->copy + MOMENT);
    struct tensors ema = tensors_of_model(s->o.model, s->copy[EMA]);
    const struct checkpoint_content c = {.state = s->state,
                                         .model = model.list,
                                         .models = model.n,
                                         .moments = moments.list,
                                         .moments_n = moments.n,
                                         .ema = ema.list,
                                         .emas = ema.n,
                                         .tokenizer = s->tokenizer,
                                         .run_yaml = s->o.run_yaml};
    FAILPOINT("checkpoint.begun");
    s->o.before(s->o.ctx);
    s->err = checkpoint_write(&disk_real, s->o.run_dir, &c);
    tensors_free(&model);
    tensors_free(&moments);
    tensors_free(&ema);
    if (!s->err && s->halfway)
        s->keep.halfway = s->state.step;
    if (!s->err && checkpoint_retain(&disk_real, s->o.run_dir, &s->keep))
        log_warn("older checkpoints could not be removed; they take room, nothing else");
    FAILPOINT("checkpoint.retained");
    s->seconds = clock_seconds() - start;
}

static void written(void *ctx)
{
    struct saver *s = ctx;
    s->o.done(s->o.ctx, s->state.step, s->err, s->seconds);
}

static void take_vectors(const struct store *store, const float *vector[VECTORS])
{
    vector[THETA] = store->theta;
    for (int i = 0; i < OPTIMIZER_MOMENTS_MAX; i++)
        vector[MOMENT + i] = store->moment[i];
    vector[EMA] = store->ema;
}

void saver_start(struct saver *s, const struct checkpoint_state *state, bool halfway)
{
    assert(!background_busy(s->background));
    take_vectors(s->o.store, s->from);
    pthread_mutex_lock(&s->lock);
    s->copying = true;
    pthread_mutex_unlock(&s->lock);
    s->state = *state;
    for (int m = 0; m < VALIDATION_METRICS; m++)
        s->keep.best[m] = state->validation.mark[m].best_step;
    s->halfway = halfway;
    background_run(s->background, write_copy, written, s);
}

int saver_new(struct loop *l, const struct saver_options *o, struct saver **out)
{
    char *tokenizer;
    size_t bytes;
    TRY(file_read(o->tokenizer_path, TOKENIZER_MAX, &tokenizer, &bytes));
    struct saver *s = mem_zalloc(sizeof *s);
    s->o = *o;
    s->tokenizer = tokenizer;
    s->keep = o->keep;
    s->keep.halfway = UINT64_MAX;
    s->background = background_new(l);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->copied, NULL);
    take_vectors(o->store, s->from);
    for (int i = 0; i < VECTORS; i++)
        if (s->from[i])
            s->copy[i] = mem_slab(o->store->count * sizeof(float));
    *out = s;
    return ERR_OK;
}

void saver_free(struct saver *s)
{
    background_free(s->background);
    pthread_cond_destroy(&s->copied);
    pthread_mutex_destroy(&s->lock);
    for (int i = 0; i < VECTORS; i++)
        if (s->copy[i])
            mem_slab_free(s->copy[i], s->o.store->count * sizeof(float));
    mem_free(s->tokenizer);
    mem_free(s);
}

size_t saver_bytes(const struct transformer *t, const struct conf_optim *o)
{
    return store_bytes(t, o);
}

/* --- reading ---------------------------------------------------------------------------
 */

int saver_load(const char *dir, const struct transformer *model, struct store *store)
{
    TRY(tensors_load_model(dir, model, false, store->theta));
    if (store->ema)
        TRY(tensors_load_model(dir, model, true, store->ema));
    struct tensors all = tensors_of_moments(model, store->optimizer.kind, store->moment);
    char *path = file_join(dir, "optimizer.safetensors");
    const int err = safetensors_read(path, all.list, all.n);
    mem_free(path);
    tensors_free(&all);
    return err;
}
