#include "net/watchdog.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

struct watchdog {
    struct loop *loop;
    struct loop_timer *heart;
    uint64_t limit_ms;
    _Atomic uint64_t beats;
    _Atomic unsigned pauses;
    pthread_t thread;
    pthread_mutex_t lock; /* of stop */
    pthread_cond_t stopped;
    bool stop;
};

static void on_beat(void *ctx)
{
    struct watchdog *w = ctx;
    atomic_fetch_add_explicit(&w->beats, 1, memory_order_relaxed);
}

/* Sleeps one look; false when the watch is over. */
static bool next_look(struct watchdog *w)
{
    struct timespec until;
    const uint64_t ns = w->limit_ms * 1000000 / WATCHDOG_LOOKS;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)((ns + (uint64_t)until.tv_nsec) / 1000000000);
    until.tv_nsec = (long)((ns + (uint64_t)until.tv_nsec) % 1000000000);
    pthread_mutex_lock(&w->lock);
    int rc = 0;
    while (!w->stop && rc == 0)
        rc = pthread_cond_timedwait(&w->stopped, &w->lock, &until);
    const bool go_on = !w->stop;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void *watch(void *ctx)
{
    struct watchdog *w = ctx;
    uint64_t seen = 0;
    int missed = 0;
    while (next_look(w)) {
        const uint64_t beats = atomic_load_explicit(&w->beats, memory_order_relaxed);
        const bool paused = atomic_load(&w->pauses) > 0;
        missed = beats == seen && !paused ? missed + 1 : 0;
        seen = beats;
        if (missed < WATCHDOG_LOOKS)
            continue;
        log_error("stalled: the loop has not come round for %llu ms, its last callback "
                  "was: %s; ending this process so that the job can go on",
                  (unsigned long long)w->limit_ms, loop_place(w->loop));
        _exit(err_exit_code(ERR_NO_PROGRESS));
    }
    return NULL;
}

/* Signals are for the loop thread. */
static int start_thread(struct watchdog *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int rc = pthread_create(&w->thread, NULL, watch, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct watchdog *watchdog_start(struct loop *l, uint64_t limit_ms)
{
    assert(limit_ms >= WATCHDOG_LOOKS);
    struct watchdog *w = mem_zalloc(sizeof *w);
    pthread_condattr_t clock;
    w->loop = l;
    w->limit_ms = limit_ms;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->stopped, &clock);
    pthread_condattr_destroy(&clock);
    const uint64_t beat_ms = limit_ms / (2 * WATCHDOG_LOOKS);
    w->heart = loop_timer_new(l, 0, beat_ms ? beat_ms : 1, on_beat, w);
    const int rc = start_thread(w);
    assert(rc == 0);
    (void)rc;
    return w;
}

void watchdog_pause(struct watchdog *w)
{
    atomic_fetch_add(&w->pauses, 1);
}

void watchdog_resume(struct watchdog *w)
{
    assert(atomic_load(&w->pauses) > 0);
    on_beat(w);
    atomic_fetch_sub(&w->pauses, 1);
}

void watchdog_stop(struct watchdog *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->stopped);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    loop_timer_free(w->heart);
    pthread_cond_destroy(&w->stopped);
    pthread_mutex_destroy(&w->lock);
    mem_free(w);
}
