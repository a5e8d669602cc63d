/* budget.h - memory for one received message, with an end.
 *
 * An unpacked protobuf may need 76 times the memory of its bytes (a megabyte of empty
 * submessages), so what a frame may cost is bounded here and not by its length.  Blocks
 * live until the next budget_reset(); giving one back early is allowed and does nothing.
 *
 * Any thread, one at a time.
 */
#ifndef NET_BUDGET_H
#define NET_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t left;
    bool exceeded; /* since the last reset */
    /* private */
    struct budget_block *blocks;
};

void budget_reset(struct budget *b, size_t bytes);  /* frees all blocks */
void *budget_alloc(struct budget *b, size_t bytes); /* aligned to 16; NULL: exceeded */

#endif
