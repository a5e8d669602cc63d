#include "coordinator/serve.h"

#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/access.h"
#include "coordinator/document.h"
#include "coordinator/early.h"
#include "coordinator/serve_parts.h"
#include "tensor/rows.h"
#include "tensor/gemm.h"

enum {
    TICK_MS = 25,
    TICKS_PER_LEASE = 8,
    JOIN_MS = 5000,
    REJOIN_MS = 5000,
    WAITING_S = 1
};
enum { TREND_FAST = 10, TREND_SLOW = 1000 }; /* steps, as in Marian */

/* --- opening ---------------------------------------------------------------------------
 */

static struct schedule make_schedule(const struct conf *c, struct conf_scale scale,
                                     uint64_t steps)
{
    const uint64_t decay = conf_steps_count(c->optim.decay_steps, scale);
    return (struct schedule){.kind = (enum schedule_kind)c->optim.schedule,
                             .rate = c->optim.lr,
                             .rate_min = c->optim.lr_min,
                             .warmup = conf_steps_count(c->optim.warmup, scale),
                             .decay_steps = decay ? decay : steps,
                             .wsd_decay = c->optim.wsd_decay,
                             .wsd_shape = (enum schedule_wsd_shape)c->optim.wsd_shape,
                             .power = c->optim.poly_power};
}

/* At least one: who goes back nowhere comes to the same. */
static uint64_t rewind_steps(const struct serve *s)
{
    const uint64_t steps =
        conf_steps_count(s->o.conf->train.rewind_steps, s->supply.scale);
    return steps ? steps : 1;
}

static void make_core_conf(struct serve *s)
{
    const struct conf *c = s->o.conf;
    const struct conf_scale scale = s->supply.scale;
    const uint64_t steps = conf_steps_count(c->train.steps, scale);
    s->conf = (struct coordinator_conf){
        .slices = c->train.slices,
        .ramp = s->supply.plan.ramp,
        .steps = steps,
        .eval_every = conf_steps_count(c->train.eval_every, scale),
        .checkpoint_every = conf_steps_count(c->train.checkpoint_every, scale),
        .keep_best = c->train.keep_best,
        .patience = c->train.patience,
        .stop_on_all = c->train.stop_on == STOP_ON_ALL,
        .eval_slices = s->supply.held_out_slices,
        .eval_only = s->o.eval_only,
        .translate = s->o.document ? TRANSLATE_ONLY
                     : s->scorer   ? TRANSLATE_TO_SCORE
                                   : TRANSLATE_NOTHING,
        .workers = s->o.workers,
        .lease_ms = (uint64_t)(c->cluster.lease * 1000),
        .heartbeat_ms = (uint64_t)(c->cluster.heartbeat * 1000),
        .start_timeout_ms = (uint64_t)(c->cluster.start_timeout * 1000),
        .rejoin_ms = s->o.one_process ? 0 : REJOIN_MS,
        .audit = c->cluster.audit,
        .seed = c->train.seed,
        .outlier = c->cluster.outlier,
        .skip_not_finite = c->train.not_finite == NOT_FINITE_SKIP,
        .skip_loss_z = c->train.skip_loss_z,
        .skip_norm_z = c->train.skip_norm_z,
        .skip_window = c->train.skip_window,
        .divergence = c->train.divergence,
        .trend_fast = TREND_FAST,
        .trend_slow = TREND_SLOW,
        .on_divergence = (enum on_divergence)c->train.on_divergence,
        .rewind_steps = rewind_steps(s),
        .rewind_rate = c->train.rewind_rate,
        .rewind_limit = c->train.rewind_limit,
        .schedule = make_schedule(c, scale, steps),
        .kernels = s->o.kernels,
        .build = LOCKSTEP_VERSION,
    };
}

static char *dump_conf(const struct conf *c)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        abort(); /* out of memory */
    conf_dump(c, out);
    fclose(out);
    return text;
}

static void samples_of(void *ctx, uint64_t step, uint64_t *first, uint64_t *last)
{
    struct serve *s = ctx;
    supply_samples(&s->supply, step, first, last);
}

