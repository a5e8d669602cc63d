#include "worker/work.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/plan.h"
#include "nn/ranges.h"
#include "nn/transformer.h"
#include "tensor/rows.h"
#include "worker/compute.h"
#include "worker/lease.h"
#include "worker/worker.h"

enum { TICK_MS = 100, SILENCE_LEASES = 5, JOIN_SILENCE_MS = 120000 };

/* A partial on its way to the coordinator. */
struct push {
    struct work *work;
    struct treesum_buffer *sum;
    size_t ranges_left;
};

struct work {
    struct work_options options;
    struct loop *loop;
    struct transport *lane;
    uint32_t coordinator;
    struct channel *channel; /* NULL: not yet, or ended */
    struct loop_timer *tick;
    struct loop_waker *waker;
    char host[64];
    struct worker core;
    struct worker_actions actions;
    const struct message *message; /* of the event being handled */
    bool finished;
    bool asked_to_leave;
    bool leaving; /* finished, but for what is still being pushed */
    size_t pushes;

    /* from the welcome on */
    struct conf conf;
    enum wire wire;
    struct transformer model;
    struct ranges ranges, whole;
    struct compute *compute;
    struct kept_slices slices;
    struct {
        bool known;
        uint32_t slice;
        double *values; /* [values_n] */
    } examined; /* the slice of this step that was, until its node is answered */
    size_t values_n;
    uint64_t *checksums; /* [ranges] of the announced parameters, then of a partial */
    double *squares;     /* [ranges] of a partial */
    struct crew *crew;   /* for what is done to whole vectors */
    uint32_t transfer;   /* number of the first of the parameters being received */
    size_t ranges_left;
    int receive_err;
};

static void feed(struct work *w, struct worker_event ev);

/* --- parameters in -------------------------------------------------------------------
 */

static void on_range_received(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct work *w = ctx;
    (void)peer;
    const size_t r = transfer - w->transfer;
    assert(r < w->ranges.n);
    const struct range at = w->ranges.list[r];
    const float *theta = compute_theta(w->compute);
    if (hash64(theta + at.first, at.count * sizeof *theta) != w->checksums[r]) {
        log_error(
            "parameters of version %llu: range %zu does not have the checksum it was "
            "sent with",
            (unsigned long long)w->core.announced_version, r);
        w->receive_err = ERR_CORRUPT;
    }
    compute_arrived(w->compute, at.first + at.count);
    if (--w->ranges_left == w->ranges.n - 1)
        FAILPOINT("worker.pulling");
    if (w->ranges_left == 0)
        feed(w, (struct worker_event){.kind = WORKER_PARAMETERS,
                                      .version = w->core.announced_version,
                                      .err = w->receive_err});
}

static void receive_parameters(struct work *w, uint32_t transfer)
{
    compute_expect(w->compute);
    float *theta = compute_theta(w->compute);
    w->transfer = transfer;
    w->ranges_left = w->ranges.n;
    w->receive_err = ERR_OK;
    for (size_t r = 0; r < w->ranges.n; r++) {
        const struct range at = w->ranges.list[r];
        transport_receive(w->lane, w->coordinator, transfer + (uint32_t)r,
                          theta + at.first, at.count * sizeof *theta, on_range_received,
                          w);
    }
}

static int keep_checksums(struct work *w)
{
    const struct message *m = w->message;
    if (m->commit.ranges != w->ranges.n) {
        log_error(
            "parameters announced in %zu ranges, expected %zu: the coordinator runs "
            "another version of the program",
            m->commit.ranges, w->ranges.n);
        return ERR_MISMATCH;
    }
    memcpy(w->checksums, m->commit.checksums, w->ranges.n * sizeof *w->checksums);
    return ERR_OK;
}

/* --- partials out ----------------------------------------------------------------------
 */

static void end_when_sent(struct work *w)
{
    if (w->finished && w->leaving && w->pushes == 0) {
        w->leaving = false;
        w->options.on_finish(w->options.ctx, ERR_OK, 0);
    }
}

