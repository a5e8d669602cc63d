/* cluster.c - puts a run together: the world, the loop, the lanes, and in them the
 * coordinator, a worker, or both in one process.  With main.c the only place that knows
 * both. */
#include <assert.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/run_dir.h"
#include "coordinator/address.h"
#include "coordinator/command.h"
#include "coordinator/serve.h"
#include "data/plan.h"
#include "net/control.h"
#include "net/loop.h"
#include "net/transport.h"
#include "net/watchdog.h"
#include "net/world.h"
#include "nn/transformer.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"
#include "worker/compute.h"
#include "worker/join.h"
#include "worker/work.h"

enum {
    FAREWELL_MS = 300,
    /* for last messages to leave */ ANNOUNCE_S = 5,
    STALL_MS = 120000 /* a loop that long away has deadlocked in a library */
};

struct cluster {
    const struct cluster_job *job;
    struct world world;
    struct loop *loop;
    struct loop_timer *farewell;
    const char *kernels; /* static */
    struct work *work;   /* of a worker by MPI */
    const struct world_verdict *verdict;
    int err, exit_code;
    bool clean, announced;
};

/* --- numerics and cores
 * -------------------------------------------------------------------- */

int cluster_start_kernels(enum conf_kernels wanted, const char **products,
                          const char **rows)
{
    static const char *const sets[] = {
        [KERNELS_V2] = "v2", [KERNELS_V3] = "v3", [KERNELS_V4] = "v4"};
    const char *want = wanted == KERNELS_AUTO ? NULL : sets[wanted];
    TRY(gemm_start(want, products));
    return rows_start(want, rows);
}

/* Both sets are of the same instructions.  @kernels (static): what decides the bits. */
static int start_numerics(enum conf_kernels wanted, const char **kernels)
{
    const char *products, *rows;
    TRY(cluster_start_kernels(wanted, &products, &rows));
    assert((strcmp(rows, "v2") != 0) == gemm_is_fused());
    *kernels = gemm_is_fused() ? "fused" : "two roundings";
    return ERR_OK;
}

static unsigned cores(void)
{
    cpu_set_t set;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return online > 0 ? (unsigned)online : 1;
}

void cluster_unbind(void)
{
    cpu_set_t all;
    CPU_ZERO(&all);
    const long online = sysconf(_SC_NPROCESSORS_CONF);
    for (long i = 0; i < online && i < CPU_SETSIZE; i++)
        CPU_SET((size_t)i, &all);
    if (sched_setaffinity(0, sizeof all, &all) != 0)
        log_debug("could not unbind from %u cores", cores());
}

unsigned cluster_threads(const struct conf *conf, unsigned workers)
{
    if (conf->cluster.threads)
        return conf->cluster.threads;
    const unsigned share = cores() / (workers ? workers : 1);
    return share ? share : 1;
}

double cluster_worker_bytes(const struct conf *conf, uint32_t vocab, unsigned workers)
{
    struct transformer t;
    if (transformer_init(&t, &conf->model, vocab) != ERR_OK)
        return 0;
    t.recompute = conf->train.recompute;
    const struct plan plan = plan_of(conf);
    const uint32_t leased = (plan.slices + workers - 1) / workers;
    const size_t bytes =
        compute_bytes(&t, cluster_threads(conf, workers), plan_rows(plan), leased);
    transformer_fini(&t);
    return (double)bytes;
}

/* --- signals -------------------------------------------------------------------------
 */

static const int stop_signals[] = {SIGTERM, SIGINT, SIGUSR1};
static volatile sig_atomic_t asked_early;

static void remember(int signum)
{
    asked_early = signum;
}

/* mpirun passes signals on to every rank.  Workers go when the coordinator says so, or is
 * gone; the coordinator takes them from its loop, and until that runs remembers them. */
static void take_signals(void (*handler)(int))
{
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
        sigaction(stop_signals[i], &(struct sigaction){.sa_handler = handler}, NULL);
}

/* The loop's handlers are in place now. */
static void give_early_signal(void)
{
    if (asked_early)
        raise(asked_early);
}

/* --- ends
 * ------------------------------------------------------------------------------------ */

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void on_served(void *ctx, int err, bool clean)
{
    struct cluster *c = ctx;
    c->exit_code = err_exit_code(err);
    c->clean = clean;
    c->farewell = loop_timer_new(c->loop, FAREWELL_MS, 0, stop, c->loop);
}

static void on_worked(void *ctx, int err, int exit_code)
{
    struct cluster *c = ctx;
    c->err = err;
    c->exit_code = exit_code;
    c->clean = c->clean && err == ERR_OK;
    loop_stop(c->loop);
}

/* In one process the coordinator's word counts: it hears of its worker's end by the
 * channel, saves what is reached and says how the run ended. */
static void on_worked_here(void *ctx, int err, int exit_code)
{
    (void)ctx;
    (void)err;
    (void)exit_code;
}

