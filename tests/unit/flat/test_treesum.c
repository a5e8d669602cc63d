#include "support/test.h"

#include <pthread.h>

#include "flat/range.h"
#include "flat/treesum.h"
#include "tensor/rows.h"

enum { COUNT = 300000 };

static void borders_join_small_layers_and_cut_large_ones(void **state)
{
    (void)state;
    const size_t M = 1 << 20;
    const size_t borders[] = {0, 100, 200, 70000, 70000 + 3 * M, 70000 + 3 * M + 10};
    const size_t count = 70000 + 3 * M + 30;
    struct ranges r;
    ranges_init(&r, borders, 6, count);
    assert_int_equal(r.n, 5); /* [0, 70000), three or four pieces, the small rest */
    size_t at = 0;
    for (size_t i = 0; i < r.n; i++) {
        assert_int_equal(r.list[i].first, at);
        assert_true(r.list[i].count > 0 && r.list[i].count <= RANGE_LARGE);
        at += r.list[i].count;
    }
    assert_int_equal(at, count);
    ranges_fini(&r);
}

static void ranges_begin_where_blocks_of_the_wire_do_and_layers_end_in_them(void **state)
{
    (void)state;
    const size_t borders[] = {0, 70001, 200000, 5000063, 5100000, 5100033};
    struct ranges r;
    ranges_init(&r, borders, 6, 5100034); /* the last ones are in one block */
    for (size_t i = 0; i < r.n; i++)
        assert_int_equal(r.list[i].first % WIRE_BLOCK, 0);
    assert_int_equal(r.list[1].first,
                     70016); /* the block that 70000 is in is its layer's */
    const struct range last = r.list[r.n - 1];
    assert_int_equal(last.first + last.count, 5100034);
    ranges_fini(&r);
}

static float value(uint32_t v, size_t i)
{
    return (float)((v * 2654435761u + (uint32_t)i * 40503u) % 100003) * 1.7e-3f - 80;
}

/* The definition: value(left) + value(right), rounded.  To be freed. */
static float *expected(struct tree_node n, uint32_t V, enum wire wire)
{
    float *x, *right;
    if (n.level == 0) {
        x = malloc(COUNT * sizeof *x);
        for (size_t i = 0; i < COUNT; i++)
            x[i] = value(n.index, i);
    } else {
        x = expected(tree_left(n), V, wire);
        right = expected(tree_right(n, V), V, wire);
        for (size_t i = 0; i < COUNT; i++)
            x[i] += right[i];
        free(right);
    }
    wire_round(wire, x, COUNT);
    return x;
}

struct giver {
    struct treesum *sums;
    const struct ranges *ranges;
    uint32_t V, from, step;
    struct treesum_buffer *sum;
    enum wire wire;
};

/* Gives the leaves from, from + step, ... in a scrambled order. */
static void *give_leaves(void *arg)
{
    struct giver *g = arg;
    for (uint32_t k = 0; k < g->V; k++) {
        const uint32_t v = (k * 7 + 3) % g->V; /* V is no multiple of 7 */
        if (v % g->step != g->from)
            continue;
        struct treesum_buffer *b = treesum_take(g->sums), *sum;
        for (size_t i = 0; i < COUNT; i++)
            b->data[i] = value(v, i);
        wire_round(g->wire, b->data, COUNT);
        for (size_t r = 0; r < g->ranges->n; r++)
            if (treesum_add(g->sums, (struct tree_node){0, v}, tree_root(g->V), r, b,
                            &sum))
                g->sum = sum;
    }
    return NULL;
}

static void check(uint32_t V, unsigned threads, enum wire wire)
{
    struct ranges ranges;
    ranges_init(&ranges, (size_t[]){0, 100000, 200000}, 3, COUNT);
    struct treesum *s = treesum_new(V, &ranges, wire);
    struct giver g[3];
    pthread_t t[3];
    for (unsigned i = 0; i < threads; i++) {
        g[i] = (struct giver){s, &ranges, V, i, threads, NULL, wire};
        pthread_create(&t[i], NULL, give_leaves, &g[i]);
    }
    struct treesum_buffer *sum = NULL;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(t[i], NULL);
        sum = g[i].sum ? g[i].sum : sum;
    }
    assert_non_null(sum);
    float *wanted = expected(tree_root(V), V, wire);
    assert_memory_equal(sum->data, wanted, COUNT * sizeof *wanted);
    free(wanted);
    treesum_give(s, sum);
    treesum_free(s);
    ranges_fini(&ranges);
}

static void the_sum_is_that_of_the_tree_whoever_adds(void **state)
{
    (void)state;
    const uint32_t sizes[] = {1, 2, 3, 5, 8, 13};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned threads = 1; threads <= 3; threads++) {
            check(sizes[i], threads, WIRE_IS_FLOAT32);
            check(sizes[i], threads, WIRE_IS_BFLOAT16);
            check(sizes[i], threads, WIRE_IS_INT8);
        }
}

static void inner_nodes_may_arrive_instead_of_their_slices(void **state)
{
    (void)state;
    struct ranges whole;
    ranges_whole(&whole, 2);
    struct treesum *s = treesum_new(6, &whole, WIRE_IS_FLOAT32);
    const struct tree_node parts[] = {{1, 2}, {0, 1}, {1, 1}, {0, 0}};
    const float values[] = {1, 10, 100, 1000};
    struct treesum_buffer *sum = NULL;
    for (int i = 0; i < 4; i++) {
        struct treesum_buffer *b = treesum_take(s);
        b->data[0] = b->data[1] = values[i];
        assert_int_equal(treesum_add(s, parts[i], tree_root(6), 0, b, &sum), i == 3);
    }
    assert_float_equal(sum->data[1], 1111, 0);
    treesum_give(s, sum);
    treesum_free(s);
    ranges_fini(&whole);
}

static void buffers_are_used_again(void **state)
{
    (void)state;
    struct ranges whole;
    ranges_whole(&whole, 10);
    struct treesum *s = treesum_new(4, &whole, WIRE_IS_FLOAT32);
    for (int round = 0; round < 5; round++) {
        struct treesum_buffer *sum = NULL;
        for (uint32_t v = 0; v < 4; v++)
            treesum_add(s, (struct tree_node){0, v}, tree_root(4), 0, treesum_take(s),
                        &sum);
        assert_non_null(sum);
        treesum_give(s, sum);
    }
    struct treesum_buffer *sum;
    treesum_add(s, (struct tree_node){0, 2}, tree_root(4), 0, treesum_take(s), &sum);
    treesum_reset(s);
    assert_true(treesum_buffers(s) <= 3);
    treesum_free(s);
    ranges_fini(&whole);
}

static int choose_kernels(void **state)
{
    (void)state;
    const char *name;
    return rows_start(NULL, &name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(borders_join_small_layers_and_cut_large_ones),
        T(ranges_begin_where_blocks_of_the_wire_do_and_layers_end_in_them),
        T(the_sum_is_that_of_the_tree_whoever_adds),
        T(inner_nodes_may_arrive_instead_of_their_slices), T(buffers_are_used_again)};
    return cmocka_run_group_tests(tests, choose_kernels, NULL);
}
