/* arena.h - memory that is freed all at once: activations live until the next slice.
 *
 * An arena is sized once (run the same pushes on an arena with base NULL to measure),
 * pushed to during a slice and reset before the next.  Blocks are 64-byte aligned and
 * not cleared.  Asking for more than was sized is a mistake of ours and asserted.
 */
#ifndef TENSOR_ARENA_H
#define TENSOR_ARENA_H

#include <stddef.h>

struct arena {
    char *base; /* NULL while measuring: pushes return NULL and only count */
    size_t size, used, peak;
};

void *arena_push(struct arena *a, size_t bytes);
size_t arena_mark(const struct arena *a);
void arena_release(struct arena *a, size_t mark);

#endif
