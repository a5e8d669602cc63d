#include "worker/lease.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/plan.h"

struct kept_slice {
    struct compute_job job;
    void *copies[6]; /* what job.slice points to */
    struct slice_statistics statistics;
};

static void kept_free(struct kept_slice *k)
{
    for (size_t i = 0; i < sizeof k->copies / sizeof *k->copies; i++)
        mem_free(k->copies[i]);
    hypotheses_fini(&k->job.hypotheses);
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

/* Lengths of @n sequences and their tokens, @more than its length of each. */
static int check_side(const struct message *m, const struct transformer *t,
                      uint64_t rows_max, const uint32_t *lengths, size_t n, unsigned more,
                      const uint32_t *tokens)
{
    uint64_t rows = 0;
    for (size_t b = 0; b < n; b++) {
        if (lengths[b] == 0 || lengths[b] > t->shape.T)
            return refuse(m, "a sequence of length", lengths[b], t->shape.T);
        rows += lengths[b];
    }
    if (n == 0 || rows > rows_max)
        return refuse(m, "rows", rows, rows_max);
    for (uint64_t k = 0; k < rows + n * more; k++)
        if (tokens[k] >= t->shape.V)
            return refuse(m, "a token", tokens[k], t->shape.V - 1);
    return ERR_OK;
}

/* What is translated is more than its end. */
static int check_sources(const struct message *m, struct message_slice s)
{
    if (!s.source_lengths)
        return refuse(m, "to be translated without a source:", s.sequences, 0);
    for (size_t b = 0; b < s.sequences; b++)
        if (s.source_lengths[b] < 2)
            return refuse(m, "empty sources:", 1, 0);
    return ERR_OK;
}

static bool held_out(const struct message *m)
{
    return m->lease.kind == LEASE_HELD_OUT || m->lease.kind == LEASE_TRANSLATE;
}

static int check(const struct message *m, const struct transformer *t, struct plan plan)
{
    if (!held_out(m) &&
        m->lease.first + m->lease.slices > plan.slices)
        return refuse(m, "slices up to", m->lease.first + m->lease.slices, plan.slices);
    for (size_t i = 0; i < m->lease.slices; i++) {
        const struct message_slice s = m->lease.slice[i];
        const uint32_t sources = s.source_lengths ? s.sequences : 0;
        TRY(check_side(m, t, plan_rows(plan), s.lengths, s.sequences, 1, s.tokens));
        if (sources && !t->shape.E)
            return refuse(m, "sources of a model without encoder:", sources, 0);
        if (t->shape.E)
            TRY(check_side(m, t, plan_rows(plan), s.source_lengths, sources, 0,
                           s.source));
        if (m->lease.kind == LEASE_TRANSLATE)
            TRY(check_sources(m, s));
    }
    return ERR_OK;
}

/* A copy of @n elements of @size bytes, kept as number @i. */
static const void *keep(struct kept_slice *k, size_t i, const void *from, size_t n,
                        size_t size)
{
    k->copies[i] = mem_alloc(mem_mul(n, size));
    return memcpy(k->copies[i], from, n * size);
}

/* Asked for, and for these blocks: there is room for the answer. */
static void make_room(struct kept_slice *k, const struct message *m,
                      const struct transformer *t)
{
    if (!m->lease.statistics || m->lease.kind != LEASE_TRAIN)
        return;
    k->job.statistics = true;
    if (k->job.number != m->lease.examined)
        return;
    k->copies[5] = k->statistics.block =
        mem_zalloc((t->shape.E + t->shape.L) * sizeof *k->statistics.block);
    k->job.slice.statistics = &k->statistics;
}

static struct kept_slice *copy(const struct message *m, size_t i,
                               const struct transformer *t, const struct conf *conf)
{
    const struct message_slice s = m->lease.slice[i];
    const size_t B = s.sequences;
    struct kept_slice *k = mem_zalloc(sizeof *k);
    k->job.lease = m->lease.kind;
    k->job.number = m->lease.first + (uint32_t)i;
    k->job.slice = (struct slice){
        .sequences = B,
        .length = keep(k, 0, s.lengths, B, sizeof *s.lengths),
        .tokens = keep(k, 1, s.tokens, message_slice_tokens(&s), sizeof *s.tokens),
        .samples = keep(k, 2, s.samples, B, sizeof *s.samples),
        .seed = conf->train.seed,
        .step = m->lease.step,
        .dropout = !held_out(m),
        .smoothing = conf->train.label_smoothing};
    make_room(k, m, t);
    if (!s.source_lengths)
        return k;
    k->job.slice.source_length = keep(k, 3, s.source_lengths, B, sizeof *s.lengths);
    k->job.slice.source =
        keep(k, 4, s.source, message_slice_source(&s), sizeof *s.source);
    return k;
}

int kept_slices_add(struct kept_slices *k, const struct message *m,
                    const struct transformer *t, const struct conf *conf)
{
    const struct plan plan = plan_of(conf);
    TRY(check(m, t, plan));
    if (k->n + m->lease.slices > k->room) {
        k->room = 2 * k->room + m->lease.slices;
        k->list = mem_resize(k->list, k->room * sizeof(struct kept_slice *));
    }
    for (size_t i = 0; i < m->lease.slices; i++)
        k->list[k->n++] = copy(m, i, t, conf);
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
