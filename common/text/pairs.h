/* pairs.h - numbers for pairs of token ids: the first new pair is 0, the next 1 ...
 *
 * The number of a merge is its rank, so a table of merges in order is a struct pairs.
 * One thread at a time; finding only: any.
 */
#ifndef TEXT_PAIRS_H
#define TEXT_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#define PAIRS_NONE UINT32_MAX

struct pair {
    uint32_t left, right;
};

struct pairs;

struct pairs *pairs_new(void);
void pairs_free(struct pairs *p);

uint32_t pairs_add(struct pairs *p, struct pair pair);        /* old or new number */
uint32_t pairs_find(const struct pairs *p, struct pair pair); /* or PAIRS_NONE */
struct pair pairs_get(const struct pairs *p, uint32_t number);
size_t pairs_count(const struct pairs *p);

#endif
