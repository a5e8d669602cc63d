/* pair_heap.h - for bpe_train: which pair is the most frequent, and of equally frequent
 * ones the greatest: left bytes compared first, then right bytes.  A binary heap; an
 * entry holds the count of the moment it was pushed. */
#ifndef TEXT_PAIR_HEAP_H
#define TEXT_PAIR_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "text/intern.h"
#include "text/pairs.h"

struct pair_entry {
    uint64_t count;
    uint32_t number; /* of the pair */
};

struct pair_heap {
    const struct pairs *pairs;   /* borrowed: pair by number */
    const struct intern *pieces; /* borrowed: bytes by token */
    struct pair_entry *all;
    size_t n, room;
};

void pair_heap_push(struct pair_heap *h, struct pair_entry e);
struct pair_entry pair_heap_pop(struct pair_heap *h); /* the greatest; h->n > 0 */
void pair_heap_fini(struct pair_heap *h);

#endif
