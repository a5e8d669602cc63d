#include "base/tree.h"

#include <assert.h>

/* Lower the level while the upper half is empty. */
static struct tree_node canonical(struct tree_node n, uint32_t V)
{
    assert(tree_first(n) < V);
    while (n.level > 0 && (uint64_t)tree_first(n) + (1u << (n.level - 1)) >= V)
        n = (struct tree_node){n.level - 1, n.index * 2};
    return n;
}

bool tree_valid(struct tree_node n, uint32_t V)
{
    if (n.level >= TREE_LEVELS || ((uint64_t)n.index << n.level) >= V)
        return false;
    return tree_same(canonical(n, V), n);
}

struct tree_node tree_root(uint32_t V)
{
    assert(V > 0 && V <= 1u << (TREE_LEVELS - 2));
    struct tree_node n = {0, 0};
    while (1u << n.level < V)
        n.level++;
    return n;
}

struct tree_node tree_left(struct tree_node n)
{
    assert(n.level > 0);
    return (struct tree_node){n.level - 1, n.index * 2};
}

struct tree_node tree_right(struct tree_node n, uint32_t V)
{
    assert(n.level > 0);
    return canonical((struct tree_node){n.level - 1, n.index * 2 + 1}, V);
}

struct tree_node tree_parent(struct tree_node n, uint32_t V)
{
    const uint32_t size = tree_size(n, V);
    assert(size < V && "the root has no parent");
    do
        n = (struct tree_node){n.level + 1, n.index / 2};
    while (tree_size(n, V) == size); /* the same node under a higher name */
    return n;
}

struct tree_node tree_sibling(struct tree_node n, uint32_t V)
{
    const struct tree_node parent = tree_parent(n, V);
    return tree_first(n) == tree_first(parent) ? tree_right(parent, V)
                                               : tree_left(parent);
}

size_t tree_cover(uint32_t first, uint32_t end, uint32_t V,
                  struct tree_node nodes[2 * TREE_LEVELS])
{
    assert(first <= end && end <= V);
    size_t n = 0;
    while (first < end) {
        struct tree_node at = {0, first};
        while (tree_end(at, V) < V || tree_first(at) > 0) { /* below the root */
            const struct tree_node up = {at.level + 1, at.index / 2};
            if (tree_first(up) != first || tree_end(up, V) > end ||
                tree_end(at, V) == tree_end(up, V))
                break;
            at = up;
        }
        assert(n < 2 * TREE_LEVELS);
        nodes[n++] = canonical(at, V);
        first = tree_end(at, V);
    }
    return n;
}
