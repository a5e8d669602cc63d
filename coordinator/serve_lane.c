#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/serve_parts.h"
#include "tensor/rows.h"

/* --- lanes of those who join by TCP ---------------------------------------------------
 */

static void take_out(struct serve *s, size_t i)
{
    s->lanes_waiting--;
    memmove(&s->lane_waiting[i], &s->lane_waiting[i + 1],
            (s->lanes_waiting - i) * sizeof s->lane_waiting[0]);
}

void serve_on_lane(void *ctx, uint64_t incarnation, int fd)
{
    struct serve *s = ctx;
    if (s->lanes_waiting == LANES_WAITING) {
        close(s->lane_waiting[0].fd);
        take_out(s, 0);
    }
    s->lane_waiting[s->lanes_waiting].incarnation = incarnation;
    s->lane_waiting[s->lanes_waiting].since_ms = loop_now_ms(s->loop);
    s->lane_waiting[s->lanes_waiting++].fd = fd;
}

void serve_close_lanes(struct serve *s, uint64_t older_than_ms)
{
    const uint64_t now = loop_now_ms(s->loop);
    while (s->lanes_waiting > 0 && now - s->lane_waiting[0].since_ms >= older_than_ms) {
        close(s->lane_waiting[0].fd);
        take_out(s, 0);
    }
}

int serve_attach_lane(struct serve *s, struct peer *p)
{
    if (p->rank || s->o.one_process) {
        p->lane = s->lane;
        p->lane_peer = p->worker; /* by MPI: its rank */
        return ERR_OK;
    }
    p->lane = s->tcp_lane;
    p->lane_peer = p->id;
    for (size_t i = 0; i < s->lanes_waiting; i++)
        if (s->lane_waiting[i].incarnation == p->incarnation) {
            transport_tcp_add(s->tcp_lane, p->id, s->lane_waiting[i].fd);
            take_out(s, i);
            return ERR_OK;
        }
    log_warn("worker %u (%s): its data lane is not there", p->worker, p->name);
    return ERR_CLOSED;
}

/* --- parameters out -------------------------------------------------------------------
 */

struct held { /* parameters that are being sent */
    struct serve *serve;
    const float *theta;
};

static void on_sent(void *ctx)
{
    struct held *h = ctx;
    store_release(&h->serve->store, h->theta);
    mem_free(h);
}

void serve_parameters(struct serve *s, const struct action *a)
{
    struct peer *p = peers_get(&s->peers, a->peer);
    const float *theta = s->store.theta;
    struct message m = {.kind = MESSAGE_COMMIT};
    m.commit.version = s->store.version;
    m.commit.transfer = p->to_send;
    m.commit.ranges = s->store.ranges.n;
    m.commit.checksums = store_checksums(&s->store);
    m.commit.rate = s->commit.rate;
    m.commit.norm = s->commit.norm;
    m.commit.clip = s->commit.clip;
    m.commit.loss = s->commit.loss;
    serve_say(s, a->peer, m);
    FAILPOINT("commit.announced");

    struct held *h = mem_alloc(sizeof *h);
    *h = (struct held){s, theta};
    store_hold(&s->store, theta);
    parcels_send(s->parcels, p->lane, p->lane_peer, p->to_send, theta, on_sent, h);
    p->to_send += (uint32_t)s->store.ranges.n;
}

/* --- partials in ----------------------------------------------------------------------
 */

/* What comes late, of an earlier unit, is dropped: its step is not known. */
static int check_targets(struct serve *s, const struct action *a)
{
    const uint64_t targets = supply_targets(&s->supply, a->data, tree_first(a->node),
                                            tree_end(a->node, s->conf.slices));
    if (a->unwanted || a->targets == targets)
        return ERR_OK;
    log_error("worker %u: its partial counts %llu target tokens, its slices have %llu",
              a->worker, (unsigned long long)a->targets, (unsigned long long)targets);
    return ERR_MISMATCH;
}

int serve_receive(struct serve *s, const struct action *a, const struct message *m)
{
    struct peer *p = peers_get(&s->peers, a->peer);
    if (m->partial.ranges != s->store.ranges.n) {
        log_error("worker %u: partial in %zu ranges, expected %zu", a->worker,
                  m->partial.ranges, s->store.ranges.n);
        return ERR_MISMATCH;
    }
    if (a->transfer != p->to_receive) { /* it would be waited for without end */
        log_error("worker %u: its partial begins at transfer %u, expected %u", a->worker,
                  a->transfer, p->to_receive);
        return ERR_MISMATCH;
    }
    TRY(check_targets(s, a));
    TRY(examine_receive(&s->examine, a->worker, a->partial, m));
    p->to_receive += (uint32_t)s->store.ranges.n;
    const struct parcel what = {.lane = p->lane,
                                .lane_peer = p->lane_peer,
                                .first_transfer = a->transfer,
                                .checksums = m->partial.checksums,
                                .partial = a->partial,
                                .node = a->node};
    parcels_receive(s->parcels, &what);
    return ERR_OK;
}

void serve_on_arrived(void *ctx, uint64_t partial, int err)
{
    serve_feed(ctx,
               (struct event){.kind = EVENT_RECEIVED, .partial = partial, .err = err});
}

void serve_add(struct serve *s, const struct action *a)
{
    parcels_slices(s->parcels, s->core.slices);
    struct treesum_buffer *root = parcels_add(s->parcels, a->partial);
    examine_add(&s->examine, a->partial);
    if (root) {
        assert(!s->gradient);
        s->gradient = root;
    }
}

void serve_discard(struct serve *s)
{
    if (s->gradient)
        parcels_give(s->parcels, s->gradient);
    s->gradient = NULL;
    parcels_reset(s->parcels);
    examine_forget(&s->examine);
}

/* --- the update -----------------------------------------------------------------------
 */

static void update(void *ctx)
{
    struct serve *s = ctx;
    rows_thread_start();
    if (s->saver)
        s->copy_wait_s = saver_wait(s->saver);
    store_update(&s->store, s->gradient->data, &s->update);
}

static void updated(void *ctx)
{
    struct serve *s = ctx;
    s->waited_s += s->copy_wait_s;
    parcels_give(s->parcels, s->gradient);
    s->gradient = NULL;
    FAILPOINT("commit.updated");
    serve_feed(s, (struct event){.kind = EVENT_UPDATED,
                                 .norm = s->update.norm,
                                 .clip = s->update.clip});
}

void serve_update(struct serve *s, const struct action *a)
{
    assert(s->store.version == a->step && s->gradient);
    s->update = (struct store_update){
        .rate = a->rate,
        .limit = a->limit,
        .targets = a->targets,
        .into = store_room(&s->store),
        .tensors = examine_tensors(&s->examine, a->step)};
    background_run(s->updater, update, updated, s);
}
