#include "coordinator/start.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "coordinator/probe.h"

/* A worker whose coordinator is gone ends at once, unless it still waits for its first
 * word or hangs. */
enum { POLL_MS = 50, GRACE_S = 5, GONE_GRACE_MS = 500 };

/* status.json is written every two seconds: when it is not, somebody asks, and asks again
 * before it acts. */
enum { QUIET_S = 6, LOOK_AGAIN_S = 3, MISSES = 2 };

/* status.json as this start's coordinator wrote it.  Clocks of hosts differ: what counts
 * is that it is not what was there before. */
struct verdict {
    const char *run_dir;
    double before; /* when what was there before was written; 0: nothing was */
    struct run_status status;
    struct run_owner owner_before;
};

static void verdict_init(struct verdict *v, const char *run_dir)
{
    *v = (struct verdict){.run_dir = run_dir};
    if (run_status_read(run_dir, &v->status) == ERR_OK)
        v->before = v->status.updated;
    v->status = (struct run_status){0};
    run_dir_owner(run_dir, &v->owner_before);
}

/* Has this start's coordinator taken the run directory?  Then it is in @owner. */
static bool verdict_owner(const struct verdict *v, struct run_owner *owner)
{
    return run_dir_owner(v->run_dir, owner) &&
           (owner->pid != v->owner_before.pid ||
            strcmp(owner->host, v->owner_before.host) != 0);
}

/* Has this start's coordinator said anything yet? */
static bool verdict_read(struct verdict *v)
{
    struct run_status now;
    if (run_status_read(v->run_dir, &now) != ERR_OK || now.updated == v->before)
        return false;
    v->status = now;
    return true;
}

static bool is_final(const struct run_status *s)
{
    return strcmp(s->state, "running") != 0 && strcmp(s->state, "starting") != 0;
}

static double since(double *start)
{
    if (*start == 0)
        *start = clock_seconds();
    return clock_seconds() - *start;
}

/* One start, while mpirun runs. */
struct watch {
    const struct start_options *o;
    struct mpirun mpirun;
    struct verdict verdict;
    int told;                       /* of the signals */
    double final_since, gone_since; /* 0: not */
    double heard_at, looked_at; /* status.json changed; we asked for the coordinator */
    unsigned misses;            /* in a row */
};

/* Passes on what we were asked.  True: at once. */
static bool obey(struct watch *w)
{
    if (*w->o->asked == w->told)
        return false;
    w->told = *w->o->asked;
    if (w->told == 1)
        mpirun_ask(&w->mpirun);
    else
        mpirun_end(&w->mpirun);
    return w->mpirun.pid == 0;
}

/* A coordinator on this machine was there and is not any more. */
static bool is_gone_here(struct watch *w)
{
    struct run_owner owner;
    if (!verdict_owner(&w->verdict, &owner) || kill((pid_t)owner.pid, 0) == 0 ||
        errno != ESRCH) {
        w->gone_since = 0;
        return false;
    }
    return since(&w->gone_since) > GONE_GRACE_MS / 1000.0;
}

/* The same on another: when nothing was heard of it for a while, it is asked for. */
static bool is_gone_there(struct watch *w)
{
    const double now = clock_seconds();
    struct run_owner owner = {0};
    if (now - w->heard_at < QUIET_S || now - w->looked_at < LOOK_AGAIN_S)
        return false;
    const struct host *first = hosts_first(w->o->hosts);
    if (!verdict_owner(&w->verdict, &owner))
        owner.pid = 0;
    const bool there = probe_process(first->name, w->o->mpirun->agent, owner.pid);
    w->looked_at = clock_seconds();
    w->misses = there ? 0 : w->misses + 1;
    return w->misses >= MISSES;
}

/* True: mpirun was ended. */
static bool end_if_lost(struct watch *w)
{
    const bool here = w->o->hosts->n == 0;
    if (here ? !is_gone_here(w) : !is_gone_there(w))
        return false;
    log_warn("the coordinator on %s is gone and mpirun did not end; ending it",
             here ? "this host" : hosts_first(w->o->hosts)->name);
    mpirun_end(&w->mpirun);
    return true;
}

/* Until mpirun has ended, by itself or by us; its status as of waitpid(). */
static int wait_for_end(struct watch *w)
{
    int status = 0;
    double updated = 0;
    while (!mpirun_ended(&w->mpirun, &status) && !obey(w)) {
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        const bool said = verdict_read(&w->verdict);
        if (said && w->verdict.status.updated != updated) {
            updated = w->verdict.status.updated;
            w->heard_at = clock_seconds();
            w->misses = 0;
        }
        if (!said || !is_final(&w->verdict.status)) {
            if (end_if_lost(w))
                break;
        } else if (since(&w->final_since) > GRACE_S) {
            log_warn("mpirun did not end %d s after the run did; ending it", GRACE_S);
            mpirun_end(&w->mpirun);
            break;
        }
    }
    return status;
}

bool start_job(const struct start_options *o, struct run_status *status)
{
    struct watch w = {.o = o, .heard_at = clock_seconds()};
    verdict_init(&w.verdict, o->run_dir);
    *status = (struct run_status){0};
    if (mpirun_start(&w.mpirun, o->mpirun) != ERR_OK)
        return false;
    const int ended = wait_for_end(&w);
    mpirun_clean(&w.mpirun);
    if (verdict_read(&w.verdict) || w.verdict.status.updated != 0) {
        *status = w.verdict.status;
        return is_final(status);
    }
    const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 0;
    if (code == 0 || code > 128) /* whoever was to say something had no time to */
        return false;
    if (code == 127) {
        log_error(
            "mpirun is not installed or not on PATH; install the package openmpi-bin");
        status->exit_code = err_exit_code(ERR_CONFIG);
        return true;
    }
    status->exit_code = code; /* it said why */
    return true;
}
