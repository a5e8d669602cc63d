#include "coordinator/store.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "optim/clip.h"
#include "optim/ema.h"
#include "tensor/rows.h"

enum { EXAMINED_AT_ONCE = 8192 };

/* Neighbouring tensors that are alike in decay are one run. */
static void find_runs(struct store *s)
{
    s->runs = 0;
    for (size_t i = 0; i < s->model->tensors; i++) {
        const struct param_info *p = &s->model->info[i];
        struct store_run *last = s->runs ? &s->run[s->runs - 1] : NULL;
        if (s->frozen[i])
            continue;
        if (last && last->decay == p->decay &&
            last->at.first + last->at.count == p->first)
            last->at.count += p->count;
        else
            s->run[s->runs++] = (struct store_run){{p->first, p->count}, p->decay};
    }
}

/* How many tensors' names begin so. */
static size_t freeze_prefix(struct store *s, const char *prefix, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < s->model->tensors; i++)
        if (strncmp(s->model->info[i].name, prefix, n) == 0) {
            s->frozen[i] = true;
            found++;
        }
    return found;
}

int store_freeze(struct store *s, const char *prefixes)
{
    for (const char *at = prefixes; *at;) {
        const size_t n = strcspn(at, ",");
        if (n > 0 && freeze_prefix(s, at, n) == 0) {
            log_error("train.freeze: no tensor's name begins with '%.*s'; `lockstep "
                      "inspect --tensors` of a checkpoint lists the names, such as %s",
                      (int)n, at, s->model->info[0].name);
            return ERR_UNKNOWN;
        }
        at += n + (at[n] == ',');
    }
    find_runs(s);
    return ERR_OK;
}

static float *add_buffer(struct store *s)
{
    s->buffer = mem_resize(s->buffer, (s->buffers + 1) * sizeof *s->buffer);
    s->buffer[s->buffers] = (struct store_buffer){mem_slab(s->count * sizeof(float)), 0};
    return s->buffer[s->buffers++].data;
}

void store_init(struct store *s, const struct transformer *t, const struct conf_optim *o)
{
    *s = (struct store){
        .count = t->count,
        .model = t,
        .max_norm = o->clip,
        .ema_decay = o->ema,
        .optimizer = {.kind = (enum optimizer_kind)o->name,
                      .beta1 = o->beta1,
                      .beta2 = o->beta2,
                      .eps = o->eps,
                      .momentum = o->momentum,
                      .decay = o->decay},
    };
    const size_t bytes = mem_mul(t->count, sizeof(float));
    s->theta = add_buffer(s);
    for (int i = 0; i < optimizer_moments(s->optimizer.kind); i++)
        s->moment[i] = mem_slab(bytes);
    if (o->ema > 0)
        s->ema = mem_slab(bytes);
    s->block_sums = mem_alloc(clip_blocks(t->count) * sizeof *s->block_sums);
    s->run = mem_alloc(t->tensors * sizeof *s->run);
    s->frozen = mem_zalloc(t->tensors * sizeof *s->frozen);
    find_runs(s);
}

void store_fini(struct store *s)
{
    for (size_t i = 0; i < s->buffers; i++)
        mem_slab_free(s->buffer[i].data, s->count * sizeof(float));
    mem_free(s->buffer);
    for (int i = 0; i < OPTIMIZER_MOMENTS_MAX; i++)
        if (s->moment[i])
            mem_slab_free(s->moment[i], s->count * sizeof(float));
    if (s->ema)
        mem_slab_free(s->ema, s->count * sizeof(float));
    mem_free(s->block_sums);
    mem_free(s->run);
    mem_free(s->frozen);
    *s = (struct store){0};
}

void store_begin(struct store *s)
{
    assert(s->version == 0);
    if (s->ema)
        memcpy(s->ema, s->theta, s->count * sizeof(float));
}

static struct store_buffer *buffer_of(struct store *s, const float *theta)
{
    size_t i = 0;
    while (i < s->buffers && s->buffer[i].data != theta)
        i++;
    assert(i < s->buffers);
    return &s->buffer[i];
}

void store_hold(struct store *s, const float *theta)
{
    buffer_of(s, theta)->readers++;
}

void store_release(struct store *s, const float *theta)
{
    struct store_buffer *b = buffer_of(s, theta);
    assert(b->readers > 0);
    b->readers--;
}

