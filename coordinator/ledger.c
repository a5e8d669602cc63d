#include "coordinator/ledger.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { NOBODY = 0 };

void ledger_fini(struct ledger *l)
{
    mem_free(l->slice);
    mem_free(l->sum);
    mem_free(l->known);
    *l = (struct ledger){0};
}

void ledger_begin(struct ledger *l, uint32_t slices)
{
    assert(slices > 0);
    if (slices > l->room) {
        l->room = slices;
        l->slice = mem_resize(l->slice, slices * sizeof *l->slice);
        l->sum = mem_resize(l->sum, 2 * (size_t)slices * sizeof *l->sum);
        l->known = mem_resize(l->known, 2 * (size_t)slices * sizeof *l->known);
    }
    memset(l->slice, 0, slices * sizeof *l->slice);
    memset(l->known, 0, 2 * (size_t)slices * sizeof *l->known);
    l->slices = slices;
    l->slices_done = 0;
}

/* --- who holds what -------------------------------------------------------------------
 */

static int place_of(const struct ledger_slice *s, uint32_t worker)
{
    for (int i = 0; i < LEDGER_COPIES; i++)
        if (s->holder[i] == worker)
            return i;
    return -1;
}

static int holders(const struct ledger_slice *s)
{
    int n = 0;
    for (int i = 0; i < LEDGER_COPIES; i++)
        n += s->holder[i] != NOBODY;
    return n;
}

static void clear(struct ledger_slice *s, int place)
{
    s->holder[place] = NOBODY;
    s->announced[place] = false;
}

bool ledger_holds(const struct ledger *l, uint32_t worker, uint32_t v)
{
    assert(worker != NOBODY && v < l->slices);
    return place_of(&l->slice[v], worker) >= 0;
}

bool ledger_owes(const struct ledger *l, uint32_t worker, uint32_t v)
{
    assert(worker != NOBODY && v < l->slices);
    const int place = place_of(&l->slice[v], worker);
    return place >= 0 && !l->slice[v].announced[place];
}

void ledger_grant(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end)
{
    assert(worker != NOBODY && first < end && end <= l->slices);
    for (uint32_t v = first; v < end; v++) {
        assert(!l->slice[v].done && !ledger_holds(l, worker, v));
        const int place = place_of(&l->slice[v], NOBODY);
        assert(place >= 0 && "a slice is leased to two at most");
        l->slice[v].holder[place] = worker;
    }
}

uint32_t ledger_release(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end)
{
    uint32_t released = 0;
    for (uint32_t v = first; v < end && v < l->slices; v++)
        if (ledger_owes(l, worker, v)) {
            clear(&l->slice[v], place_of(&l->slice[v], worker));
            released++;
        }
    return released;
}

void ledger_forget(struct ledger *l, uint32_t worker)
{
    for (uint32_t v = 0; v < l->slices; v++)
        if (ledger_holds(l, worker, v))
            clear(&l->slice[v], place_of(&l->slice[v], worker));
}

bool ledger_announce(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end)
{
    if (first >= end || end > l->slices)
        return false;
    for (uint32_t v = first; v < end; v++)
        if (!ledger_owes(l, worker, v))
            return false;
    for (uint32_t v = first; v < end; v++)
        l->slice[v].announced[place_of(&l->slice[v], worker)] = true;
    return true;
}

void ledger_doubt(struct ledger *l, uint32_t worker, uint32_t first, uint32_t end)
{
    for (uint32_t v = first; v < end; v++) {
        l->slice[v].doubted = true;
        clear(&l->slice[v], place_of(&l->slice[v], worker));
    }
}

/* --- runs -----------------------------------------------------------------------------
 */

bool ledger_free(const struct ledger *l, uint32_t v)
{
    return !l->slice[v].done && holders(&l->slice[v]) == 0;
}

bool ledger_free_run(const struct ledger *l, uint32_t *first, uint32_t *end)
{
    uint32_t v = 0;
    while (v < l->slices && !ledger_free(l, v))
        v++;
    if (v == l->slices)
        return false;
    *first = v;
    while (v < l->slices && ledger_free(l, v))
        v++;
    *end = v;
    return true;
}

static bool owed_alone(const struct ledger *l, uint32_t worker, uint32_t v)
{
    return !l->slice[v].done && ledger_owes(l, worker, v) && holders(&l->slice[v]) == 1;
}

bool ledger_owed_run(const struct ledger *l, uint32_t worker, uint32_t *first,
                     uint32_t *end)
{
    uint32_t v = l->slices;
    while (v > 0 && !owed_alone(l, worker, v - 1))
        v--;
    if (v == 0)
        return false;
    *end = v;
    while (v > 0 && owed_alone(l, worker, v - 1))
        v--;
    *first = v;
    return true;
}

/* --- results --------------------------------------------------------------------------
 */

bool ledger_done(const struct ledger *l, uint32_t first, uint32_t end)
{
    for (uint32_t v = first; v < end; v++)
        if (!l->slice[v].done)
            return false;
    return true;
}

static void mark_done(struct ledger *l, uint32_t v)
{
    if (!l->slice[v].done)
        l->slices_done++;
    l->slice[v].done = true;
}

static void forget_parts(struct ledger *l, struct tree_node node)
{
    l->known[tree_slot(node, l->slices)] = false;
    if (node.level == 0)
        return;
    forget_parts(l, tree_left(node));
    forget_parts(l, tree_right(node, l->slices));
}

void ledger_finish_node(struct ledger *l, struct tree_node node, struct ledger_sum value)
{
    const uint32_t first = tree_first(node), end = tree_end(node, l->slices);
    assert(tree_valid(node, l->slices) && !ledger_done(l, first, end));
    forget_parts(l, node);
    const uint32_t slot = tree_slot(node, l->slices);
    l->known[slot] = true;
    l->sum[slot] = value;
    for (uint32_t v = first; v < end; v++)
        mark_done(l, v);
}

void ledger_finish_slice(struct ledger *l, uint32_t v, struct ledger_sum value)
{
    assert(v < l->slices && !l->slice[v].done);
    l->sum[v] = value;
    mark_done(l, v);
}

static struct ledger_sum node_sum(const struct ledger *l, struct tree_node node)
{
    const uint32_t slot = tree_slot(node, l->slices);
    if (l->known[slot])
        return l->sum[slot];
    const struct ledger_sum left = node_sum(l, tree_left(node)),
                            right = node_sum(l, tree_right(node, l->slices));
    return (struct ledger_sum){left.loss + right.loss, left.targets + right.targets,
                               left.noise + right.noise};
}

struct ledger_sum ledger_tree_sum(const struct ledger *l)
{
    assert(ledger_complete(l));
    return node_sum(l, tree_root(l->slices));
}

struct ledger_sum ledger_slice_sum(const struct ledger *l)
{
    assert(ledger_complete(l));
    struct ledger_sum total = {0};
    for (uint32_t v = 0; v < l->slices; v++) {
        total.loss += l->sum[v].loss;
        total.targets += l->sum[v].targets;
    }
    return total;
}
