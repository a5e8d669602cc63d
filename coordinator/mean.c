#include "coordinator/mean.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "coordinator/tensors.h"

enum { TEXT_MAX = 512 << 20 }; /* of a tokenizer */

/* --- which -----------------------------------------------------------------------------
 */

/* @dir is good. */
static int add(struct mean *m, const char *dir)
{
    struct checkpoint_state state;
    TRY(checkpoint_read_state(dir, &state));
    char *path = realpath(dir, NULL);
    if (!path) {
        log_error("%s: it cannot be found any more", dir);
        return ERR_NO_FILE;
    }
    m->part = mem_resize(m->part, (m->n + 1) * sizeof *m->part);
    m->part[m->n++] = (struct mean_part){mem_strdup(path), state};
    free(path);
    return ERR_OK;
}

static int add_run(struct mean *m, const char *run_dir)
{
    uint64_t *steps;
    size_t n;
    const size_t before = m->n;
    TRY(checkpoint_list(run_dir, &steps, &n));
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++) {
        char *dir = checkpoint_path(run_dir, steps[i]);
        if (checkpoint_verify(dir) == ERR_OK)
            err = add(m, dir);
        else
            log_warn("%s is damaged and left out", dir);
        mem_free(dir);
    }
    mem_free(steps);
    TRY(err);
    if (m->n > before)
        return ERR_OK;
    log_error("%s: %s; name a run directory or a checkpoint in it", run_dir,
              n ? "none of its checkpoints is good" : "there is no checkpoint in it");
    return n ? ERR_NO_VALID : ERR_NO_FILE;
}

int mean_gather(struct mean *m, const char *path)
{
    char *manifest = file_join(path, "MANIFEST");
    const bool is_checkpoint = file_exists(manifest);
    mem_free(manifest);
    if (!is_checkpoint)
        return add_run(m, path);
    TRY(checkpoint_verify(path));
    return add(m, path);
}

static int by_step(const void *a, const void *b)
{
    const struct mean_part *x = a, *y = b;
    if (x->state.step != y->state.step)
        return x->state.step < y->state.step ? -1 : 1;
    return strcmp(x->dir, y->dir);
}

static double loss_of(const struct mean_part *p)
{
    const struct validation *v = &p->state.validation;
    return v->step == p->state.step ? v->mark[VALIDATION_HELD_OUT_LOSS].last : NAN;
}

/* The best last, behind the later ones of equals; those without a loss first. */
static int by_loss(const void *a, const void *b)
{
    const double x = loss_of(a), y = loss_of(b);
    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return x != y ? (x > y ? -1 : 1) : by_step(a, b);
}

static void drop_first(struct mean *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(m->part[i].dir);
    m->n -= n;
    memmove(m->part, m->part + n, m->n * sizeof *m->part);
}

static void sort(struct mean *m, int (*compare)(const void *a, const void *b))
{
    if (m->n)
        qsort(m->part, m->n, sizeof *m->part, compare);
}

int mean_pick_all(struct mean *m)
{
    sort(m, by_step);
    for (size_t i = 1; i < m->n; i++)
        if (strcmp(m->part[i - 1].dir, m->part[i].dir) == 0) {
            log_error("%s was named twice; name each checkpoint once", m->part[i].dir);
            return ERR_INVALID;
        }
    return ERR_OK;
}

int mean_pick_last(struct mean *m, size_t n)
{
    TRY(mean_pick_all(m));
    if (m->n < n) {
        log_error("there are %zu good checkpoints, not %zu; a run keeps as many as "
                  "train.keep_last says",
                  m->n, n);
        return ERR_RANGE;
    }
    drop_first(m, m->n - n);
    return ERR_OK;
}

int mean_pick_best(struct mean *m, size_t n)
{
    TRY(mean_pick_all(m));
    size_t known = 0;
    for (size_t i = 0; i < m->n; i++)
        known += !isnan(loss_of(&m->part[i]));
    if (known < n) {
        log_error("%zu of %zu good checkpoints have a held-out loss of their own step, "
                  "not %zu; let train.eval_every divide train.checkpoint_every",
                  known, m->n, n);
        return ERR_RANGE;
    }
    sort(m, by_loss);
    drop_first(m, m->n - n);
    sort(m, by_step);
    return ERR_OK;
}

void mean_free(struct mean *m)
{
    drop_first(m, m->n);
    mem_free(m->part);
    *m = (struct mean){0};
}

/* --- do they fit together? -------------------------------------------------------------
 */

/* What all of them share. */
struct common {
    struct conf conf;
    char *tokenizer, *run_yaml; /* texts, owned */
};