static int open_recorder(struct serve *s)
{
    const struct conf *c = s->o.conf;
    const struct recorder_options o = {
        .run_dir = c->run.dir,
        .steps = s->conf.steps,
        .log_every = c->run.log_every,
        .samples = samples_of,
        .ctx = s,
        .version = s->store.version,
        .term = s->resume.state.term + 1,
        .validation = &s->resume.state.validation,
        .flops_per_token =
            transformer_flops_per_token(&s->model, (size_t)ceil(s->supply.length)),
        .peak_flops = gemm_peak_flops() * s->o.compute_threads,
        .held_out_bytes_per_token = s->supply.held_out_bytes_per_token,
        .wire = (enum wire)c->cluster.wire,
    };
    TRY(recorder_open(&o, &s->recorder));
    char *path = file_join(c->run.dir, "run.yaml");
    const int err = file_write_atomic(path, s->conf_text, strlen(s->conf_text));
    mem_free(path);
    return err;
}

static int open_all(struct serve *s)
{
    const struct conf *c = s->o.conf;
    if (!s->o.eval_only) {
        TRY(run_dir_open(&s->dir, c->run.dir));
        TRY(checkpoint_clean(c->run.dir));
        FAILPOINT("resume.cleaned");
    }
    if (s->o.document)
        supply_open_document(&s->supply, c, s->o.document);
    else
        TRY(supply_open(&s->supply, c));
    TRY(transformer_init(&s->model, &c->model, s->supply.vocab));
    store_init(&s->store, &s->model, &c->optim);
    s->crew = s->store.crew = crew_new(s->o.threads, rows_thread_start);
    if (c->translate.bleu && c->model.encoder_layers && !s->o.document)
        s->scorer = scorer_new(&s->supply, &c->translate);
    TRY(store_freeze(&s->store, c->train.freeze));
    s->vocabulary.size = s->supply.vocab;
    tokenizer_hash(s->o.document ? document_tokenizer(s->o.document)
                                 : s->supply.data.tokenizer,
                   s->vocabulary.hash);
    if (s->o.eval_only)
        TRY(resume_checkpoint(s->o.checkpoint, s->o.ema, c, &s->vocabulary, &s->model,
                              &s->store, &s->resume));
    else
        TRY(resume_run(c, &s->vocabulary, &s->model, &s->store, &s->resume));
    make_core_conf(s);
    auth_token_draw(s->token);
    s->conf_text = dump_conf(c);
    if (!s->o.eval_only)
        TRY(open_recorder(s));
    const uint64_t term = s->recorder ? recorder_term(s->recorder) : 1;
    examine_init(&s->examine, &s->model,
                 conf_steps_count(c->train.stats_every, s->supply.scale));
    const struct coordinator_from from = resume_from(&s->resume);
    coordinator_init(&s->core, &s->conf, term, &from);
    return ERR_OK;
}

static void say_what_starts(const struct serve *s)
{
    char count[UNITS_TEXT];
    const struct conf *c = s->o.conf;
    log_info("model: %s parameters, %u layers of width %u, context %u, vocabulary %u",
             units_print_count(count, (double)s->model.count), c->model.layers,
             c->model.width, c->model.context, s->supply.vocab);
    if (s->resume.found)
        log_info("going on from %s", s->resume.dir);
}

int serve_open(const struct serve_options *o, struct serve **out)
{
    struct serve *s = mem_zalloc(sizeof *s);
    s->o = *o;
    const int err = open_all(s);
    if (err) {
        serve_close(s);
        return err;
    }
    say_what_starts(s);
    *out = s;
    return ERR_OK;
}

bool serve_nothing_to_do(const struct serve *s)
{
    const bool done = s->store.version >= s->conf.steps;
    char why[COORDINATOR_WHY];
    if (s->o.document)
        return document_slices(s->o.document) == 0;
    if (s->o.eval_only || (!done && !early_due(&s->core)))
        return false;
    const char *reason = done ? "all steps were done before" : early_why(&s->core, why);
    log_info("step %llu of %llu: %s; a larger %s goes on from here",
             (unsigned long long)s->store.version, (unsigned long long)s->conf.steps,
             reason, done ? "train.steps" : "train.patience");
    recorder_end(s->recorder, ERR_OK, reason);
    return true;
}

const uint8_t *serve_token(const struct serve *s)
{
    return s->token;
}

