#include "worker/answer.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* --- given back -----------------------------------------------------------------------
 */

void answer_released(struct worker *w, enum lease_kind lease, uint32_t first,
                     uint32_t count, struct worker_actions *out)
{
    assert(w->held >= count);
    w->held -= count;
    struct message *m = &work_act(out, WORK_SEND)->message;
    *m = work_say(w, MESSAGE_RELEASED);
    m->released.unit = w->unit;
    m->released.kind = lease;
    m->released.first = first;
    m->released.count = count;
}

/* --- nodes of a step ------------------------------------------------------------------
 */

static bool mine(const struct worker *w, struct tree_node n)
{
    for (uint32_t v = tree_first(n); v < tree_end(n, w->V); v++)
        if (w->slice[v].state == SLICE_NONE)
            return false;
    return true;
}

/* The largest node around slice @v whose slices are all this worker's. */
static struct tree_node largest(const struct worker *w, uint32_t v)
{
    const struct tree_node root = tree_root(w->V);
    struct tree_node n = {0, v};
    while (!tree_same(n, root) && mine(w, tree_parent(n, w->V)))
        n = tree_parent(n, w->V);
    return n;
}

struct total {
    double loss, noise, seconds;
    uint64_t targets;
};

/* Loss, noise and target counts are added along the tree, like the gradients. */
static struct total total_of(const struct worker *w, struct tree_node n)
{
    if (n.level == 0) {
        const struct worker_slice *s = &w->slice[n.index];
        return (struct total){s->loss, s->noise, s->seconds, s->targets};
    }
    const struct total left = total_of(w, tree_left(n)),
                       right = total_of(w, tree_right(n, w->V));
    return (struct total){left.loss + right.loss, left.noise + right.noise,
                          left.seconds + right.seconds, left.targets + right.targets};
}

static const uint64_t *hashes_of(struct worker *w, uint32_t first, uint32_t end)
{
    for (uint32_t v = first; v < end; v++)
        w->hashes[v] = w->slice[v].hash;
    return w->hashes + first;
}

static void push(struct worker *w, struct tree_node n, struct worker_actions *out)
{
    const uint32_t first = tree_first(n), end = tree_end(n, w->V);
    const struct total total = total_of(w, n);
    struct worker_action *a = work_act(out, WORK_PUSH);
    a->node = n;
    a->transfer = w->next_transfer;
    w->next_transfer += w->ranges;
    a->message = work_say(w, MESSAGE_PARTIAL);
    a->message.partial.unit = w->unit;
    a->message.partial.level = n.level;
    a->message.partial.index = n.index;
    a->message.partial.transfer = a->transfer;
    a->message.partial.loss = total.loss;
    a->message.partial.noise = total.noise;
    a->message.partial.targets = total.targets;
    a->message.partial.seconds = total.seconds / w->conf.threads;
    if (w->hashing) {
        a->message.partial.slices = end - first;
        a->message.partial.hashes = hashes_of(w, first, end);
    }
    w->held -= end - first;
}

/* The node around slice @v is pushed when it is whole, or thrown away when nobody wants
 * any of it. */
static void answer_node(struct worker *w, uint32_t v, struct worker_actions *out)
{
    if (w->slice[v].state != SLICE_COMPUTED)
        return;
    const struct tree_node n = largest(w, v);
    const uint32_t first = tree_first(n), end = tree_end(n, w->V);
    bool wanted = false;
    for (uint32_t i = first; i < end; i++) {
        if (w->slice[i].state != SLICE_COMPUTED)
            return;
        wanted |= !w->slice[i].unwanted;
    }
    if (wanted) {
        push(w, n, out);
    } else {
        work_act(out, WORK_DISCARD)->node = n;
        answer_released(w, LEASE_TRAIN, first, end - first, out);
    }
    for (uint32_t i = first; i < end; i++)
        w->slice[i].state = SLICE_NONE;
}

void answer_slice(struct worker *w, const struct worker_event *ev,
                  struct worker_actions *out)
{
    struct worker_slice *s = &w->slice[ev->slice];
    assert(s->state == SLICE_GIVEN);
    s->state = SLICE_COMPUTED;
    s->loss = ev->loss;
    s->noise = ev->noise;
    s->seconds = ev->seconds;
    s->targets = ev->targets;
    s->hash = ev->hash;
    answer_node(w, ev->slice, out);
}

/* What is in the queue goes back, run by run; an answer comes in any case when it was a
 * question. */
static void release_queued(struct worker *w, uint32_t first, uint32_t end, bool answer,
                           struct worker_actions *out)
{
    for (uint32_t v = first; v < end; v++) {
        uint32_t to = v;
        while (to < end && w->slice[to].state == SLICE_QUEUED)
            w->slice[to++].state = SLICE_NONE;
        if (to == v)
            continue;
        answer_released(w, LEASE_TRAIN, v, to - v, out);
        answer = false;
        v = to - 1;
    }
    if (answer)
        answer_released(w, LEASE_TRAIN, first, 0, out);
}