float *store_room(struct store *s)
{
    if (buffer_of(s, s->theta)->readers == 0)
        return s->theta;
    for (size_t i = 0; i < s->buffers; i++)
        if (s->buffer[i].readers == 0)
            return s->buffer[i].data;
    return add_buffer(s);
}

void store_leave(struct store *s)
{
    s->theta = store_room(s);
    s->version = 0;
}

void store_clear(struct store *s)
{
    const size_t bytes = s->count * sizeof(float);
    memset(s->theta, 0, bytes);
    for (int i = 0; i < optimizer_moments(s->optimizer.kind); i++)
        memset(s->moment[i], 0, bytes);
    if (s->ema)
        memset(s->ema, 0, bytes);
}

void store_skip(struct store *s)
{
    s->version++;
}

/* --- the update -----------------------------------------------------------------------
 */

static void step_range(struct store *s, const float *gradient,
                       const struct store_update *u, struct range at, bool decay)
{
    float *const moment[OPTIMIZER_MOMENTS_MAX] = {
        s->moment[0] + at.first, s->moment[1] ? s->moment[1] + at.first : NULL};
    optimizer_step(&s->optimizer, s->version + 1, u->rate, u->clip / (double)u->targets,
                   decay, s->theta + at.first, moment, gradient + at.first, at.count);
}

/* Sums of squares, but for the largest. */
struct sums {
    double weight, gradient, update, largest;
};

static void step_examined(struct store *s, const float *gradient,
                          const struct store_update *u, struct range at, bool decay,
                          bool frozen, struct sums *sums)
{
    float before[EXAMINED_AT_ONCE];
    float *theta = s->theta + at.first;
    const double largest = rows_largest(theta, at.count);
    sums->largest = largest > sums->largest ? largest : sums->largest;
    sums->weight += rows_sum_squares(theta, at.count);
    sums->gradient += rows_sum_squares(gradient + at.first, at.count);
    if (frozen)
        return;
    memcpy(before, theta, at.count * sizeof *before);
    step_range(s, gradient, u, at, decay);
    rows_add_scaled(before, theta, -1, at.count);
    sums->update += rows_sum_squares(before, at.count);
}

/* In pieces that stay in the cache. */
static struct tensor_statistics step_tensor(struct store *s, const float *gradient,
                                            const struct store_update *u, size_t i)
{
    const struct param_info *p = &s->model->info[i];
    struct sums sums = {0};
    for (size_t done = 0; done < p->count; done += EXAMINED_AT_ONCE) {
        const size_t left = p->count - done;
        const struct range at = {p->first + done,
                                 left < EXAMINED_AT_ONCE ? left : EXAMINED_AT_ONCE};
        step_examined(s, gradient, u, at, p->decay, s->frozen[i], &sums);
    }
    const double n = (double)p->count;
    return (struct tensor_statistics){.weight = sqrt(sums.weight / n),
                                      .gradient =
                                          sqrt(sums.gradient / n) / (double)u->targets,
                                      .update = sqrt(sums.update / n),
                                      .largest = sums.largest};
}

void store_update(struct store *s, const float *gradient, struct store_update *u)
{
    assert(u->targets > 0);
    const double squares = clip_sum_squares(gradient, s->count, s->block_sums);
    u->norm = sqrt(squares) / (double)u->targets;
    u->clip = clip_factor(u->norm, s->max_norm);
    if (!isfinite(u->norm) || u->norm > u->limit)
        return;
    if (u->into != s->theta)
        memcpy(u->into, s->theta, s->count * sizeof(float));
    s->theta = u->into;
    for (size_t i = 0; u->tensors && i < s->model->tensors; i++)
        u->tensors[i] = step_tensor(s, gradient, u, i);
    for (size_t i = 0; !u->tensors && i < s->runs; i++)
        step_range(s, gradient, u, s->run[i].at, s->run[i].decay);
    if (s->ema)
        ema_step(s->ema, s->theta, s->count, s->ema_decay, s->version);
    s->version++;
}

size_t store_bytes(const struct transformer *t, const struct conf_optim *o)
{
    const int moments = optimizer_moments((enum optimizer_kind)o->name);
    return (size_t)(1 + moments + (o->ema > 0)) * t->count * sizeof(float);
}