void serve_close(struct serve *s)
{
    if (s->saver)
        saver_free(s->saver);
    if (s->updater)
        background_free(s->updater);
    if (s->tick)
        loop_timer_free(s->tick);
    for (size_t i = 0; i < 3; i++)
        if (s->signals[i])
            loop_signal_free(s->signals[i]);
    if (s->server)
        control_server_free(s->server);
    if (s->loop)
        serve_close_lanes(s, 0);
    if (s->published)
        access_remove(s->o.conf->run.dir);
    if (s->parcels)
        parcels_free(s->parcels);
    if (s->tcp_lane)
        transport_free(s->tcp_lane);
    peers_fini(&s->peers);
    if (s->recorder)
        recorder_close(s->recorder);
    coordinator_fini(&s->core);
    actions_fini(&s->actions);
    free(s->conf_text);
    mem_free(s->resume.dir);
    scorer_free(s->scorer);
    examine_fini(&s->examine);
    store_fini(&s->store);
    crew_free(s->crew);
    transformer_fini(&s->model);
    supply_close(&s->supply);
    run_dir_close(&s->dir);
    mem_free(s);
}

/* --- checkpoint, evaluation ------------------------------------------------------------
 */

static void checkpoint(struct serve *s, bool halfway)
{
    const struct checkpoint_state state = {
        .step = s->store.version,
        .term = s->core.term,
        .fingerprint = conf_fingerprint(s->o.conf),
        .vocab = s->supply.vocab,
        .validation = s->core.validation,
        .guard = s->core.guard,
        .version = LOCKSTEP_VERSION,
    };
    saver_start(s->saver, &state, halfway);
}

/* What training has waited for the disk since it was asked last. */
static void take_waited(struct serve *s)
{
    const double now = clock_seconds();
    if (s->waiting_since == 0)
        return;
    s->waited_s += now - s->waiting_since;
    s->waiting_since = now;
}

static void before_save(void *ctx)
{
    struct serve *s = ctx;
    recorder_sync(s->recorder);
}

static void on_saved(void *ctx, uint64_t step, int err, double seconds)
{
    struct serve *s = ctx;
    take_waited(s);
    recorder_checkpoint(s->recorder, step, err, seconds, s->waited_s);
    s->waited_s = 0;
    serve_feed(s, (struct event){.kind = EVENT_CHECKPOINTED, .step = step, .err = err});
}

static void evaluated(struct serve *s, const struct action *a)
{
    if (s->recorder) {
        recorder_evaluated(s->recorder, a);
        s->clock.commit = clock_seconds(); /* the next step's time is its own */
        return;
    }
    printf("step %llu  held-out loss %.4f  perplexity %.2f  %.3f bits/byte  %llu tokens",
           (unsigned long long)a->version, a->loss, exp(a->loss),
           a->loss / M_LN2 / s->supply.held_out_bytes_per_token,
           (unsigned long long)a->targets);
    if (isnan(a->bleu))
        putchar('\n');
    else
        printf("  BLEU %.2f\n", a->bleu);
}

/* --- events and actions
 * ---------------------------------------------------------------------- */

/* Where the best are, when they are not the last. */
static void say_best(const struct serve *s)
{
    for (int m = 0; m < VALIDATION_METRICS; m++) {
        const uint64_t step = s->core.validation.mark[m].best_step;
        char *path = checkpoint_path(s->o.conf->run.dir, step);
        if (step != UINT64_MAX && file_exists(path))
            log_info("the checkpoint of the best %s is %s", validation_rows[m].title,
                     path);
        mem_free(path);
    }
}

static void say_end(const struct serve *s, const struct action *a)
{
    if (s->o.eval_only && a->err && a->err != ERR_STOPPED)
        log_error("it ends: %s", a->reason);
    else if (s->o.eval_only)
        log_debug("%s", a->reason);
    else if (a->err == ERR_STOPPED)
        log_info("%s at step %llu; run the same command again to go on", a->reason,
                 (unsigned long long)a->version);
    else if (a->err != ERR_OK)
        log_error("the run ends at step %llu: %s", (unsigned long long)a->version,
                  a->reason);
    else if (a->version >= s->conf.steps)
        log_info("%s", a->reason);
    else {
        log_info("the run ends early, at step %llu: %s", (unsigned long long)a->version,
                 a->reason);
        say_best(s);
    }
}

