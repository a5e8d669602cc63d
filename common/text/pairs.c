#include "text/pairs.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct pairs {
    struct pair *all; /* [count] */
    size_t count, room;
    uint32_t *slots; /* [mask + 1] numbers or NONE, at most half of them used */
    size_t mask;
};

enum { FIRST_SLOTS = 1024 };

struct pairs *pairs_new(void)
{
    struct pairs *p = mem_zalloc(sizeof *p);
    p->mask = FIRST_SLOTS - 1;
    p->slots = mem_alloc(FIRST_SLOTS * sizeof *p->slots);
    memset(p->slots, 0xFF, FIRST_SLOTS * sizeof *p->slots);
    return p;
}

void pairs_free(struct pairs *p)
{
    if (!p)
        return;
    mem_free(p->all);
    mem_free(p->slots);
    mem_free(p);
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit reaches every bit. */
static size_t mix(struct pair pair)
{
    uint64_t x = (uint64_t)pair.left << 32 | pair.right;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (size_t)(x ^ x >> 31);
}

static size_t slot_of(const struct pairs *p, struct pair pair)
{
    for (size_t s = mix(pair) & p->mask;; s = (s + 1) & p->mask) {
        const uint32_t number = p->slots[s];
        if (number == PAIRS_NONE ||
            (p->all[number].left == pair.left && p->all[number].right == pair.right))
            return s;
    }
}

static void widen(struct pairs *p)
{
    const size_t slots = 2 * (p->mask + 1);
    p->slots = mem_resize(p->slots, mem_mul(slots, sizeof *p->slots));
    memset(p->slots, 0xFF, slots * sizeof *p->slots);
    p->mask = slots - 1;
    for (size_t i = 0; i < p->count; i++)
        p->slots[slot_of(p, p->all[i])] = (uint32_t)i;
}

uint32_t pairs_add(struct pairs *p, struct pair pair)
{
    assert(p->count < PAIRS_NONE);
    const size_t s = slot_of(p, pair);
    if (p->slots[s] != PAIRS_NONE)
        return p->slots[s];
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 256;
        p->all = mem_resize(p->all, mem_mul(p->room, sizeof *p->all));
    }
    p->all[p->count] = pair;
    p->slots[s] = (uint32_t)p->count++;
    if (2 * p->count > p->mask)
        widen(p);
    return (uint32_t)(p->count - 1);
}

uint32_t pairs_find(const struct pairs *p, struct pair pair)
{
    return p->slots[slot_of(p, pair)];
}

struct pair pairs_get(const struct pairs *p, uint32_t number)
{
    assert(number < p->count);
    return p->all[number];
}

size_t pairs_count(const struct pairs *p)
{
    return p->count;
}
