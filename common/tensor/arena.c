#include "tensor/arena.h"

#include <assert.h>

void *arena_push(struct arena *a, size_t bytes)
{
    const size_t at = (a->used + 63) & ~(size_t)63;
    assert((!a->base || at + bytes <= a->size) && "arena was sized at start");
    a->used = at + bytes;
    if (a->used > a->peak)
        a->peak = a->used;
    return a->base ? a->base + at : NULL;
}

size_t arena_mark(const struct arena *a)
{
    return a->used;
}

void arena_release(struct arena *a, size_t mark)
{
    assert(mark <= a->used);
    a->used = mark;
}
