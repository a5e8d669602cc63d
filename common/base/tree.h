/* tree.h - the fixed binary tree over the slices of a step.
 *
 * Node (level l, index i) covers the slices [i * 2^l, min((i + 1) * 2^l, V)); its value
 * is value(left) + value(right), and where the right child would begin at or after V the
 * node is its left child.  Which nodes exist depends on V alone, so a sum along the tree
 * has the same bits whoever adds what, and in which order the parts arrive.
 *
 *              (3,0)                       V = 6
 *          (2,0)      (2,1)=(1,2)
 *      (1,0)  (1,1)   (1,2)
 *      0  1   2  3    4  5
 *
 * Nodes that cover the same slices are one node; its canonical name is the one with the
 * lowest level, and only canonical names are used.
 */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_LEVELS = 32 };

struct tree_node {
    uint32_t level, index;
};

static inline uint32_t tree_first(struct tree_node n)
{
    return n.index << n.level;
}

static inline uint32_t tree_end(struct tree_node n, uint32_t V)
{
    const uint64_t end = ((uint64_t)n.index + 1) << n.level;
    return end < V ? (uint32_t)end : V;
}

static inline uint32_t tree_size(struct tree_node n, uint32_t V)
{
    return tree_end(n, V) - tree_first(n);
}

static inline bool tree_same(struct tree_node a, struct tree_node b)
{
    return a.level == b.level && a.index == b.index;
}

/* Is this a canonical node of the tree over V slices?  For names that came from outside.
 */
bool tree_valid(struct tree_node n, uint32_t V);

struct tree_node tree_root(uint32_t V);

/* The two canonical nodes that a canonical node with more than one slice is the sum of.
 */
struct tree_node tree_left(struct tree_node n);
struct tree_node tree_right(struct tree_node n, uint32_t V);

/* The canonical node that @n is a part of, and the part that it is to be added to.  @n is
 * not the root. */
struct tree_node tree_parent(struct tree_node n, uint32_t V);
struct tree_node tree_sibling(struct tree_node n, uint32_t V);

/* The fewest canonical nodes that cover [first, end), in order; at most 2 * TREE_LEVELS.
 */
size_t tree_cover(uint32_t first, uint32_t end, uint32_t V,
                  struct tree_node nodes[2 * TREE_LEVELS]);

/* A dense number of a canonical node, below 2 V: to keep per-node data in an array. */
static inline uint32_t tree_slot(struct tree_node n, uint32_t V)
{
    /* a node is told by its first slice and its size: the last slice of the left part
     * separates it from its neighbours.  Leaves take V.., inner nodes that slice. */
    if (n.level == 0)
        return V + n.index;
    return tree_first(n) + (1u << (n.level - 1)) - 1;
}

#endif
