#include "flat/treesum.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "tensor/rows.h"

struct treesum {
    uint32_t V, most;
    const struct ranges *ranges; /* borrowed */
    size_t count;                /* elements of a buffer */
    enum wire wire;
    pthread_mutex_t lock;            /* guards all below */
    struct treesum_buffer **waiting; /* [ranges, 2 V], by tree_slot() */
    struct treesum_buffer *free;
    struct treesum_buffer **all; /* [buffers] */
    size_t buffers;
};

struct treesum *treesum_new(uint32_t V, const struct ranges *ranges, enum wire wire)
{
    assert(V > 0 && ranges->n > 0);
    struct treesum *s = mem_zalloc(sizeof *s);
    const struct range last = ranges->list[ranges->n - 1];
    s->V = s->most = V;
    s->ranges = ranges;
    s->count = last.first + last.count;
    s->wire = wire;
    s->waiting = mem_zalloc(mem_mul(ranges->n, 2 * (size_t)V) * sizeof *s->waiting);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void treesum_free(struct treesum *s)
{
    for (size_t i = 0; i < s->buffers; i++) {
        mem_slab_free(s->all[i]->data, s->count * sizeof(float));
        mem_free(s->all[i]);
    }
    pthread_mutex_destroy(&s->lock);
    mem_free(s->all);
    mem_free(s->waiting);
    mem_free(s);
}

struct treesum_buffer *treesum_take(struct treesum *s)
{
    pthread_mutex_lock(&s->lock);
    struct treesum_buffer *b = s->free;
    if (b) {
        s->free = b->next;
    } else {
        b = mem_zalloc(sizeof *b);
        b->data = mem_slab(mem_mul(s->count, sizeof(float)));
        s->all = mem_resize(s->all, (s->buffers + 1) * sizeof(struct treesum_buffer *));
        s->all[s->buffers++] = b;
    }
    pthread_mutex_unlock(&s->lock);
    b->next = NULL;
    atomic_store(&b->ranges_held, s->ranges->n);
    return b;
}

void treesum_give(struct treesum *s, struct treesum_buffer *b)
{
    pthread_mutex_lock(&s->lock);
    b->next = s->free;
    s->free = b;
    pthread_mutex_unlock(&s->lock);
}

/* Put @b down to wait for the sibling, or take the sibling that waits already. */
static struct treesum_buffer *meet(struct treesum *s, struct tree_node part, size_t r,
                                   struct treesum_buffer *b)
{
    struct treesum_buffer **row = s->waiting + r * 2 * s->V;
    const uint32_t there = tree_slot(tree_sibling(part, s->V), s->V);
    pthread_mutex_lock(&s->lock);
    struct treesum_buffer *sibling = row[there];
    row[there] = NULL;
    if (!sibling) {
        assert(!row[tree_slot(part, s->V)] && "a part is given once");
        row[tree_slot(part, s->V)] = b;
    }
    pthread_mutex_unlock(&s->lock);
    return sibling;
}

/* left += right, and right is done with. */
static void join(struct treesum *s, struct treesum_buffer *left,
                 struct treesum_buffer *right, size_t r)
{
    const struct range at = s->ranges->list[r];
    rows_add(left->data + at.first, right->data + at.first, at.count);
    wire_round(s->wire, left->data + at.first, at.count);
    if (atomic_fetch_sub(&right->ranges_held, 1) == 1)
        treesum_give(s, right);
}

static void put(struct treesum *s, struct tree_node node, size_t r,
                struct treesum_buffer *b)
{
    pthread_mutex_lock(&s->lock);
    s->waiting[r * 2 * s->V + tree_slot(node, s->V)] = b;
    pthread_mutex_unlock(&s->lock);
}

bool treesum_add(struct treesum *s, struct tree_node part, struct tree_node top, size_t r,
                 struct treesum_buffer *b, struct treesum_buffer **sum)
{
    assert(r < s->ranges->n && tree_valid(part, s->V) && tree_valid(top, s->V));
    while (!tree_same(part, top)) {
        struct treesum_buffer *sibling = meet(s, part, r, b);
        if (!sibling)
            return false;
        const struct tree_node parent = tree_parent(part, s->V);
        const bool is_left = tree_first(part) == tree_first(parent);
        struct treesum_buffer *left = is_left ? b : sibling;
        join(s, left, is_left ? sibling : b, r);
        part = parent;
        b = left;
    }
    if (sum)
        *sum = b;
    else
        put(s, top, r, b);
    return true;
}

static struct treesum_buffer *pick_up(struct treesum *s, size_t place)
{
    pthread_mutex_lock(&s->lock);
    struct treesum_buffer *b = s->waiting[place];
    s->waiting[place] = NULL;
    pthread_mutex_unlock(&s->lock);
    return b;
}

static void drop(struct treesum *s, size_t place)
{
    struct treesum_buffer *b = pick_up(s, place);
    if (b && atomic_fetch_sub(&b->ranges_held, 1) == 1)
        treesum_give(s, b);
}

struct treesum_buffer *treesum_extract(struct treesum *s, struct tree_node node)
{
    struct treesum_buffer *whole = NULL;
    for (size_t r = 0; r < s->ranges->n; r++) {
        struct treesum_buffer *b =
            pick_up(s, r * 2 * s->V + tree_slot(node, s->V));
        assert((r == 0 || b == whole) && "all ranges of a node lie in one buffer");
        whole = b;
    }
    return whole;
}

void treesum_discard(struct treesum *s, struct tree_node node)
{
    for (size_t r = 0; r < s->ranges->n; r++)
        drop(s, r * 2 * s->V + tree_slot(node, s->V));
    if (node.level == 0)
        return;
    treesum_discard(s, tree_left(node));
    treesum_discard(s, tree_right(node, s->V));
}

void treesum_slices(struct treesum *s, uint32_t V)
{
    assert(V > 0 && V <= s->most);
    for (size_t i = 0; i < s->ranges->n * 2 * (size_t)s->V && V != s->V; i++)
        assert(!s->waiting[i]);
    s->V = V;
}

void treesum_reset(struct treesum *s)
{
    for (size_t i = 0; i < s->ranges->n * 2 * (size_t)s->V; i++)
        drop(s, i);
}

size_t treesum_buffers(struct treesum *s)
{
    pthread_mutex_lock(&s->lock);
    const size_t n = s->buffers;
    pthread_mutex_unlock(&s->lock);
    return n;
}