static void on_welcome(void *ctx, uint32_t worker, const struct conf *run)
{
    char who[32];
    (void)ctx;
    snprintf(who, sizeof who, "worker %u", worker);
    log_init(who, (enum log_level)run->run.log_level);
}

/* --- roles
 * ----------------------------------------------------------------------------------- */

static struct serve_options serve_options(struct cluster *c, uint32_t workers)
{
    return (struct serve_options){
        .conf = c->job->conf,
        .eval_only = c->job->eval_only,
        .document = c->job->document,
        .checkpoint = c->job->checkpoint,
        .ema = c->job->ema,
        .workers = workers,
        .compute_threads = workers * cluster_threads(c->job->conf, workers),
        .threads = cores(),
        .kernels = c->kernels,
        .on_finish = on_served,
        .ctx = c,
    };
}

static int one_process(struct cluster *c)
{
    const struct conf *conf = c->job->conf;
    log_init("", (enum log_level)conf->run.log_level);
    struct serve_options so = serve_options(c, 1);
    so.one_process = true;
    struct serve *serve;
    TRY(serve_open(&so, &serve));
    if (serve_nothing_to_do(serve)) {
        serve_close(serve);
        return ERR_OK;
    }
    c->loop = loop_new();
    struct transport *here, *there;
    transport_memory(c->loop, &here, &there);
    struct work_options wo = {.incarnation = 1,
                              .rank = 1, /* as the lane in memory names it */
                              .threads = cluster_threads(conf, 1),
                              .kernels = c->kernels,
                              .heartbeat_ms = (uint64_t)(conf->cluster.heartbeat * 1000),
                              .on_finish = on_worked_here,
                              .ctx = c};
    struct work *work = work_new(c->loop, there, 0, &wo);
    struct channel *a, *b;
    control_pair(c->loop, serve_events, serve, work_events, work, &a, &b);
    const int err = serve_adopt(serve, c->loop, here, a);
    if (!err) {
        serve_start(serve);
        give_early_signal();
        work_begin(work, b);
        loop_run(c->loop);
    }
    work_free(work);
    serve_close(serve);
    transport_free(here);
    transport_free(there);
    if (c->farewell)
        loop_timer_free(c->farewell);
    loop_free(c->loop);
    return err;
}

static int coordinate(struct cluster *c, struct world_verdict *v)
{
    const struct conf *conf = c->job->conf;
    log_init("coordinator", (enum log_level)conf->run.log_level);
    const struct serve_options so = serve_options(c, c->world.size - 1);
    struct serve *serve;
    TRY(serve_open(&so, &serve));
    if (serve_nothing_to_do(serve)) {
        serve_close(serve);
        c->announced = true;
        return world_announce(&c->world, v, conf->cluster.start_timeout);
    }
    char address[CONTROL_ADDRESS];
    TRY(address_to_listen(conf->cluster.listen, c->world.one_host, address));
    c->loop = loop_new();
    struct transport *lane = transport_mpi(c->loop);
    TRY(serve_listen(serve, c->loop, lane, address, v->address));
    memcpy(v->token, serve_token(serve), AUTH_TOKEN);
    c->announced = true;
    TRY(world_announce(&c->world, v, conf->cluster.start_timeout));
    struct watchdog *watchdog = watchdog_start(c->loop, STALL_MS);
    serve_start(serve);
    give_early_signal();
    loop_run(c->loop);
    watchdog_stop(watchdog);
    if (c->clean && transport_idle(lane)) /* else MPI may still use the buffers */
        serve_close(serve);
    return ERR_OK;
}

/* --- a worker of the MPI world --- */

enum { LEAVE_AFTER_MS = 1000 };

static void leave(void *ctx)
{
    struct cluster *c = ctx;
    c->clean = false; /* the others go on: MPI_Finalize would wait for them */
    work_leave(c->work);
}

/* Somebody wants this worker to go; or mpirun passes on to all what was meant for the
 * job: then the coordinator's word comes first. */
static void on_worker_signal(void *ctx)
{
    struct cluster *c = ctx;
    if (!c->farewell)
        c->farewell = loop_timer_new(c->loop, LEAVE_AFTER_MS, 0, leave, c);
}

static int find_again(void *ctx, char address[CONTROL_ADDRESS], uint8_t token[AUTH_TOKEN])
{
    const struct cluster *c = ctx;
    snprintf(address, CONTROL_ADDRESS, "%.*s", CONTROL_ADDRESS - 1, c->verdict->address);
    memcpy(token, c->verdict->token, AUTH_TOKEN);
    return ERR_OK;
}

/* It was given up although it lives: by TCP it can come back.  What MPI still holds of it
 * is left alone. */
static void come_back(struct cluster *c, unsigned threads)
{
    const struct join_options o = {.find = find_again,
                                   .ctx = c,
                                   .threads = threads,
                                   .kernels = c->kernels,
                                   .on_welcome = on_welcome};
    log_info("joining again over TCP");
    c->exit_code = join_run(&o);
}

