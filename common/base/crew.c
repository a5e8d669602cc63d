#include "base/crew.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct job {
    void (*work)(void *ctx, size_t i);
    void *ctx;
    size_t n;
};

struct crew {
    pthread_mutex_t one; /* held by who runs something */
    atomic_size_t next;  /* piece that nobody has begun */
    void (*start)(void);
    unsigned threads; /* of ours: without the caller */
    pthread_t *thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t begun, ended;
    struct job job;
    unsigned run, working; /* number of the run; threads that are in it */
    bool open, ending;     /* a run may be joined */
};

static void pieces(struct crew *c, struct job job)
{
    for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < job.n;)
        job.work(job.ctx, i);
}

static void *serve(void *arg)
{
    struct crew *c = arg;
    unsigned seen = 0;
    if (c->start)
        c->start();
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->ending && (!c->open || c->run == seen))
            pthread_cond_wait(&c->begun, &c->lock);
        if (c->ending)
            break;
        seen = c->run;
        c->working++;
        const struct job job = c->job;
        pthread_mutex_unlock(&c->lock);
        pieces(c, job);
        pthread_mutex_lock(&c->lock);
        if (--c->working == 0)
            pthread_cond_signal(&c->ended);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct crew *crew_new(unsigned threads, void (*start)(void))
{
    assert(threads > 0);
    struct crew *c = mem_zalloc(sizeof *c);
    c->threads = threads - 1;
    c->start = start;
    c->thread = mem_zalloc(threads * sizeof *c->thread);
    pthread_mutex_init(&c->one, NULL);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->begun, NULL);
    pthread_cond_init(&c->ended, NULL);
    sigset_t all, before; /* signals are the loop thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < c->threads; i++)
        if (pthread_create(&c->thread[i], NULL, serve, c) != 0)
            abort(); /* the system is out of threads: as bad as out of memory */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c;
}

void crew_free(struct crew *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    assert(!c->open);
    c->ending = true;
    pthread_cond_broadcast(&c->begun);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->threads; i++)
        pthread_join(c->thread[i], NULL);
    pthread_mutex_destroy(&c->one);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->begun);
    pthread_cond_destroy(&c->ended);
    mem_free(c->thread);
    mem_free(c);
}

static void open_run(struct crew *c, struct job job)
{
    pthread_mutex_lock(&c->lock);
    assert(!c->open && c->working == 0);
    atomic_store(&c->next, 0);
    c->job = job;
    c->open = true;
    c->run++;
    pthread_cond_broadcast(&c->begun);
    pthread_mutex_unlock(&c->lock);
}

static void close_run(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->open = false;
    while (c->working > 0)
        pthread_cond_wait(&c->ended, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void crew_run(struct crew *c, size_t n, void (*work)(void *ctx, size_t i), void *ctx)
{
    const struct job job = {work, ctx, n};
    if (!c || c->threads == 0 || n < 2) {
        for (size_t i = 0; i < n; i++)
            work(ctx, i);
        return;
    }
    pthread_mutex_lock(&c->one);
    open_run(c, job);
    pieces(c, job);
    close_run(c);
    pthread_mutex_unlock(&c->one);
}