static void finish(struct serve *s, const struct action *a)
{
    s->finished = true;
    if (s->published)
        access_remove(s->o.conf->run.dir);
    s->published = false;
    if (s->recorder)
        recorder_end(s->recorder, a->err, a->reason);
    say_end(s, a);
    for (size_t i = 0; i < s->peers.n; i++)
        if (s->peers.list[i] && s->peers.list[i]->channel)
            channel_close(s->peers.list[i]->channel, GOODBYE_MS);
    const int err = s->o.document ? document_end(s->o.document, a->err) : a->err;
    s->o.on_finish(s->o.ctx, err, !s->lost_any);
}

static void beat(struct serve *s, const struct action *a)
{
    serve_say(s, a->peer, (struct message){.kind = MESSAGE_HEARTBEAT});
}

static void record_statistics(struct serve *s, const struct action *a)
{
    const uint32_t slices = supply_step_slices(&s->supply, a->data),
                   slice = examine_slice(&s->examine, a->step, slices);
    struct examine_targets targets = {.slices = slices, .all = (double)a->targets};
    for (uint32_t v = 0; v < slices; v++) {
        const double n = (double)supply_targets(&s->supply, a->data, v, v + 1);
        targets.inverse += 1 / n;
        if (v == slice)
            targets.slice = n;
    }
    const struct statistics found =
        examine_step(&s->examine, a->step, a->noise, a->norm, targets);
    recorder_statistics(s->recorder, a->version, &found);
}

static double received(const struct serve *s)
{
    return (double)transport_received_bytes(s->lane) +
           (double)transport_received_bytes(s->tcp_lane);
}

static double sent(const struct serve *s)
{
    return (double)transport_sent_bytes(s->lane) +
           (double)transport_sent_bytes(s->tcp_lane);
}

/* The time of the step that is committed now, and the start of the next one's. */
static struct roofline_step lap(struct serve *s)
{
    const double now = clock_seconds(),
                 update = s->clock.update > 0 ? s->clock.update : now,
                 announced = s->clock.announced > 0 ? s->clock.announced : update;
    struct roofline_step step = {.computing = announced - s->clock.commit,
                                 .gathering = update - announced,
                                 .updating = now - update,
                                 .received = received(s) - s->clock.received,
                                 .sent = sent(s) - s->clock.sent};
    if (s->clock.commit == 0) /* it is the first */
        step.computing = 0;
    s->clock.commit = now;
    s->clock.announced = s->clock.update = 0;
    s->clock.received += step.received;
    s->clock.sent += step.sent;
    return step;
}

static void commit(struct serve *s, const struct action *a)
{
    const struct roofline_step time = lap(s);
    s->commit = *a;
    recorder_commit(s->recorder, a, &time);
    if (examine_due(&s->examine, a->step) && !a->skipped)
        record_statistics(s, a);
    examine_forget(&s->examine);
}

static int perform(struct serve *s, const struct action *a, const struct message *m)
{
    switch (a->kind) {
    case ACTION_RECEIVE:
        s->clock.announced = clock_seconds();
        return serve_receive(s, a, m);
    case ACTION_WELCOME:
        serve_welcome(s, a);
        break;
    case ACTION_REFUSE:
        serve_refuse(s, a);
        break;
    case ACTION_PARAMETERS:
        serve_parameters(s, a);
        break;
    case ACTION_LEASE:
        serve_lease(s, a);
        break;
    case ACTION_REVOKE:
        serve_revoke(s, a);
        break;
    case ACTION_ADD:
        serve_add(s, a);
        break;
    case ACTION_DROP:
        parcels_drop(s->parcels, a->partial);
        examine_drop(&s->examine, a->partial);
        break;
    case ACTION_DISCARD:
        serve_discard(s);
        break;
    case ACTION_UPDATE:
        s->clock.update = clock_seconds();
        serve_update(s, a);
        break;
    case ACTION_SKIP:
        store_skip(&s->store);
        break;
    case ACTION_COMMIT:
        commit(s, a);
        break;
    case ACTION_TRANSLATED:
        serve_translated(s, a, m);
        break;
    case ACTION_SCORE:
        serve_score(s);
        break;
    case ACTION_EVALUATED:
        evaluated(s, a);
        break;
    case ACTION_CHECKPOINT:
        checkpoint(s, a->halfway);
        break;
    case ACTION_DIVERGES:
        recorder_diverges(s->recorder, a);
        break;
    case ACTION_REWIND:
        serve_rewind(s, a);
        break;
    case ACTION_HEARTBEAT:
        beat(s, a);
        break;
    case ACTION_SLOW:
        serve_slow(s, a);
        break;
    case ACTION_DOUBT:
        serve_doubt(s, a);
        break;
    case ACTION_LOST:
        serve_lost(s, a);
        break;
    case ACTION_STOP:
        serve_stop(s, a);
        break;
    case ACTION_FINISH:
        finish(s, a);
        break;
    }
    return ERR_OK;
}