static int work(struct cluster *c, const struct world_verdict *v)
{
    c->loop = loop_new();
    c->verdict = v;
    /* workers on this machine: all ranks on it but the coordinator, if that is here */
    const bool with_coordinator = c->world.one_host || address_is_here(v->address);
    const unsigned here = c->world.local_size - with_coordinator;
    struct control_caller who;
    memcpy(who.token, v->token, AUTH_TOKEN);
    who.incarnation = auth_draw();
    const struct work_options o = {.incarnation = who.incarnation,
                                   .rank = c->world.rank,
                                   .threads = cluster_threads(c->job->conf, here),
                                   .kernels = c->kernels,
                                   .heartbeat_ms = 500,
                                   .on_welcome = on_welcome,
                                   .on_finish = on_worked,
                                   .ctx = c};
    struct transport *lane = transport_mpi(c->loop);
    c->work = work_new(c->loop, lane, 0, &o);
    struct channel *channel;
    TRY(control_connect(c->loop, v->address, &who, work_events, c->work, &channel));
    struct watchdog *watchdog = watchdog_start(c->loop, STALL_MS);
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
        loop_signal_new(c->loop, stop_signals[i], on_worker_signal, c);
    work_begin(c->work, channel);
    loop_run(c->loop);
    watchdog_stop(watchdog);
    if (c->clean && transport_idle(lane)) /* else MPI may still use the buffers */
        work_free(c->work);
    else if (c->err == ERR_CLOSED || c->err == ERR_TIMEOUT)
        come_back(c, o.threads);
    return ERR_OK;
}

int cluster_join(const struct join_options *wanted)
{
    const char *kernels;
    log_init("worker", LOG_INFO);
    const int err = start_numerics(KERNELS_AUTO, &kernels);
    if (err)
        return err_exit_code(err);
    signal(SIGPIPE, SIG_IGN);
    struct join_options o = *wanted;
    o.threads = o.threads ? o.threads : cores();
    o.kernels = kernels;
    o.on_welcome = on_welcome;
    return join_run(&o);
}

/* For `lockstep launch`, which learns nothing from mpirun's exit code: why there was no
 * start.  A run directory in use is another's to write. */
static void leave_verdict(const struct cluster_job *job, int err)
{
    struct run_status status = {0};
    if (job->err || job->eval_only || err == ERR_BUSY)
        return;
    if (run_status_read(job->conf->run.dir, &status) != ERR_OK)
        status = (struct run_status){.loss = NAN,
                                     .held_out_loss = NAN,
                                     .best_held_out_loss = NAN,
                                     .bleu = NAN,
                                     .best_bleu = NAN};
    snprintf(status.state, sizeof status.state, "failed");
    snprintf(status.message, sizeof status.message, "could not start: %s", err_text(err));
    status.exit_code = err_exit_code(err);
    status.updated = clock_wall();
    run_status_write(job->conf->run.dir, &status);
}

/* Rank 0: whatever happens, the others are told. */
static int lead(struct cluster *c)
{
    struct world_verdict v = {0};
    int err = c->job->err;
    if (!err)
        err = start_numerics(c->job->conf->cluster.kernels, &c->kernels);
    if (!err)
        err = coordinate(c, &v);
    if (err && !c->announced) {
        leave_verdict(c->job, err);
        v = (struct world_verdict){.exit_code = (uint32_t)err_exit_code(err)};
        world_announce(&c->world, &v, ANNOUNCE_S);
    }
    return err;
}

static int follow(struct cluster *c)
{
    struct world_verdict v;
    TRY(world_await(&c->world, &v, c->job->conf->cluster.start_timeout));
    if (!*v.address) {
        c->exit_code = (int)v.exit_code;
        return ERR_OK;
    }
    log_silence(false);
    char who[32];
    snprintf(who, sizeof who, "rank %u", c->world.rank);
    log_init(who, LOG_INFO);
    TRY(start_numerics(c->job->conf->cluster.kernels, &c->kernels));
    return work(c, &v);
}

int cluster_run(const struct cluster_job *job)
{
    struct cluster c = {.job = job, .clean = true};
    world_peek(&c.world);
    take_signals(c.world.rank == 0 ? remember : SIG_IGN);
    if (c.world.size < 2) {
        int err = job->err;
        if (!err)
            err = start_numerics(job->conf->cluster.kernels, &c.kernels);
        if (!err)
            err = one_process(&c);
        return err ? err_exit_code(err) : c.exit_code;
    }
    cluster_unbind();
    const int err = world_start(&c.world);
    if (err)
        return err_exit_code(err);
    const int failed = c.world.rank == 0 ? lead(&c) : follow(&c);
    if (failed)
        c.exit_code = err_exit_code(failed);
    world_exit(&c.world, c.exit_code, c.clean);
}
