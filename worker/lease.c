#include "worker/lease.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/plan.h"

/* One block of memory per lease: this, slices, results, samples, tokens. */
struct kept {
    struct compute_job job;
    struct slice *slice;
    struct slice_result *result;
    uint64_t *samples;
    uint32_t *tokens;
};

struct kept_lease {
    uint64_t lease;
    struct kept *kept; /* at one address: the compute threads know it */
};

static void kept_free(struct kept *k)
{
    mem_free(k->slice);
    mem_free(k->result);
    mem_free(k->samples);
    mem_free(k->tokens);
    mem_free(k);
}

void kept_leases_fini(struct kept_leases *k)
{
    for (size_t i = 0; i < k->n; i++)
        kept_free(k->list[i].kept);
    mem_free(k->list);
    *k = (struct kept_leases){0};
}

static int refuse(const struct message *m, const char *what, uint64_t value,
                  uint64_t limit)
{
    log_error("lease %llu: %s %llu, expected at most %llu",
              (unsigned long long)m->lease.lease, what, (unsigned long long)value,
              (unsigned long long)limit);
    return ERR_MALFORMED;
}

static int check(const struct message *m, const struct transformer *t, struct plan plan)
{
    const struct tree_node node = {m->lease.level, m->lease.index};
    if (!m->lease.evaluation && (!tree_valid(node, plan.slices) ||
                                 tree_size(node, plan.slices) != m->lease.slices))
        return refuse(m, "slices that are not those of its node:", m->lease.slices,
                      plan.slices);
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

static struct kept *copy(const struct message *m, const struct conf *conf)
{
    size_t sequences = 0, tokens = 0;
    for (size_t i = 0; i < m->lease.slices; i++) {
        sequences += m->lease.slice[i].sequences;
        tokens += (size_t)m->lease.slice[i].sequences * (m->lease.slice[i].length + 1);
    }
    struct kept *k = mem_zalloc(sizeof *k);
    k->slice = mem_zalloc(m->lease.slices * sizeof *k->slice);
    k->result = mem_zalloc(m->lease.slices * sizeof *k->result);
    k->samples = mem_alloc(sequences * sizeof *k->samples);
    k->tokens = mem_alloc(tokens * sizeof *k->tokens);

    uint64_t *samples = k->samples;
    uint32_t *at = k->tokens;
    for (size_t i = 0; i < m->lease.slices; i++) {
        const struct message_slice s = m->lease.slice[i];
        const size_t n = (size_t)s.sequences * (s.length + 1);
        memcpy(at, s.tokens, n * sizeof *at);
        memcpy(samples, s.samples, s.sequences * sizeof *samples);
        k->slice[i] = (struct slice){.sequences = s.sequences,
                                     .length = s.length,
                                     .tokens = at,
                                     .samples = samples,
                                     .seed = conf->train.seed,
                                     .step = m->lease.step,
                                     .dropout = !m->lease.evaluation};
        at += n;
        samples += s.sequences;
    }
    k->job = (struct compute_job){.id = m->lease.lease,
                                  .evaluation = m->lease.evaluation,
                                  .node = {m->lease.level, m->lease.index},
                                  .slices = m->lease.slices,
                                  .slice = k->slice,
                                  .result = k->result};
    return k;
}

int kept_leases_add(struct kept_leases *k, const struct message *m,
                    const struct transformer *t, const struct conf *conf)
{
    const struct plan plan = {conf->train.batch, conf->train.slices, conf->model.context};
    TRY(check(m, t, plan));
    if (k->n == k->room) {
        k->room = k->room ? 2 * k->room : 16;
        k->list = mem_resize(k->list, k->room * sizeof *k->list);
    }
    k->list[k->n++] = (struct kept_lease){m->lease.lease, copy(m, conf)};
    return ERR_OK;
}

static size_t find(const struct kept_leases *k, uint64_t lease)
{
    size_t i = 0;
    while (i < k->n && k->list[i].lease != lease)
        i++;
    assert(i < k->n);
    return i;
}

struct compute_job *kept_leases_job(const struct kept_leases *k, uint64_t lease)
{
    return &k->list[find(k, lease)].kept->job;
}

void kept_leases_drop(struct kept_leases *k, uint64_t lease)
{
    const size_t i = find(k, lease);
    kept_free(k->list[i].kept);
    k->list[i] = k->list[--k->n];
}