/* The end of its channel is an event that the core knows how to take. */
static void give_up(struct peer *p)
{
    if (p->channel)
        channel_close(p->channel, 0);
}

/* What is late is ignored.  Who says what cannot be, a result that is not its lease's for
 * one, will not say it better later, and would be waited for without end. */
static void not_taken(struct serve *s, struct peer *p, enum message_kind kind, int err)
{
    const bool refused = s->actions.n > 0; /* and told so */
    if (err != ERR_MALFORMED || refused) {
        log_debug("%s of %s ignored: %s", message_name(kind), p->name, err_text(err));
        return;
    }
    log_error("%s: its %s message does not fit what it was asked; its connection is "
              "closed",
              p->name, message_name(kind));
    give_up(p);
}

/* A run that stands still says why. */
static void watch_waiting(struct serve *s)
{
    const double now = clock_seconds();
    if (s->core.waiting || s->core.held) {
        if (s->waiting_since == 0)
            s->waiting_since = now;
        if (s->said_waiting || now - s->waiting_since < WAITING_S)
            return;
        log_warn("step %llu: a checkpoint is still being written, and a death would cost "
                 "more than train.checkpoint_every steps; training waits for the disk",
                 (unsigned long long)s->core.version);
        s->said_waiting = true;
    } else if (s->waiting_since != 0) {
        take_waited(s);
        s->waiting_since = 0;
        s->said_waiting = false;
    }
}

/* No action feeds the core at once: what they start comes back through the loop. */
void serve_feed(struct serve *s, struct event ev)
{
    if (s->finished)
        return;
    ev.now_ms = loop_now_ms(s->loop);
    const int err = coordinator_step(&s->core, &ev, &s->actions);
    if (err && ev.kind == EVENT_MESSAGE)
        not_taken(s, peers_get(&s->peers, ev.peer), ev.message->kind, err);
    for (size_t i = 0; i < s->actions.n; i++)
        if (perform(s, &s->actions.list[i], ev.message))
            give_up(peers_get(&s->peers, ev.peer));
    watch_waiting(s);
}

static struct peer *add_peer(struct serve *s, struct channel *c)
{
    struct peer *p = peers_add(&s->peers, c, loop_now_ms(s->loop));
    channel_attach(c, p);
    channel_limit(c, MESSAGE_JOIN_BYTES); /* it knows the token, and is nobody yet */
    return p;
}

static void on_message(void *ctx, struct channel *c, const struct message *m)
{
    struct serve *s = ctx;
    struct peer *p = channel_attached(c);
    if (!p)
        p = add_peer(s, c);
    if (m->kind == MESSAGE_JOIN && !p->worker) {
        if (channel_incarnation(c) && channel_incarnation(c) != m->incarnation) {
            give_up(p); /* another than the one it proved to be */
            return;
        }
        peer_introduce(p, m);
    }
    if (m->kind == MESSAGE_EVALUATED && serve_check_translated(s, p, m)) {
        give_up(p);
        return;
    }
    serve_feed(s, (struct event){.kind = EVENT_MESSAGE, .peer = p->id, .message = m});
}

static void on_closed(void *ctx, struct channel *c, int err)
{
    struct serve *s = ctx;
    struct peer *p = channel_attached(c);
    (void)err;
    if (!p)
        return;
    p->channel = NULL;
    serve_feed(s, (struct event){.kind = EVENT_CLOSED, .peer = p->id});
    if (!p->worker)
        peers_remove(&s->peers, p);
}

