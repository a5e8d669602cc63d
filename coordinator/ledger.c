#include "coordinator/ledger.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { FREE = 0, DONE = UINT32_MAX };

void ledger_init(struct ledger *l)
{
    *l = (struct ledger){.next_id = 1};
}

void ledger_fini(struct ledger *l)
{
    mem_free(l->holder);
    mem_free(l->sum);
    mem_free(l->known);
    mem_free(l->lease);
    *l = (struct ledger){0};
}

void ledger_begin(struct ledger *l, uint32_t slices)
{
    assert(slices > 0);
    if (slices > l->room) {
        l->room = slices;
        l->holder = mem_resize(l->holder, slices * sizeof *l->holder);
        l->sum = mem_resize(l->sum, 2 * (size_t)slices * sizeof *l->sum);
        l->known = mem_resize(l->known, 2 * (size_t)slices * sizeof *l->known);
    }
    memset(l->holder, 0, slices * sizeof *l->holder);
    memset(l->known, 0, 2 * (size_t)slices * sizeof *l->known);
    l->slices = slices;
    l->slices_done = 0;
    l->leases = 0;
}

struct lease *ledger_grant(struct ledger *l, uint32_t worker, uint32_t first,
                           uint32_t end)
{
    assert(first < end && end <= l->slices);
    if (l->leases == l->lease_room) {
        l->lease_room = l->lease_room ? 2 * l->lease_room : 64;
        l->lease = mem_resize(l->lease, l->lease_room * sizeof *l->lease);
    }
    struct lease *lease = &l->lease[l->leases++];
    *lease =
        (struct lease){.id = l->next_id++, .worker = worker, .first = first, .end = end};
    for (uint32_t v = first; v < end; v++) {
        assert(l->holder[v] == FREE);
        l->holder[v] = (uint32_t)l->leases;
    }
    return lease;
}

struct lease *ledger_grant_node(struct ledger *l, uint32_t worker, struct tree_node node)
{
    assert(tree_valid(node, l->slices));
    struct lease *lease =
        ledger_grant(l, worker, tree_first(node), tree_end(node, l->slices));
    lease->node = node;
    return lease;
}

struct lease *ledger_find(struct ledger *l, uint64_t id, uint32_t worker)
{
    for (size_t i = 0; i < l->leases; i++)
        if (l->lease[i].id == id)
            return l->lease[i].worker == worker && !l->lease[i].done ? &l->lease[i]
                                                                     : NULL;
    return NULL;
}

bool ledger_free_run(const struct ledger *l, uint32_t *first, uint32_t *end)
{
    uint32_t v = 0;
    while (v < l->slices && l->holder[v] != FREE)
        v++;
    if (v == l->slices)
        return false;
    *first = v;
    while (v < l->slices && l->holder[v] == FREE)
        v++;
    *end = v;
    return true;
}

static void mark_done(struct ledger *l, struct lease *lease)
{
    assert(!lease->done);
    lease->done = true;
    for (uint32_t v = lease->first; v < lease->end; v++) {
        assert(l->holder[v] != FREE && l->holder[v] != DONE);
        l->holder[v] = DONE;
    }
    l->slices_done += lease->end - lease->first;
    assert(l->slices_done <= l->slices);
}

void ledger_finish_node(struct ledger *l, struct lease *lease, struct ledger_sum value)
{
    const uint32_t slot = tree_slot(lease->node, l->slices);
    assert(!l->known[slot]);
    l->known[slot] = true;
    l->sum[slot] = value;
    mark_done(l, lease);
}

void ledger_finish_slices(struct ledger *l, struct lease *lease, const double *losses,
                          const uint64_t *targets)
{
    for (uint32_t v = lease->first; v < lease->end; v++)
        l->sum[v] =
            (struct ledger_sum){losses[v - lease->first], targets[v - lease->first]};
    mark_done(l, lease);
}

static struct ledger_sum node_sum(const struct ledger *l, struct tree_node node)
{
    const uint32_t slot = tree_slot(node, l->slices);
    if (l->known[slot])
        return l->sum[slot];
    const struct ledger_sum left = node_sum(l, tree_left(node)),
                            right = node_sum(l, tree_right(node, l->slices));
    return (struct ledger_sum){left.loss + right.loss, left.targets + right.targets};
}

struct ledger_sum ledger_tree_sum(const struct ledger *l)
{
    assert(ledger_complete(l));
    return node_sum(l, tree_root(l->slices));
}

struct ledger_sum ledger_slice_sum(const struct ledger *l)
{
    assert(ledger_complete(l));
    struct ledger_sum total = {0, 0};
    for (uint32_t v = 0; v < l->slices; v++) {
        total.loss += l->sum[v].loss;
        total.targets += l->sum[v].targets;
    }
    return total;
}