static int read_text(const char *dir, const char *name, char **text)
{
    size_t bytes;
    char *path = file_join(dir, name);
    const int err = file_read(path, TEXT_MAX, text, &bytes);
    mem_free(path);
    return err;
}

static int read_common(const char *dir, struct common *c)
{
    *c = (struct common){0};
    TRY(read_text(dir, "tokenizer.json", &c->tokenizer));
    TRY(read_text(dir, "run.yaml", &c->run_yaml));
    char *path = file_join(dir, "run.yaml");
    conf_init(&c->conf);
    int err = conf_load_text(&c->conf, c->run_yaml, strlen(c->run_yaml), path);
    if (!err)
        err = conf_check(&c->conf);
    mem_free(path);
    return err;
}

static void free_common(struct common *c)
{
    mem_free(c->tokenizer);
    mem_free(c->run_yaml);
}

static int refuse(const struct mean_part *a, const struct mean_part *b, const char *why)
{
    log_error("%s and %s %s; a mean of them would be a model of nothing", a->dir, b->dir,
              why);
    return ERR_CONFIG;
}

static int compare(const struct mean_part *a, const struct common *x,
                   const struct mean_part *b)
{
    struct common y;
    int err = read_common(b->dir, &y);
    if (!err && conf_fingerprint(&x->conf) != conf_fingerprint(&y.conf)) {
        conf_differences(&x->conf, a->dir, &y.conf, b->dir);
        err = refuse(a, b, "have other configurations (above)");
    } else if (!err && (a->state.vocab != b->state.vocab ||
                        strcmp(x->tokenizer, y.tokenizer) != 0))
        err = refuse(a, b, "have other tokenizers");
    free_common(&y);
    return err;
}

/* --- the mean --------------------------------------------------------------------------
 */

/* theta [count] <- the mean */
static int add_up(const struct mean *m, const struct transformer *model, float *theta)
{
    const size_t bytes = mem_mul(model->count, sizeof(double));
    double *sum = mem_slab(bytes);
    int err = ERR_OK;
    for (size_t k = 0; k < m->n && !err; k++) {
        err = tensors_load_model(m->part[k].dir, model, false, theta);
        for (size_t i = 0; i < model->count && !err; i++)
            sum[i] += (double)theta[i];
    }
    for (size_t i = 0; i < model->count && !err; i++)
        theta[i] = (float)(sum[i] / (double)m->n);
    mem_slab_free(sum, bytes);
    return err;
}

/* "40 50 60" */
static char *steps_of(const struct mean *m)
{
    enum { ONE = 24 };
    char *text = mem_zalloc(m->n * ONE);
    size_t at = 0;
    for (size_t i = 0; i < m->n; i++)
        at += (size_t)snprintf(text + at, ONE, "%s%llu", i ? " " : "",
                               (unsigned long long)m->part[i].state.step);
    return text;
}

static int export(const struct mean *m, const struct common *c,
                  const struct transformer *model, float *theta, const char *out)
{
    struct tensors all = tensors_of_model(model, theta);
    char *steps = steps_of(m);
    const char *metadata[] = {"mean_of_steps", steps, NULL};
    const struct checkpoint_state *newest = &m->part[m->n - 1].state;
    struct checkpoint_content content = {
        .state = {.step = newest->step,
                  .term = newest->term,
                  .fingerprint = conf_fingerprint(&c->conf),
                  .vocab = newest->vocab,
                  .version = LOCKSTEP_VERSION},
        .model = all.list,
        .models = all.n,
        .tokenizer = c->tokenizer,
        .run_yaml = c->run_yaml,
        .metadata = metadata};
    validation_init(&content.state.validation);
    const int err = checkpoint_export(&disk_real, out, &content);
    mem_free(steps);
    tensors_free(&all);
    return err;
}

static int write_mean(const struct mean *m, const struct common *c, const char *out)
{
    struct transformer model;
    TRY(transformer_init(&model, &c->conf.model, m->part[m->n - 1].state.vocab));
    float *theta = mem_slab(mem_mul(model.count, sizeof *theta));
    int err = add_up(m, &model, theta);
    if (!err)
        err = export(m, c, &model, theta, out);
    mem_slab_free(theta, model.count * sizeof *theta);
    transformer_fini(&model);
    return err;
}

int mean_write(const struct mean *m, const char *out)
{
    assert(m->n > 0);
    const struct mean_part *newest = &m->part[m->n - 1];
    struct common c;
    int err = read_common(newest->dir, &c);
    for (size_t i = 0; i + 1 < m->n && !err; i++)
        err = compare(newest, &c, &m->part[i]);
    if (!err)
        err = write_mean(m, &c, out);
    free_common(&c);
    return err;
}
