#include "coordinator/background.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

struct background {
    pthread_t thread;
    struct loop_waker *waker;
    void (*done)(void *ctx);
    bool busy;            /* loop thread's view: from run() to done() */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    void (*work)(void *ctx);
    void *ctx;
    bool finished, ending;
};

static void *run(void *arg)
{
    struct background *b = arg;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->work && !b->ending)
            pthread_cond_wait(&b->changed, &b->lock);
        if (!b->work)
            break;
        void (*work)(void *) = b->work;
        pthread_mutex_unlock(&b->lock);
        work(b->ctx);
        pthread_mutex_lock(&b->lock);
        b->work = NULL;
        b->finished = true;
        loop_wake(b->waker);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void on_wake(void *ctx)
{
    struct background *b = ctx;
    pthread_mutex_lock(&b->lock);
    const bool finished = b->finished;
    b->finished = false;
    pthread_mutex_unlock(&b->lock);
    if (!finished)
        return;
    b->busy = false;
    b->done(b->ctx);
}

struct background *background_new(struct loop *l)
{
    struct background *b = mem_zalloc(sizeof *b);
    b->waker = loop_waker_new(l, on_wake, b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    sigset_t all, before; /* signals are the loop thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&b->thread, NULL, run, b) != 0)
        abort(); /* the system is out of threads: as bad as out of memory */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return b;
}

void background_free(struct background *b)
{
    pthread_mutex_lock(&b->lock);
    b->ending = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    loop_waker_free(b->waker);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->changed);
    mem_free(b);
}

bool background_busy(const struct background *b)
{
    return b->busy;
}

void background_run(struct background *b, void (*work)(void *ctx),
                    void (*done)(void *ctx), void *ctx)
{
    assert(!b->busy);
    b->busy = true;
    pthread_mutex_lock(&b->lock);
    b->work = work;
    b->done = done;
    b->ctx = ctx;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}
