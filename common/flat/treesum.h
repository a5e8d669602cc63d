/* treesum.h - adds partials along the tree over the slices (base/tree.h), range by range.
 *
 * Parts arrive as buffers that hold the value of one node, in any order, from any thread.
 * A part whose sibling is there is added to it - right into left - and the sum goes on to
 * their parent, until the node it was all done for, the top, is reached.  A part
 * without its sibling waits.
 *
 *      value(node) = round(value(left) + value(right))
 *
 * round() is wire.h's.  Every part given must be rounded already, so that a node's value
 * does not depend on whether it travelled.
 *
 * Ranges are independent of each other.  The sum of a top lies in the buffer that held
 * its first slice, whole.  Buffers come from a pool that grows to what is needed and then
 * stays: V, workers and threads bound it.
 *
 * Thread-safe: books under one lock, additions outside of it.
 */
#ifndef FLAT_TREESUM_H
#define FLAT_TREESUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tree.h"
#include "flat/range.h"
#include "flat/wire.h"

struct treesum;

struct treesum_buffer {
    float *data; /* [count] */
    /* private */
    _Atomic size_t ranges_held;
    struct treesum_buffer *next;
};

struct treesum *treesum_new(uint32_t V, const struct ranges *ranges, enum wire wire);
void treesum_free(struct treesum *s);

/* A buffer for one part; content undefined. */
struct treesum_buffer *treesum_take(struct treesum *s);
/* Back to the pool, whole: unused, or a finished top that is no longer needed. */
void treesum_give(struct treesum *s, struct treesum_buffer *b);

/* Range @r of @part lies in @b, which from now on belongs to the sum.  Returns true to
 * the one call that completes range @r of @top; *sum then is the buffer, held until
 * treesum_give(), or, when @sum is NULL, waits for treesum_extract(). Each canonical node below top is given at most once per range. */
bool treesum_add(struct treesum *s, struct tree_node part, struct tree_node top, size_t r,
                 struct treesum_buffer *b, struct treesum_buffer **sum);

/* The value of @node, whose parts have all been added and whose sibling's have not: it no
 * longer waits, and is the caller's until treesum_give().  NULL: it is not there. */
struct treesum_buffer *treesum_extract(struct treesum *s, struct tree_node node);
/* What waits at @node or below it is forgotten: a whole value of @node is to be added. */
void treesum_discard(struct treesum *s, struct tree_node node);

/* From now on it is the sum of @V slices, up to those it was made for; nothing waits. */
void treesum_slices(struct treesum *s, uint32_t V);

/* Forget waiting parts; their buffers return to the pool.  No treesum_add() may be
 * running. */
void treesum_reset(struct treesum *s);

size_t treesum_buffers(struct treesum *s); /* in existence, for reports */

#endif
