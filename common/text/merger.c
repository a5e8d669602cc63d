#include "text/merger.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"

#define JOINED UINT32_MAX /* a place whose token is now part of the one before it */

/* The word: a list of tokens, linked by place, and a heap of the pairs that may be
 * joined, lowest (rank, place) first, as rank << 32 | place.  A heap entry whose pair no
 * longer stands at its place is stale, and skipped. */
struct merger {
    struct pairs *pairs; /* number = rank */
    uint32_t *result;    /* [rank] */

    uint32_t *id, *prev, *next; /* [room]; prev of the first and next of the last: n */
    uint32_t n, room;
    uint64_t *heap; /* [2 room]: n - 1 at first, and one more with each merge */
    size_t heap_n;
    uint64_t *passed; /* [2 room]: taken from the heap since the last merge, and valid */
    size_t passed_n;
};

struct merger *merger_new(const struct bpe_merge *merges, size_t n)
{
    struct merger *m = mem_zalloc(sizeof *m);
    m->pairs = pairs_new();
    m->result = mem_alloc(mem_mul(n, sizeof *m->result));
    for (size_t i = 0; i < n; i++) {
        const uint32_t rank = pairs_add(m->pairs, merges[i].pair);
        assert(rank == i);
        m->result[rank] = merges[i].result;
    }
    return m;
}

void merger_free(struct merger *m)
{
    if (!m)
        return;
    pairs_free(m->pairs);
    mem_free(m->result);
    mem_free(m->id);
    mem_free(m->prev);
    mem_free(m->next);
    mem_free(m->heap);
    mem_free(m->passed);
    mem_free(m);
}

static void heap_push(struct merger *m, uint64_t entry)
{
    assert(m->heap_n < 2 * (size_t)m->room);
    size_t i = m->heap_n++;
    for (; i > 0 && m->heap[(i - 1) / 2] > entry; i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = entry;
}

static uint64_t heap_pop(struct merger *m)
{
    assert(m->heap_n > 0);
    const uint64_t top = m->heap[0], last = m->heap[--m->heap_n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < m->heap_n; i = k) {
        if (k + 1 < m->heap_n && m->heap[k + 1] < m->heap[k])
            k++;
        if (last <= m->heap[k])
            break;
        m->heap[i] = m->heap[k];
    }
    m->heap[i] = last;
    return top;
}

uint32_t *merger_word(struct merger *m, size_t n)
{
    assert(n < UINT32_MAX / 2);
    m->n = (uint32_t)n;
    if (m->n > m->room) {
        m->room = m->n + 64 + m->n / 2;
        m->id = mem_resize(m->id, mem_mul(m->room, sizeof *m->id));
        m->prev = mem_resize(m->prev, mem_mul(m->room, sizeof *m->prev));
        m->next = mem_resize(m->next, mem_mul(m->room, sizeof *m->next));
        m->heap = mem_resize(m->heap, mem_mul(2 * (size_t)m->room, sizeof *m->heap));
        m->passed =
            mem_resize(m->passed, mem_mul(2 * (size_t)m->room, sizeof *m->passed));
    }
    return m->id;
}

/* The rank of the pair that stands at @at and behind it, or PAIRS_NONE. */
static uint32_t rank_at(const struct merger *m, uint32_t at)
{
    if (at >= m->n || m->id[at] == JOINED || m->next[at] >= m->n)
        return PAIRS_NONE;
    return pairs_find(m->pairs, (struct pair){m->id[at], m->id[m->next[at]]});
}

static void consider(struct merger *m, uint32_t at)
{
    const uint32_t rank = rank_at(m, at);
    if (rank != PAIRS_NONE)
        heap_push(m, (uint64_t)rank << 32 | at);
}

static void join(struct merger *m, uint32_t at, uint32_t result)
{
    const uint32_t gone = m->next[at], behind = m->next[gone];
    m->id[at] = result;
    m->id[gone] = JOINED;
    m->next[at] = behind;
    if (behind < m->n)
        m->prev[behind] = at;
}

/* Whether the pair that comes as choice number @choice of the word is passed over. */
static bool pass(const struct merge_dropout *d, uint32_t choice)
{
    if (!d)
        return false;
    const struct philox_block counter = {{choice / 4, d->word, d->sample, d->epoch}};
    return philox_uniform(philox(d->key, counter).word[choice % 4]) < d->p;
}

/* What was passed over may be chosen after the next merge. */
static void put_back(struct merger *m)
{
    while (m->passed_n)
        heap_push(m, m->passed[--m->passed_n]);
}

static void merge_all(struct merger *m, const struct merge_dropout *dropout)
{
    uint32_t choice = 0;
    m->passed_n = 0;
    while (m->heap_n) {
        const uint64_t top = heap_pop(m);
        const uint32_t rank = (uint32_t)(top >> 32), at = (uint32_t)top;
        if (rank_at(m, at) != rank)
            continue;
        if (pass(dropout, choice++)) {
            m->passed[m->passed_n++] = top;
            continue;
        }
        join(m, at, m->result[rank]);
        put_back(m);
        consider(m, m->prev[at]);
        consider(m, at);
    }
}

void merger_run(struct merger *m, const struct merge_dropout *dropout, struct ids *out)
{
    m->heap_n = 0;
    for (uint32_t at = 0; at < m->n; at++) {
        m->prev[at] = at ? at - 1 : m->n;
        m->next[at] = at + 1;
    }
    for (uint32_t at = 0; at < m->n; at++)
        consider(m, at);
    merge_all(m, dropout);
    for (uint32_t at = 0; at < m->n; at = m->next[at])
        ids_push(out, m->id[at]);
}

size_t merger_count(const struct merger *m)
{
    return pairs_count(m->pairs);
}

struct bpe_merge merger_get(const struct merger *m, size_t rank)
{
    return (struct bpe_merge){pairs_get(m->pairs, (uint32_t)rank), m->result[rank]};
}
