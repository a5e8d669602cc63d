#include "support/test.h"

#include "base/tree.h"

enum { V_MAX = 70 };

static struct tree_node node(uint32_t level, uint32_t index)
{
    return (struct tree_node){level, index};
}

/* Visits every canonical node below @n. */
static void walk(struct tree_node n, uint32_t V,
                 void (*visit)(struct tree_node, uint32_t))
{
    visit(n, V);
    if (n.level == 0)
        return;
    walk(tree_left(n), V, visit);
    walk(tree_right(n, V), V, visit);
}

static void check_node(struct tree_node n, uint32_t V)
{
    assert_true(tree_valid(n, V));
    if (n.level == 0) {
        assert_int_equal(tree_size(n, V), 1);
        return;
    }
    const struct tree_node left = tree_left(n), right = tree_right(n, V);
    assert_int_equal(tree_first(left), tree_first(n));
    assert_int_equal(tree_end(left, V), tree_first(right));
    assert_int_equal(tree_end(right, V), tree_end(n, V));
    assert_true(tree_same(tree_parent(left, V), n) &&
                tree_same(tree_parent(right, V), n));
    assert_true(tree_same(tree_sibling(left, V), right));
    assert_true(tree_same(tree_sibling(right, V), left));
}

static void children_cover_their_parent_and_know_it(void **state)
{
    (void)state;
    for (uint32_t V = 1; V <= V_MAX; V++) {
        assert_int_equal(tree_size(tree_root(V), V), V);
        walk(tree_root(V), V, check_node);
    }
}

static unsigned char seen[2 * V_MAX];

static void mark(struct tree_node n, uint32_t V)
{
    assert_true(tree_slot(n, V) < 2 * V);
    seen[tree_slot(n, V)]++;
}

static void slots_are_dense_and_distinct(void **state)
{
    (void)state;
    for (uint32_t V = 1; V <= V_MAX; V++) {
        memset(seen, 0, sizeof seen);
        walk(tree_root(V), V, mark);
        for (uint32_t i = 0; i < 2 * V; i++)
            assert_int_equal(seen[i], i != V - 1); /* V leaves, V - 1 inner nodes */
    }
}

static void names_that_are_no_canonical_node_are_refused(void **state)
{
    (void)state;
    assert_true(tree_valid(node(3, 0), 6));
    assert_true(tree_valid(node(1, 2), 6));
    assert_false(tree_valid(node(2, 1), 6)); /* the same slices as (1,2) */
    assert_false(tree_valid(node(4, 0), 6));
    assert_false(tree_valid(node(0, 6), 6));
    assert_false(tree_valid(node(40, 0), 6));
    assert_false(tree_valid(node(31, 7), 6));
    assert_false(tree_valid(node(1, UINT32_MAX), 6));
}

static void a_cover_is_exact_and_shortest(void **state)
{
    (void)state;
    for (uint32_t V = 1; V <= 33; V++)
        for (uint32_t first = 0; first < V; first++)
            for (uint32_t end = first + 1; end <= V; end++) {
                struct tree_node nodes[2 * TREE_LEVELS];
                const size_t n = tree_cover(first, end, V, nodes);
                uint32_t at = first;
                for (size_t i = 0; i < n; i++) {
                    assert_true(tree_valid(nodes[i], V));
                    assert_int_equal(tree_first(nodes[i]), at);
                    at = tree_end(nodes[i], V);
                    if (i > 0) /* two that could be one would not be shortest */
                        assert_false(tree_same(tree_sibling(nodes[i - 1], V), nodes[i]));
                }
                assert_int_equal(at, end);
            }
    struct tree_node nodes[2 * TREE_LEVELS];
    assert_int_equal(tree_cover(0, 8, 8, nodes), 1);
    assert_true(tree_same(nodes[0], node(3, 0)));
    assert_int_equal(tree_cover(3, 8, 8, nodes), 2);
    assert_true(tree_same(nodes[0], node(0, 3)) && tree_same(nodes[1], node(2, 1)));
}

RUN(T(children_cover_their_parent_and_know_it), T(slots_are_dense_and_distinct),
    T(names_that_are_no_canonical_node_are_refused), T(a_cover_is_exact_and_shortest))