static void on_range_sent(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct push *p = ctx;
    (void)peer;
    (void)transfer;
    if (--p->ranges_left > 0)
        return;
    struct work *w = p->work;
    compute_give(w->compute, p->sum);
    mem_free(p);
    w->pushes--;
    if (w->pushes == 0 && w->core.held == 0)
        FAILPOINT("worker.idle");
    end_when_sent(w);
}

/* One range of a partial: its squares before it is packed, its checksum after, while it is
 * in the cache. */
static void prepare_range(void *ctx, size_t r)
{
    struct push *p = ctx;
    struct work *w = p->work;
    const struct range at = w->ranges.list[r];
    float *data = p->sum->data + at.first;
    w->squares[r] = rows_sum_squares(data, at.count);
    wire_pack(w->wire, data, data, at.count);
    w->checksums[r] = hash64(data, wire_bytes(w->wire, at.count));
}

static double total(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* The slice that was examined is part of @node. */
static bool has_examined(const struct work *w, struct tree_node node)
{
    return w->examined.known && w->examined.slice >= tree_first(node) &&
           w->examined.slice < tree_end(node, w->core.V);
}

static void push(struct work *w, const struct worker_action *a)
{
    struct treesum_buffer *sum = compute_extract(w->compute, a->node);
    struct push *p = mem_alloc(sizeof *p);
    *p = (struct push){w, sum, w->ranges.n};
    struct message m = a->message;
    if (has_examined(w, a->node)) {
        m.partial.statistics = w->values_n;
        m.partial.values = w->examined.values;
        w->examined.known = false;
    }
    assert(!w->core.announced);
    crew_run(w->crew, w->ranges.n, prepare_range, p);
    m.partial.squares = total(w->squares, w->ranges.n);
    m.partial.ranges = w->ranges.n;
    m.partial.checksums = w->checksums;
    channel_send(w->channel, &m);

    w->pushes++;
    for (size_t r = 0; r < w->ranges.n; r++) {
        const struct range at = w->ranges.list[r];
        transport_send(w->lane, w->coordinator, a->transfer + (uint32_t)r,
                       sum->data + at.first, wire_bytes(w->wire, at.count), on_range_sent,
                       p);
    }
    FAILPOINT("worker.pushing");
}

/* --- compute ---------------------------------------------------------------------------
 */

/* Blocks one after the other, then the guesses. */
static void keep_statistics(struct work *w, const struct compute_job *job)
{
    const struct slice_statistics *s = job->slice.statistics;
    memcpy(w->examined.values, s->block, (w->values_n - 1) * sizeof(double));
    w->examined.values[w->values_n - 1] = (double)s->correct;
    w->examined.slice = job->number;
    w->examined.known = true;
}

static void on_wake(void *ctx)
{
    struct work *w = ctx;
    struct compute_job *job;
    while (w->compute && !w->finished && (job = compute_collect(w->compute))) {
        if (job->slice.statistics)
            keep_statistics(w, job);
        feed(w, (struct worker_event){.kind = WORKER_COMPUTED,
                                      .lease = job->lease,
                                      .slice = job->number,
                                      .loss = job->result.loss,
                                      .noise = job->noise,
                                      .targets = job->result.targets,
                                      .hash = job->hash,
                                      .seconds = job->seconds});
    }
}

static void wake(void *ctx)
{
    struct work *w = ctx;
    loop_wake(w->waker);
}

/* --- welcome ---------------------------------------------------------------------------
 */

static int prepare(struct work *w)
{
    const struct message *m = w->message;
    conf_init(&w->conf);
    TRY(conf_load_text(&w->conf, m->welcome.conf, strlen(m->welcome.conf),
                       "the coordinator's configuration"));
    TRY(conf_check(&w->conf));
    if (conf_fingerprint(&w->conf) != m->welcome.fingerprint) {
        log_error("the configuration has fingerprint %016llx here and %016llx at the "
                  "coordinator: both must run the same build",
                  (unsigned long long)conf_fingerprint(&w->conf),
                  (unsigned long long)m->welcome.fingerprint);
        return ERR_MISMATCH;
    }
    TRY(transformer_init(&w->model, &w->conf.model, m->welcome.vocab));
    if (w->conf.train.compute == COMPUTE_BFLOAT16)
        w->model.precision = GEMM_BFLOAT16;
    w->model.recompute = w->conf.train.recompute;
    w->wire = (enum wire)w->conf.cluster.wire;
    transformer_ranges(&w->model, &w->ranges);
    ranges_whole(&w->whole, w->model.count);
    w->checksums = mem_zalloc(w->ranges.n * sizeof *w->checksums);
    w->squares = mem_zalloc(w->ranges.n * sizeof *w->squares);
    w->crew = crew_new(w->options.threads, rows_thread_start);
    w->values_n = (w->model.shape.E + w->model.shape.L) * BLOCK_STATISTICS + 1;
    w->examined.values = mem_alloc(w->values_n * sizeof(double));
    const struct plan plan = plan_of(&w->conf);
    const bool hashing = w->conf.cluster.audit > 0;
    const struct compute_options o = {.threads = w->options.threads,
                                      .rows = plan_rows(plan),
                                      .V = plan.slices,
                                      .wire = w->wire,
                                      .hashing = hashing,
                                      .translate = &w->conf.translate,
                                      .on_done = wake,
                                      .ctx = w};
    w->compute = compute_new(&w->model, &w->whole, &o);
    worker_set_shape(&w->core, (uint32_t)w->ranges.n, plan.slices, hashing);
    w->core.conf.heartbeat_ms = (uint64_t)(w->conf.cluster.heartbeat * 1000);
    w->core.conf.silence_ms = (uint64_t)(w->conf.cluster.lease * SILENCE_LEASES * 1000);
    if (w->options.on_welcome)
        w->options.on_welcome(w->options.ctx, m->welcome.worker, &w->conf);
    return ERR_OK;
}

/* --- events and actions ----------------------------------------------------------------
 */

static void finish(struct work *w, int err, int exit_code)
{
    if (w->finished)
        return;
    w->finished = true;
    if (err && w->channel) /* a coordinator in this process has to learn it, too */
        channel_close(w->channel, 0);
    w->options.on_finish(w->options.ctx, err, exit_code);
}

static int send_translated(struct work *w, const struct worker_action *a)
{
    const struct compute_job *job = kept_slices_job(&w->slices, a->lease, a->slice);
    struct message m = a->message;
    TRY(job->err);
    m.evaluated.sentences = job->slice.sequences;
    m.evaluated.lengths = job->hypotheses.lengths;
    m.evaluated.words = job->hypotheses.words;
    m.evaluated.tokens = job->hypotheses.tokens;
    channel_send(w->channel, &m);
    return ERR_OK;
}

/* Politely: what was announced still arrives. */
static void finish_leaving(struct work *w)
{
    w->finished = w->leaving = true;
    end_when_sent(w);
}

static int perform(struct work *w, const struct worker_action *a)
{
    switch (a->kind) {
    case WORK_SEND:
        channel_send(w->channel, &a->message);
        return ERR_OK;
    case WORK_TRANSLATED:
        return send_translated(w, a);
    case WORK_PREPARE:
        return prepare(w);
    case WORK_ANNOUNCED:
        return keep_checksums(w);
    case WORK_RECEIVE:
        receive_parameters(w, a->transfer);
        return ERR_OK;
    case WORK_KEEP:
        return kept_slices_add(&w->slices, w->message, &w->model, &w->conf);
    case WORK_COMPUTE:
        compute_start(w->compute, kept_slices_job(&w->slices, a->lease, a->slice));
        return ERR_OK;
    case WORK_FORGET:
        kept_slices_drop(&w->slices, a->lease, a->slice);
        return ERR_OK;
    case WORK_PUSH:
        push(w, a);
        return ERR_OK;
    case WORK_DISCARD:
        compute_give(w->compute, compute_extract(w->compute, a->node));
        w->examined.known &= !has_examined(w, a->node);
        return ERR_OK;
    case WORK_FINISH:
        if (a->err)
            log_error("%s", a->reason);
        if (w->asked_to_leave && !a->err)
            finish_leaving(w);
        else
            finish(w, a->err, a->exit_code);
        return ERR_OK;
    }
    return ERR_INVALID;
}

/* What is late is ignored; after what cannot be, the two do not mean the same any more,
 * and a result would be waited for without end. */
static void not_taken(struct work *w, const struct message *m, int err)
{
    if (err != ERR_MALFORMED) {
        log_debug("%s message ignored: %s", message_name(m->kind), err_text(err));
        return;
    }
    log_error("the coordinator's %s message does not fit what was said before",
              message_name(m->kind));
    finish(w, err, err_exit_code(err));
}

/* Actions of one event are done before the next event: none of them feeds the core at
 * once, what they start comes back through the loop. */
static void feed(struct work *w, struct worker_event ev)
{
    if (w->finished)
        return;
    ev.now_ms = loop_now_ms(w->loop);
    w->message = ev.message;
    const int err = worker_step(&w->core, &ev, &w->actions);
    if (err && ev.kind == WORKER_MESSAGE)
        not_taken(w, ev.message, err);
    for (size_t i = 0; i < w->actions.n && !w->finished; i++) {
        const int failed = perform(w, &w->actions.list[i]);
        if (failed)
            finish(w, failed, err_exit_code(failed));
    }
    w->message = NULL;
}

void work_leave(struct work *w)
{
    w->asked_to_leave = true;
    feed(w, (struct worker_event){.kind = WORKER_LEAVE});
}

void work_lane_ended(struct work *w)
{
    if (w->channel)
        channel_close(w->channel, 0);
}

static void on_tick(void *ctx)
{
    feed(ctx, (struct worker_event){.kind = WORKER_TICK});
}

static void on_message(void *ctx, struct channel *c, const struct message *m)
{
    (void)c;
    feed(ctx, (struct worker_event){.kind = WORKER_MESSAGE, .message = m});
}

static void on_closed(void *ctx, struct channel *c, int err)
{
    struct work *w = ctx;
    (void)c;
    w->channel = NULL;
    transport_forget(w->lane, w->coordinator);
    feed(w, (struct worker_event){.kind = WORKER_CLOSED, .err = err});
}

const struct channel_events work_events = {on_message, on_closed};

struct work *work_new(struct loop *l, struct transport *lane, uint32_t coordinator,
                      const struct work_options *o)
{
    struct work *w = mem_zalloc(sizeof *w);
    w->options = *o;
    w->loop = l;
    w->lane = lane;
    w->coordinator = coordinator;
    w->waker = loop_waker_new(l, on_wake, w);
    if (gethostname(w->host, sizeof w->host - 1) != 0)
        snprintf(w->host, sizeof w->host, "unknown");
    struct worker_conf conf = {.incarnation = o->incarnation,
                               .rank = o->rank,
                               .pid = (uint32_t)getpid(),
                               .threads = o->threads,
                               .host = w->host,
                               .build = LOCKSTEP_VERSION,
                               .kernels = o->kernels,
                               .heartbeat_ms = o->heartbeat_ms,
                               .silence_ms = JOIN_SILENCE_MS};
    worker_init(&w->core, &conf);
    return w;
}

void work_begin(struct work *w, struct channel *c)
{
    w->channel = c;
    w->tick = loop_timer_new(w->loop, TICK_MS, TICK_MS, on_tick, w);
    feed(w, (struct worker_event){.kind = WORKER_START});
}

void work_free(struct work *w)
{
    if (w->compute)
        compute_free(w->compute);
    if (w->tick)
        loop_timer_free(w->tick);
    loop_waker_free(w->waker);
    kept_slices_fini(&w->slices);
    ranges_fini(&w->ranges);
    ranges_fini(&w->whole);
    transformer_fini(&w->model);
    mem_free(w->checksums);
    mem_free(w->squares);
    crew_free(w->crew);
    mem_free(w->examined.values);
    worker_actions_fini(&w->actions);
    worker_fini(&w->core);
    mem_free(w);
}
