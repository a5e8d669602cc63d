/* tally.h - how often each of many things, told apart by hashes of 64 bits, was seen.
 * Memory: at most 48 bytes for each. */
#ifndef DOCTOR_TALLY_H
#define DOCTOR_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally { /* private; zeros: empty */
    uint64_t *key;
    uint32_t *count; /* 0: free */
    size_t n, room;
};

void tally_fini(struct tally *t);

/* How often it was added before. */
uint32_t tally_add(struct tally *t, uint64_t key);
uint32_t tally_of(const struct tally *t, uint64_t key);

#endif
