#include "coordinator/store.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "optim/clip.h"

/* Neighbouring tensors that are alike in decay are one run. */
static void find_runs(struct store *s, const struct transformer *t)
{
    s->run = mem_alloc(t->tensors * sizeof *s->run);
    for (size_t i = 0; i < t->tensors; i++) {
        const struct param_info *p = &t->info[i];
        if (s->runs && s->run[s->runs - 1].decay == p->decay)
            s->run[s->runs - 1].at.count += p->count;
        else
            s->run[s->runs++] = (struct store_run){{p->first, p->count}, p->decay};
    }
}

void store_init(struct store *s, const struct transformer *t, const struct conf_optim *o)
{
    *s = (struct store){
        .count = t->count,
        .max_norm = o->clip,
        .optimizer = {.kind = (enum optimizer_kind)o->name,
                      .beta1 = o->beta1,
                      .beta2 = o->beta2,
                      .eps = o->eps,
                      .momentum = o->momentum,
                      .decay = o->decay},
    };
    const size_t bytes = mem_mul(t->count, sizeof(float));
    s->theta = mem_slab(bytes);
    for (int i = 0; i < optimizer_moments(s->optimizer.kind); i++)
        s->moment[i] = mem_slab(bytes);
    s->block_sums = mem_alloc(clip_blocks(t->count) * sizeof *s->block_sums);
    find_runs(s, t);
}

void store_fini(struct store *s)
{
    mem_slab_free(s->theta, s->count * sizeof(float));
    for (int i = 0; i < OPTIMIZER_MOMENTS_MAX; i++)
        if (s->moment[i])
            mem_slab_free(s->moment[i], s->count * sizeof(float));
    mem_free(s->block_sums);
    mem_free(s->run);
    *s = (struct store){0};
}

void store_update(struct store *s, const float *gradient, struct store_update *u)
{
    assert(u->targets > 0);
    const double squares = clip_sum_squares(gradient, s->count, s->block_sums);
    u->norm = sqrt(squares) / (double)u->targets;
    u->clip = clip_factor(u->norm, s->max_norm);
    if (!isfinite(u->norm))
        return;
    for (size_t i = 0; i < s->runs; i++) {
        const struct store_run *run = &s->run[i];
        float *const moment[OPTIMIZER_MOMENTS_MAX] = {
            s->moment[0] + run->at.first,
            s->moment[1] ? s->moment[1] + run->at.first : NULL};
        optimizer_step(&s->optimizer, s->version + 1, u->rate,
                       u->clip / (double)u->targets, run->decay, s->theta + run->at.first,
                       moment, gradient + run->at.first, run->at.count);
    }
    s->version++;
}

size_t store_bytes(const struct transformer *t, const struct conf_optim *o)
{
    const int moments = optimizer_moments((enum optimizer_kind)o->name);
    return (size_t)(1 + moments) * t->count * sizeof(float);
}
