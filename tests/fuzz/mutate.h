/* mutate.h - small random changes, a function of the seed (for replay.c; libFuzzer has
 * its own). */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

void mutate_seed(uint64_t seed);
uint64_t mutate_below(uint64_t limit); /* 0 to limit - 1 */

/* One change in place: a bit, a byte, a number of 1 to 8 bytes or of digits, a piece
 * removed, inserted, doubled or moved.  The new length, at most @room. */
size_t mutate(uint8_t *data, size_t bytes, size_t room);

#endif
