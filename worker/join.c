#include "worker/join.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/transport.h"
#include "worker/work.h"

enum { COORDINATOR = 0, HEARTBEAT_MS = 500, PAUSE_MS = 100, PAUSE_MAX_MS = 2000 };

struct attempt {
    const struct join_options *o;
    struct loop *loop;
    struct transport *lane;
    struct work *work; /* NULL: not yet */
    struct control_caller who;
    char address[CONTROL_ADDRESS];
    bool leaving, welcome;
    int err, exit_code;
};

static void end(struct attempt *a, int err, int exit_code)
{
    a->err = err;
    a->exit_code = exit_code;
    loop_stop(a->loop);
}

static void on_signal(void *ctx)
{
    struct attempt *a = ctx;
    if (a->leaving)
        return;
    a->leaving = true;
    log_info("asked to leave: delivering what is begun");
    if (a->work)
        work_leave(a->work);
    else
        end(a, ERR_OK, 0);
}

static void on_finish(void *ctx, int err, int exit_code)
{
    end(ctx, err, exit_code);
}

static void on_welcome(void *ctx, uint32_t worker, const struct conf *run)
{
    struct attempt *a = ctx;
    a->welcome = true;
    a->o->on_welcome(a->o->ctx, worker, run);
}

static void on_lane_end(void *ctx, uint32_t peer)
{
    struct attempt *a = ctx;
    (void)peer;
    work_lane_ended(a->work);
}

static void on_lane(void *ctx, int fd, int err)
{
    struct attempt *a = ctx;
    struct channel *channel;
    if (err) {
        end(a, err, err_exit_code(err));
        return;
    }
    transport_tcp_add(a->lane, COORDINATOR, fd);
    const struct work_options o = {.incarnation = a->who.incarnation,
                                   .threads = a->o->threads,
                                   .kernels = a->o->kernels,
                                   .heartbeat_ms = HEARTBEAT_MS,
                                   .on_welcome = on_welcome,
                                   .on_finish = on_finish,
                                   .ctx = a};
    a->work = work_new(a->loop, a->lane, COORDINATOR, &o);
    err = control_connect(a->loop, a->address, &a->who, work_events, a->work, &channel);
    if (err)
        end(a, err, err_exit_code(err));
    else
        work_begin(a->work, channel);
}

static void try_once(struct attempt *a)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    a->err = a->o->find(a->o->ctx, a->address, a->who.token);
    a->exit_code = err_exit_code(a->err);
    if (a->err)
        return;
    a->who.incarnation = auth_draw();
    a->loop = loop_new();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        loop_signal_new(a->loop, signals[i], on_signal, a);
    a->lane = transport_tcp(a->loop, on_lane_end, a);
    const int err = control_connect_lane(a->loop, a->address, &a->who, on_lane, a);
    if (err)
        end(a, err, err_exit_code(err));
    else
        loop_run(a->loop);
    if (a->work)
        work_free(a->work);
    transport_free(a->lane);
    loop_free(a->loop);
}

/* Many that lost the same coordinator do not come back in the same moment. */
static void pause_for(unsigned tries)
{
    uint32_t ms = tries < 5 ? PAUSE_MS << tries : PAUSE_MAX_MS;
    ms = ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
    ms = ms / 2 + (uint32_t)(auth_draw() % ms);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L},
              NULL);
}

static bool may_pass(int err)
{
    return err == ERR_CLOSED || err == ERR_TIMEOUT || err == ERR_NO_FILE;
}

/* Nothing came of @a.  Whether to go on looking; if not, why is logged. */
static bool go_on(struct attempt *a, bool was_in, double since)
{
    const struct join_options *o = a->o;
    if (a->leaving || !may_pass(a->err))
        return false;
    if (was_in && o->is_done(o->ctx)) {
        log_info("the run was done while this worker was away");
        a->exit_code = 0;
        return false;
    }
    if (a->welcome || clock_seconds() - since < o->wait_s)
        return true;
    if (o->wait_s > 0)
        log_error("found no coordinator in %.0f s; --wait looks for it longer", o->wait_s);
    return false;
}

int join_run(const struct join_options *o)
{
    double since = clock_seconds();
    bool was_in = false;
    for (unsigned tries = 0;; tries++) {
        struct attempt a = {.o = o};
        try_once(&a);
        if (a.welcome) {
            was_in = true;
            since = clock_seconds();
            tries = 0;
        }
        if (!go_on(&a, was_in, since))
            return a.exit_code;
        if (!a.welcome && tries == 0)
            log_info("looking for the coordinator for %.0f s", o->wait_s);
        pause_for(tries);
    }
}
