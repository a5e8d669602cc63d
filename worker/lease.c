#include "worker/lease.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/plan.h"

struct kept_slice {
    struct compute_job job;
    uint64_t *samples;
    uint32_t *tokens;
};

static void kept_free(struct kept_slice *k)
{
    mem_free(k->samples);
    mem_free(k->tokens);
    mem_free(k);
}

void kept_slices_fini(struct kept_slices *k)
{
    for (size_t i = 0; i < k->n; i++)
        kept_free(k->list[i]);
    mem_free(k->list);
    *k = (struct kept_slices){0};
}

static int refuse(const struct message *m, const char *what, uint64_t value,
                  uint64_t limit)
{
    log_error("lease of slices from %u on: %s %llu, expected at most %llu",
              m->lease.first, what, (unsigned long long)value,
              (unsigned long long)limit);
    return ERR_MALFORMED;
}

static int check(const struct message *m, const struct transformer *t, struct plan plan)
{
    if (m->lease.kind != LEASE_HELD_OUT &&
        m->lease.first + m->lease.slices > plan.slices)
        return refuse(m, "slices up to", m->lease.first + m->lease.slices, plan.slices);
    for (size_t i = 0; i < m->lease.slices; i++) {
        const struct message_slice s = m->lease.slice[i];
        if (s.length == 0 || s.length > t->shape.T)
            return refuse(m, "a sequence of length", s.length, t->shape.T);
        if (s.sequences == 0 || (uint64_t)s.sequences * s.length > plan_rows(plan))
            return refuse(m, "rows", (uint64_t)s.sequences * s.length, plan_rows(plan));
        for (size_t k = 0; k < (size_t)s.sequences * (s.length + 1); k++)
            if (s.tokens[k] >= t->shape.V)
                return refuse(m, "a token", s.tokens[k], t->shape.V - 1);
    }
    return ERR_OK;
}

static struct kept_slice *copy(const struct message *m, size_t i, const struct conf *conf)
{
    const struct message_slice s = m->lease.slice[i];
    const size_t tokens = (size_t)s.sequences * (s.length + 1) * sizeof *s.tokens,
                 samples = s.sequences * sizeof *s.samples;
    struct kept_slice *k = mem_zalloc(sizeof *k);
    k->samples = mem_alloc(samples);
    k->tokens = mem_alloc(tokens);
    memcpy(k->samples, s.samples, samples);
    memcpy(k->tokens, s.tokens, tokens);
    k->job.lease = m->lease.kind;
    k->job.number = m->lease.first + (uint32_t)i;
    k->job.slice = (struct slice){.sequences = s.sequences,
                                  .length = s.length,
                                  .tokens = k->tokens,
                                  .samples = k->samples,
                                  .seed = conf->train.seed,
                                  .step = m->lease.step,
                                  .dropout = m->lease.kind != LEASE_HELD_OUT,
                                  .smoothing = conf->train.label_smoothing};
    return k;
}

int kept_slices_add(struct kept_slices *k, const struct message *m,
                    const struct transformer *t, const struct conf *conf)
{
    const struct plan plan = {conf->train.batch, conf->train.slices, conf->model.context};
    TRY(check(m, t, plan));
    if (k->n + m->lease.slices > k->room) {
        k->room = 2 * k->room + m->lease.slices;
        k->list = mem_resize(k->list, k->room * sizeof(struct kept_slice *));
    }
    for (size_t i = 0; i < m->lease.slices; i++)
        k->list[k->n++] = copy(m, i, conf);
    return ERR_OK;
}

static size_t find(const struct kept_slices *k, enum lease_kind lease, uint32_t number)
{
    size_t i = 0;
    while (i < k->n &&
           (k->list[i]->job.lease != lease || k->list[i]->job.number != number))
        i++;
    assert(i < k->n);
    return i;
}

struct compute_job *kept_slices_job(const struct kept_slices *k, enum lease_kind lease,
                                    uint32_t number)
{
    return &k->list[find(k, lease, number)]->job;
}

void kept_slices_drop(struct kept_slices *k, enum lease_kind lease, uint32_t number)
{
    const size_t i = find(k, lease, number);
    kept_free(k->list[i]);
    k->list[i] = k->list[--k->n];
}
