#include "doctor/tally.h"

#include "base/mem.h"

enum { FIRST = 1024 };

void tally_fini(struct tally *t)
{
    mem_free(t->key);
    mem_free(t->count);
    *t = (struct tally){0};
}

/* Where @key is, or belongs; keys are hashes, but those of a text may be small numbers.
 */
static size_t place(const struct tally *t, uint64_t key)
{
    const uint64_t spread = key * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    size_t i = (size_t)(spread >> 20) & (t->room - 1);
    while (t->count[i] > 0 && t->key[i] != key)
        i = (i + 1) & (t->room - 1);
    return i;
}

static void grow(struct tally *t)
{
    struct tally larger = {.n = t->n, .room = t->room ? 2 * t->room : FIRST};
    larger.key = mem_alloc(mem_mul(larger.room, sizeof *larger.key));
    larger.count = mem_zalloc(mem_mul(larger.room, sizeof *larger.count));
    for (size_t i = 0; i < t->room; i++)
        if (t->count[i] > 0) {
            const size_t at = place(&larger, t->key[i]);
            larger.key[at] = t->key[i];
            larger.count[at] = t->count[i];
        }
    tally_fini(t);
    *t = larger;
}

uint32_t tally_add(struct tally *t, uint64_t key)
{
    if (4 * t->n >= 3 * t->room)
        grow(t);
    const size_t i = place(t, key);
    t->key[i] = key;
    if (t->count[i] == 0)
        t->n++;
    if (t->count[i] < UINT32_MAX)
        t->count[i]++;
    return t->count[i] - 1;
}

uint32_t tally_of(const struct tally *t, uint64_t key)
{
    return t->room ? t->count[place(t, key)] : 0;
}
