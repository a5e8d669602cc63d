#include "coordinator/examine.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

struct examine_told {
    struct examine_told *next;
    uint64_t partial;
    double values[]; /* blocks, correct */
};

static size_t blocks(const struct examine *e)
{
    return e->model->shape.E + e->model->shape.L;
}

void examine_init(struct examine *e, const struct transformer *t, uint64_t every)
{
    *e = (struct examine){.model = t, .every = every};
    e->name = mem_alloc(t->tensors * sizeof *e->name);
    e->tensor = mem_alloc(t->tensors * sizeof *e->tensor);
    e->block = mem_alloc(blocks(e) * sizeof *e->block);
    for (size_t i = 0; i < t->tensors; i++)
        e->name[i] = t->info[i].name;
}

static void forget_told(struct examine *e)
{
    for (struct examine_told *t; (t = e->told);) {
        e->told = t->next;
        mem_free(t);
    }
}

void examine_fini(struct examine *e)
{
    forget_told(e);
    mem_free(e->name);
    mem_free(e->tensor);
    mem_free(e->block);
    *e = (struct examine){0};
}

bool examine_due(const struct examine *e, uint64_t step)
{
    return e->every > 0 && (step == 0 || (step + 1) % e->every == 0);
}

uint32_t examine_slice(const struct examine *e, uint64_t step, uint32_t slices)
{
    return (uint32_t)((step + 1) / e->every % slices);
}

/* --- what partials tell ---------------------------------------------------------------
 */

int examine_receive(struct examine *e, uint32_t worker, uint64_t partial,
                    const struct message *m)
{
    const size_t n = m->partial.statistics, expected = blocks(e) * BLOCK_STATISTICS + 1;
    if (n == 0)
        return ERR_OK;
    if (n != expected) {
        log_error("worker %u: its partial has %zu statistics, expected %zu", worker, n,
                  expected);
        return ERR_MISMATCH;
    }
    struct examine_told *t = mem_alloc(sizeof *t + n * sizeof(double));
    t->next = e->told;
    t->partial = partial;
    memcpy(t->values, m->partial.values, n * sizeof(double));
    e->told = t;
    return ERR_OK;
}

static struct examine_told *take(struct examine *e, uint64_t partial)
{
    struct examine_told **at = &e->told;
    while (*at && (*at)->partial != partial)
        at = &(*at)->next;
    struct examine_told *t = *at;
    if (t)
        *at = t->next;
    return t;
}

void examine_add(struct examine *e, uint64_t partial)
{
    struct examine_told *t = take(e, partial);
    if (!t)
        return;
    memcpy(e->block, t->values, blocks(e) * sizeof *e->block);
    e->correct = t->values[blocks(e) * BLOCK_STATISTICS];
    e->known = true;
    mem_free(t);
}

void examine_drop(struct examine *e, uint64_t partial)
{
    mem_free(take(e, partial));
}

/* --- a step ---------------------------------------------------------------------------
 */

struct tensor_statistics *examine_tensors(struct examine *e, uint64_t step)
{
    return examine_due(e, step) ? e->tensor : NULL;
}

struct statistics examine_step(const struct examine *e, uint64_t step, double noise,
                               double norm, struct examine_targets targets)
{
    const struct shape *s = &e->model->shape;
    return (struct statistics){
        .slice = examine_slice(e, step, targets.slices),
        .accuracy = e->known ? e->correct / targets.slice : NAN,
        .noise = noise_of(noise, targets.inverse, targets.slices, norm, targets.all),
        .tensors = e->model->tensors,
        .name = e->name,
        .tensor = e->tensor,
        .encoder = e->known ? s->E : 0,
        .decoder = e->known ? s->L : 0,
        .block = e->block};
}

void examine_forget(struct examine *e)
{
    forget_told(e);
    e->known = false;
}
