/* range.h - pieces of the flat vector: unit of storage, transfer and update.
 *
 * The vector is cut once per run: at the borders of layers, small neighbours joined,
 * large ones cut.  A range begins where a block of the wire begins (wire.h), up to a
 * block behind the layer's border.  The cut is a function of the model alone and has no
 * influence on any result.
 */
#ifndef FLAT_RANGE_H
#define FLAT_RANGE_H

#include <stddef.h>

struct range {
    size_t first, count;
};

enum {
    RANGE_SMALL = 64 << 10, /* elements: a layer below this is joined with the next */
    RANGE_LARGE = 1 << 20   /* elements, 4 MiB: no range is longer */
};

struct ranges {
    size_t n;
    struct range *list; /* owned; in order, covering [0, count) */
};

/* @borders [n]: first elements of the layers, ascending, starting with 0.  What is before
 * a border is in the ranges before it. */
void ranges_init(struct ranges *r, const size_t *borders, size_t n, size_t count);
void ranges_whole(struct ranges *r, size_t count); /* one range, whatever its length */
void ranges_fini(struct ranges *r);
size_t ranges_longest(const struct ranges *r);

#endif
