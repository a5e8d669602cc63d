/* order.h - the order of the samples of an epoch: a keyed permutation of 0 .. n - 1.
 *
 * A Feistel network (Luby, Rackoff 1988) over the smallest square of a power of two that
 * holds n, with Philox as its round function:
 *
 *      (left, right)  ->  (right, left ^ philox(right, round, epoch))          8 rounds
 *
 * and cycle walking (Black, Rogaway 2002): what falls outside 0 .. n - 1 goes through
 * again, fewer than 4 times on average.  No table, no state: any position of any epoch
 * can be asked for at once, so the position in the data is one number.
 *
 * Part of the determinism contract: for given (seed, epoch, n) it never changes.  Pure
 * functions, any thread.
 */
#ifndef DATA_ORDER_H
#define DATA_ORDER_H

#include <stdint.h>

#include "base/philox.h"

struct order { /* private */
    struct philox_key key;
    uint64_t epoch, n;
    unsigned half; /* bits of each side */
};

/* 1 <= n <= 2^62 */
void order_init(struct order *o, uint64_t seed, uint64_t epoch, uint64_t n);
uint64_t order_at(const struct order *o, uint64_t i); /* i < n; so is the result */

#endif