const struct channel_events serve_events = {on_message, on_closed};

static void on_accept(void *ctx, struct channel *c)
{
    add_peer(ctx, c);
}

/* Connections that say nothing do not stay. */
static void close_strangers(struct serve *s)
{
    const uint64_t now = loop_now_ms(s->loop);
    for (size_t i = 0; i < s->peers.n; i++) {
        const struct peer *p = s->peers.list[i];
        if (p && p->channel && !p->worker && now - p->since_ms > JOIN_MS)
            channel_close(p->channel, 0);
    }
    serve_close_lanes(s, JOIN_MS);
}

static void on_tick(void *ctx)
{
    struct serve *s = ctx;
    close_strangers(s);
    if (s->recorder && !s->finished)
        recorder_alive(s->recorder);
    if (s->o.document && document_failed(s->o.document))
        serve_feed(s, (struct event){.kind = EVENT_STOP});
    serve_feed(s, (struct event){.kind = EVENT_TICK});
}

static void on_signal(void *ctx)
{
    struct serve *s = ctx;
    if (s->core.stopping || s->finished)
        return;
    if (s->o.eval_only)
        log_info("asked to stop");
    else
        log_info("asked to stop: finishing step %llu, then a checkpoint",
                 (unsigned long long)s->core.version);
    serve_feed(s, (struct event){.kind = EVENT_STOP});
}

/* What of it was being sent or received is nobody's any more, nor is the worker. */
static void on_lane_end(void *ctx, uint32_t peer)
{
    give_up(peers_get(&((struct serve *)ctx)->peers, peer));
}

static int prepare(struct serve *s, struct loop *l, struct transport *lane)
{
    s->loop = l;
    s->lane = lane;
    s->tcp_lane = transport_tcp(l, on_lane_end, s);
    s->updater = background_new(l);
    s->parcels =
        parcels_new(&s->store.ranges, s->conf.slices, (enum wire)s->o.conf->cluster.wire,
                    s->crew, serve_on_arrived, s);
    if (s->o.eval_only)
        return ERR_OK;
    char *tokenizer = file_join(s->o.conf->data.dir, DATASET_TOKENIZER);
    const struct conf_train *t = &s->o.conf->train;
    const bool rewinds = s->conf.divergence > 0 && s->conf.on_divergence != DIVERGED_WARN;
    const struct saver_options o = {
        .run_dir = s->o.conf->run.dir,
        .model = &s->model,
        .store = &s->store,
        .run_yaml = s->conf_text,
        .tokenizer_path = tokenizer,
        .keep = {.last = t->keep_last,
                 .every = conf_steps_count(t->keep_every, s->supply.scale),
                 .back = s->conf.rewind_steps,
                 .stride = rewinds ? s->conf.checkpoint_every : 0},
        .before = before_save,
        .done = on_saved,
        .ctx = s};
    const int err = saver_new(l, &o, &s->saver);
    mem_free(tokenizer);
    return err;
}

int serve_listen(struct serve *s, struct loop *l, struct transport *lane,
                 const char *address, char bound[CONTROL_ADDRESS])
{
    TRY(prepare(s, l, lane));
    struct control_server_options o = {.events = serve_events,
                                       .on_accept = on_accept,
                                       .on_lane = serve_on_lane,
                                       .ctx = s};
    memcpy(o.token, s->token, sizeof o.token);
    TRY(control_listen(l, address, bound, &o, &s->server));
    if (s->o.eval_only)
        return ERR_OK;
    s->published = true;
    return access_write(s->o.conf->run.dir, bound, s->token);
}

int serve_adopt(struct serve *s, struct loop *l, struct transport *lane,
                struct channel *c)
{
    TRY(prepare(s, l, lane));
    add_peer(s, c);
    return ERR_OK;
}

void serve_start(struct serve *s)
{
    static const int signals[3] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < 3; i++)
        s->signals[i] = loop_signal_new(s->loop, signals[i], on_signal, s);
    const uint64_t lease = s->conf.lease_ms / TICKS_PER_LEASE,
                   tick_ms = lease < TICK_MS ? lease : TICK_MS;
    s->tick = loop_timer_new(s->loop, tick_ms, tick_ms, on_tick, s);
    serve_feed(s, (struct event){.kind = EVENT_START});
}