void answer_revoked_slices(struct worker *w, uint32_t first, uint32_t end, bool unwanted,
                           struct worker_actions *out)
{
    end = end < w->V ? end : w->V;
    first = first < end ? first : end;
    work_unqueue(w, LEASE_TRAIN, first, end, out);
    release_queued(w, first, end, !unwanted, out);
    for (uint32_t v = first; unwanted && v < end; v++)
        w->slice[v].unwanted = true;
    for (uint32_t v = 0; v < w->V; v++) /* parents may not be ours any more */
        answer_node(w, v, out);
}

/* --- runs -----------------------------------------------------------------------------
 */

void run_fini(struct worker_run *r)
{
    mem_free(r->losses);
    mem_free(r->targets);
    mem_free(r->hashes);
}

void run_add(struct worker *w, enum lease_kind lease, uint32_t first, uint32_t count)
{
    if (w->runs == w->run_room) {
        w->run_room = w->run_room ? 2 * w->run_room : 8;
        w->run = mem_resize(w->run, w->run_room * sizeof *w->run);
    }
    struct worker_run *r = &w->run[w->runs++];
    *r = (struct worker_run){.lease = lease, .first = first, .count = count, .left = count};
    if (lease != LEASE_AUDIT) {
        r->losses = mem_alloc(count * sizeof *r->losses);
        r->targets = mem_alloc(count * sizeof *r->targets);
    } else {
        r->hashes = mem_alloc(count * sizeof *r->hashes);
    }
}

struct worker_run *run_find(const struct worker *w, enum lease_kind lease, uint32_t v)
{
    for (size_t i = 0; i < w->runs; i++)
        if (w->run[i].lease == lease && v >= w->run[i].first &&
            v - w->run[i].first < w->run[i].count)
            return &w->run[i];
    return NULL;
}

static void run_remove(struct worker *w, struct worker_run *r)
{
    run_fini(r);
    *r = w->run[--w->runs];
}

/* The arrays move from the run to the message. */
static void report(struct worker *w, struct worker_run *r, struct worker_actions *out)
{
    const bool translated = r->lease == LEASE_TRANSLATE;
    struct worker_action *a = work_act(out, translated ? WORK_TRANSLATED : WORK_SEND);
    struct message *m = &a->message;
    a->lease = r->lease;
    a->slice = r->first;
    mem_free(w->scratch);
    if (r->lease != LEASE_AUDIT) {
        const size_t bytes = r->count * sizeof(double);
        uint8_t *both = w->scratch = mem_alloc(2 * bytes);
        memcpy(both, r->losses, bytes);
        memcpy(both + bytes, r->targets, bytes);
        *m = work_say(w, MESSAGE_EVALUATED);
        m->evaluated.unit = w->unit;
        m->evaluated.first = r->first;
        m->evaluated.slices = r->count;
        m->evaluated.losses = (const double *)(const void *)both;
        m->evaluated.targets = (const uint64_t *)(const void *)(both + bytes);
        m->evaluated.seconds = r->seconds / w->conf.threads;
    } else {
        w->scratch = r->hashes;
        r->hashes = NULL;
        *m = work_say(w, MESSAGE_AUDITED);
        m->audited.unit = w->unit;
        m->audited.first = r->first;
        m->audited.slices = r->count;
        m->audited.hashes = w->scratch;
    }
    w->held -= r->count;
    run_remove(w, r);
}

void answer_run(struct worker *w, const struct worker_event *ev,
                struct worker_actions *out)
{
    struct worker_run *r = run_find(w, ev->lease, ev->slice);
    assert(r && r->left > 0);
    const uint32_t i = ev->slice - r->first;
    if (r->lease != LEASE_AUDIT) {
        r->losses[i] = ev->loss;
        r->targets[i] = ev->targets;
    } else {
        r->hashes[i] = ev->hash;
    }
    r->seconds += ev->seconds;
    if (--r->left == 0)
        report(w, r, out);
}

void answer_revoked_runs(struct worker *w, enum lease_kind lease, uint32_t first,
                         uint32_t end, struct worker_actions *out)
{
    for (size_t i = w->runs; i-- > 0;) {
        struct worker_run *r = &w->run[i];
        if (r->lease != lease || r->given > 0 || r->first < first ||
            r->first + r->count > end)
            continue; /* what is begun is reported whole */
        work_unqueue(w, lease, r->first, r->first + r->count, out);
        answer_released(w, lease, r->first, r->count, out);
        run_remove(w, r);
    }
}
