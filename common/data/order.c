#include "data/order.h"

#include <assert.h>

enum { ROUNDS = 8 };

void order_init(struct order *o, uint64_t seed, uint64_t epoch, uint64_t n)
{
    assert(n >= 1);
    assert(n <= (uint64_t)1 << 62);
    unsigned half = 1;
    while ((uint64_t)1 << 2 * half < n && half < 31)
        half++;
    *o = (struct order){philox_key(seed, PHILOX_ORDER), epoch, n, half};
}

static uint64_t feistel(const struct order *o, uint64_t x)
{
    const uint32_t mask = (uint32_t)(((uint64_t)1 << o->half) - 1);
    uint32_t left = (uint32_t)(x >> o->half), right = (uint32_t)x & mask;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const struct philox_block r =
            philox(o->key, (struct philox_block){{right, round, (uint32_t)o->epoch,
                                                  (uint32_t)(o->epoch >> 32)}});
        const uint32_t next = left ^ (r.word[0] & mask);
        left = right;
        right = next;
    }
    return (uint64_t)left << o->half | right;
}

uint64_t order_at(const struct order *o, uint64_t i)
{
    assert(i < o->n);
    do
        i = feistel(o, i);
    while (i >= o->n);
    return i;
}
