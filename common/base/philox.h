/* philox.h - counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw
 * 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A number is a pure function of (key, counter): no state, so the same number comes out
 * whoever asks, in any order, on any thread.  Keys name a purpose, counters a place:
 *
 *      key      (seed, stream)                 see enum philox_stream
 *      counter  (index / 4, site, sample, step)
 */
#ifndef BASE_PHILOX_H
#define BASE_PHILOX_H

#include <stdint.h>

/* What the numbers are for; a new purpose gets a new number, old ones never change. */
enum philox_stream {
    PHILOX_INIT = 1, /* counter: index, tensor number */
    PHILOX_DROPOUT,  /* counter: index, site, sample, step */
    PHILOX_ORDER,    /* counter: round, epoch */
    PHILOX_GENERATE, /* counter: position, sample */
    PHILOX_TEST,
    PHILOX_AUDIT,  /* counter: slice, step */
    PHILOX_MERGES, /* counter: choice, word, sample, epoch */
    PHILOX_AUGMENT /* counter: position, transform, sample (64 bits) */
};

struct philox_key {
    uint32_t word[2];
};

struct philox_block {
    uint32_t word[4];
};

/* Mixes the 64-bit @seed with the stream into the 64-bit key: equal pairs give equal
 * keys, and streams of one seed differ. */
struct philox_key philox_key(uint64_t seed, enum philox_stream stream);

static inline struct philox_block philox(struct philox_key key,
                                         struct philox_block counter)
{
    uint32_t k0 = key.word[0], k1 = key.word[1];
    struct philox_block x = counter;
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * x.word[0];
        const uint64_t b = (uint64_t)0xCD9E8D57u * x.word[2];
        x = (struct philox_block){{(uint32_t)(b >> 32) ^ x.word[1] ^ k0, (uint32_t)b,
                                   (uint32_t)(a >> 32) ^ x.word[3] ^ k1, (uint32_t)a}};
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    return x;
}

/* [0, 1), 24 bits: exact in float and in double */
static inline double philox_uniform(uint32_t word)
{
    return (double)(word >> 8) * 0x1p-24;
}

/* Two independent standard normal numbers from two words (Box and Muller 1958). */
void philox_normal(uint32_t w0, uint32_t w1, double out[2]);

#endif
