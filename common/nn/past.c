#include "nn/past.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { ROOM = 8 /* tokens of a slot at first */ };

/* Numbers of one token. */
static size_t width(const struct past *p)
{
    return 2 * p->shape.G * p->shape.D;
}

static void *array(size_t n, size_t bytes)
{
    return mem_zalloc(mem_mul(n, bytes));
}

void past_init(struct past *p, const struct shape *s, size_t rows)
{
    *p = (struct past){.shape = *s,
                       .slots = rows,
                       .slot = array(rows, sizeof *p->slot),
                       .other = array(rows, sizeof *p->other),
                       .taken = array(rows, sizeof *p->taken),
                       .ones = array(rows, sizeof *p->ones),
                       .lengths = array(rows, sizeof *p->lengths),
                       .first = array(rows, sizeof *p->first)};
    for (size_t r = 0; r < rows; r++)
        p->ones[r] = 1;
}

void past_fini(struct past *p)
{
    mem_free(p->kv);
    mem_free(p->slot);
    mem_free(p->other);
    mem_free(p->taken);
    mem_free(p->ones);
    mem_free(p->lengths);
    mem_free(p->first);
}

void past_begin(struct past *p, size_t rows)
{
    assert(rows <= p->slots);
    for (size_t r = 0; r < rows; r++)
        p->slot[r] = (uint32_t)r;
}

/* Where a slot lies in block @l, when slots have @room. */
static size_t place(const struct past *p, size_t l, size_t slot, size_t room)
{
    return (l * p->slots + slot) * room * width(p);
}

static void grow(struct past *p, size_t rows, size_t length)
{
    const size_t L = p->shape.L, T = p->shape.T, twice = p->room ? 2 * p->room : ROOM;
    const size_t room = twice < T ? twice : T;
    real *kv = mem_alloc(mem_mul(mem_mul(L * p->slots, room), width(p) * sizeof *kv));
    for (size_t l = 0; l < L; l++)
        for (size_t r = 0; r < rows && length > 0; r++)
            memcpy(kv + place(p, l, p->slot[r], room),
                   p->kv + place(p, l, p->slot[r], p->room),
                   length * width(p) * sizeof *kv);
    mem_free(p->kv);
    p->kv = kv;
    p->room = room;
}

struct look past_look(struct past *p, size_t rows, size_t length)
{
    assert(rows <= p->slots && length < p->shape.T);
    if (length == p->room)
        grow(p, rows, length);
    for (size_t r = 0; r < rows; r++) {
        p->lengths[r] = (uint32_t)length + 1;
        p->first[r] = p->slot[r] * p->room;
    }
    return (struct look){.of = sequences_of(rows, p->ones),
                         .at = sequences_of(rows, p->lengths),
                         .first = p->first,
                         .kv = p->kv,
                         .rows = p->slots * p->room};
}

static void copy(struct past *p, size_t to, size_t from, size_t length)
{
    for (size_t l = 0; l < p->shape.L && length > 0; l++)
        memcpy(p->kv + place(p, l, to, p->room), p->kv + place(p, l, from, p->room),
               length * width(p) * sizeof *p->kv);
}

void past_select(struct past *p, const uint32_t *parents, size_t n, size_t length)
{
    static const uint32_t NONE = UINT32_MAX;
    assert(n <= p->slots);
    memset(p->taken, 0, p->slots * sizeof *p->taken);
    for (size_t i = 0; i < n; i++) {
        const uint32_t slot = p->slot[parents[i]];
        p->other[i] = p->taken[slot] ? NONE : slot;
        p->taken[slot] = true;
    }
    uint32_t next = 0; /* all below are taken */
    for (size_t i = 0; i < n; i++) {
        if (p->other[i] != NONE)
            continue;
        while (p->taken[next])
            next++;
        p->other[i] = next++;
        copy(p, p->other[i], p->slot[parents[i]], length);
    }
    uint32_t *const before = p->slot;
    p->slot = p->other;
    p->other = before;
}
