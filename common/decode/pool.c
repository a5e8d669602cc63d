#include "decode/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "tensor/rows.h"

struct pool {
    struct pool_options o;
    pthread_t *thread;
    pthread_mutex_t lock; /* guards all below, and the private fields of jobs */
    pthread_cond_t work, done;
    struct pool_job *queue, **queue_end; /* not begun */
    bool ending;
};

static struct pool_job *pop(struct pool *p)
{
    struct pool_job *job = p->queue;
    p->queue = job->next;
    if (!p->queue)
        p->queue_end = &p->queue;
    return job;
}

static void *run(void *arg)
{
    struct pool *p = arg;
    rows_thread_start();
    struct translator *tr =
        translator_new(p->o.model, &p->o.translate, p->o.sentences, p->o.rows);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->queue && !p->ending)
            pthread_cond_wait(&p->work, &p->lock);
        if (!p->queue)
            break;
        struct pool_job *job = pop(p);
        pthread_mutex_unlock(&p->lock);
        job->err = translate(tr, p->o.theta, job->sources, job->n, job->out);
        pthread_mutex_lock(&p->lock);
        job->done = true;
        pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    translator_free(tr);
    return NULL;
}

struct pool *pool_new(const struct pool_options *o)
{
    assert(o->threads >= 1);
    struct pool *p = mem_alloc(sizeof *p);
    *p = (struct pool){.o = *o, .thread = mem_alloc(o->threads * sizeof *p->thread)};
    p->queue_end = &p->queue;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->done, &monotonic);
    pthread_condattr_destroy(&monotonic);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < o->threads; i++)
        if (pthread_create(&p->thread[i], NULL, run, p) != 0)
            abort(); /* the system is out of threads: as bad as out of memory */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    assert(!p->queue);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->o.threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->thread);
    mem_free(p);
}

void pool_start(struct pool *p, struct pool_job *job)
{
    pthread_mutex_lock(&p->lock);
    job->done = false;
    job->next = NULL;
    *p->queue_end = job;
    p->queue_end = &job->next;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

bool pool_wait(struct pool *p, struct pool_job *job, unsigned ms)
{
    const struct timespec end = in_ms(ms);
    pthread_mutex_lock(&p->lock);
    while (!job->done && pthread_cond_timedwait(&p->done, &p->lock, &end) == 0)
        ;
    const bool done = job->done;
    pthread_mutex_unlock(&p->lock);
    return done;
}

void pool_stop(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->queue) {
        struct pool_job *job = pop(p);
        job->err = ERR_STOPPED;
        job->done = true;
    }
    pthread_mutex_unlock(&p->lock);
}
