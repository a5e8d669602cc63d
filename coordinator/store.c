#include "coordinator/store.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "nn/ranges.h"
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
    transformer_ranges(t, &s->ranges);
    s->checksums = mem_alloc(s->ranges.n * sizeof *s->checksums);
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
    mem_free(s->checksums);
    ranges_fini(&s->ranges);
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
    s->checksums_known = false;
}

void store_clear(struct store *s)
{
    const size_t bytes = s->count * sizeof(float);
    s->checksums_known = false;
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

static void checksum(void *ctx, size_t r)
{
    struct store *s = ctx;
    const struct range at = s->ranges.list[r];
    s->checksums[r] = hash64(s->theta + at.first, at.count * sizeof *s->theta);
}

const uint64_t *store_checksums(struct store *s)
{
    if (!s->checksums_known)
        crew_run(s->crew, s->ranges.n, checksum, s);
    s->checksums_known = true;
    return s->checksums;
}

/* --- the update -----------------------------------------------------------------------
 */

/* What the crew works on. */
struct job {
    struct store *store;
    const float *gradient, *before; /* before: theta, where it is not updated in place */
    const struct store_update *u;
};

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
static void step_tensor(void *ctx, size_t i)
{
    const struct job *job = ctx;
    struct store *s = job->store;
    const struct param_info *p = &s->model->info[i];
    struct sums sums = {0};
    for (size_t done = 0; done < p->count; done += EXAMINED_AT_ONCE) {
        const size_t left = p->count - done;
        const struct range at = {p->first + done,
                                 left < EXAMINED_AT_ONCE ? left : EXAMINED_AT_ONCE};
        step_examined(s, job->gradient, job->u, at, p->decay, s->frozen[i], &sums);
    }
    const double n = (double)p->count;
    job->u->tensors[i] = (struct tensor_statistics){.weight = sqrt(sums.weight / n),
                                                    .gradient = sqrt(sums.gradient / n) /
                                                                (double)job->u->targets,
                                                    .update = sqrt(sums.update / n),
                                                    .largest = sums.largest};
}

static void copy_range(void *ctx, size_t r)
{
    const struct job *job = ctx;
    const struct range at = job->store->ranges.list[r];
    if (job->before)
        memcpy(job->store->theta + at.first, job->before + at.first,
               at.count * sizeof *job->before);
}

/* What comes after the step, while the range is in the cache. */
static void end_range(void *ctx, size_t r)
{
    struct store *s = ((const struct job *)ctx)->store;
    const struct range at = s->ranges.list[r];
    if (s->ema)
        ema_step(s->ema + at.first, s->theta + at.first, at.count, s->ema_decay,
                 s->version);
    checksum(s, r);
}

/* A range has parts of several runs. */
static void whole_range(void *ctx, size_t r)
{
    const struct job *job = ctx;
    const struct range at = job->store->ranges.list[r];
    const size_t end = at.first + at.count;
    copy_range(ctx, r);
    for (size_t i = 0; i < job->store->runs; i++) {
        const struct store_run *run = &job->store->run[i];
        const size_t run_end = run->at.first + run->at.count,
                     first = at.first > run->at.first ? at.first : run->at.first,
                     last = end < run_end ? end : run_end;
        if (first < last)
            step_range(job->store, job->gradient, job->u,
                       (struct range){first, last - first}, run->decay);
    }
    end_range(ctx, r);
}

static void square_block(void *ctx, size_t b)
{
    const struct job *job = ctx;
    struct store *s = job->store;
    s->block_sums[b] = clip_block_sum(job->gradient, s->count, b);
}

void store_update(struct store *s, const float *gradient, struct store_update *u)
{
    assert(u->targets > 0);
    struct job job = {s, gradient, u->into != s->theta ? s->theta : NULL, u};
    crew_run(s->crew, clip_blocks(s->count), square_block, &job);
    u->norm = sqrt(clip_tree(s->block_sums, clip_blocks(s->count))) / (double)u->targets;
    u->clip = clip_factor(u->norm, s->max_norm);
    if (!isfinite(u->norm) || u->norm > u->limit)
        return;
    s->theta = u->into;
    if (u->tensors) {
        crew_run(s->crew, s->ranges.n, copy_range, &job);
        crew_run(s->crew, s->model->tensors, step_tensor, &job);
        crew_run(s->crew, s->ranges.n, end_range, &job);
    } else {
        crew_run(s->crew, s->ranges.n, whole_range, &job);
    }
    s->checksums_known = true;
    s->version++;
}

size_t store_bytes(const struct transformer *t, const struct conf_optim *o)
{
    const int moments = optimizer_moments((enum optimizer_kind)o->name);
    return (size_t)(1 + moments + (o->ema > 0)) * t->count * sizeof(float);
}
