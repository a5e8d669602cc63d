#include "worker/compute.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "tensor/rows.h"

struct compute {
    const struct transformer *model; /* borrowed */
    struct compute_options o;
    float *theta;
    struct treesum *sums;
    pthread_t *thread;
    struct workspace **workspace;     /* one per thread */
    struct translating **translating; /* one per thread */
    pthread_mutex_t lock; /* guards all below, and the private fields of jobs */
    pthread_cond_t work;
    struct compute_job *queue, **queue_end; /* not started */
    struct compute_job *done, **done_end;   /* not collected */
    size_t arrived;                         /* elements of theta that are here */
    pthread_cond_t more;                    /* of them */
    size_t running;                         /* started and not collected */
    unsigned threads_named;
    bool ending;
};

/* --- one slice -----------------------------------------------------------------------
 */

/* A slice that waits for parameters. */
struct reader {
    struct compute *c;
    double waited; /* s */
};

static void wait_for(void *ctx, size_t first, size_t count)
{
    struct reader *r = ctx;
    struct compute *c = r->c;
    pthread_mutex_lock(&c->lock);
    if (c->arrived < first + count) {
        const double start = clock_seconds();
        while (c->arrived < first + count && !c->ending)
            pthread_cond_wait(&c->more, &c->lock);
        r->waited += clock_seconds() - start;
    }
    pthread_mutex_unlock(&c->lock);
}

static void train(struct compute *c, struct workspace *w, struct compute_job *job,
                  struct reader *r)
{
    struct treesum_buffer *part = treesum_take(c->sums);
    const struct transformer_watch watch = {.needed = wait_for, .ctx = r};
    transformer_slice(c->model, w, c->theta, part->data, &job->slice, &job->result,
                      &watch);
    if (job->lease == LEASE_TRAIN &&
        FAILPOINT_FLIP("worker.gradient", part->data, c->model->count))
        log_warn("the gradient of slice %u of step %llu is wrong", job->number,
                 (unsigned long long)job->slice.step);
    if (job->statistics) {
        const double targets = (double)job->result.targets;
        job->noise = rows_sum_squares(part->data, c->model->count) / (targets * targets);
    }
    wire_round(c->o.wire, part->data, c->model->count);
    if (c->o.hashing || job->lease == LEASE_AUDIT)
        job->hash = hash64(part->data, c->model->count * sizeof *part->data);
    if (job->lease == LEASE_AUDIT) {
        treesum_give(c->sums, part);
        return;
    }
    const struct tree_node leaf = {0, job->number};
    treesum_add(c->sums, leaf, tree_root(c->o.V), 0, part, NULL);
}

static void compute_one(struct compute *c, struct workspace *w, struct translating *tr,
                        struct compute_job *job)
{
    const double start = clock_seconds();
    struct reader r = {.c = c};
    FAILPOINT("worker.compute");
    if (job->lease == LEASE_HELD_OUT || job->lease == LEASE_TRANSLATE)
        wait_for(&r, 0, c->model->count);
    if (job->lease == LEASE_HELD_OUT)
        transformer_loss(c->model, w, c->theta, &job->slice, &job->result);
    else if (job->lease == LEASE_TRANSLATE)
        job->err = translating_slice(tr, c->theta, &job->slice, &job->hypotheses);
    else
        train(c, w, job, &r);
    job->seconds = clock_seconds() - start - r.waited;
}

/* --- threads ---------------------------------------------------------------------------
 */

static struct compute_job *pop(struct compute_job **first, struct compute_job ***end)
{
    struct compute_job *job = *first;
    if (job) {
        *first = job->next;
        if (!*first)
            *end = first;
        job->next = NULL;
    }
    return job;
}

static void push(struct compute_job ***end, struct compute_job *job)
{
    job->next = NULL;
    **end = job;
    *end = &job->next;
}

static void *run(void *arg)
{
    struct compute *c = arg;
    rows_thread_start();
    pthread_mutex_lock(&c->lock);
    struct translating *tr = c->translating[c->threads_named];
    struct workspace *w = c->workspace[c->threads_named++];
    for (;;) {
        while (!c->queue && !c->ending)
            pthread_cond_wait(&c->work, &c->lock);
        if (c->ending)
            break;
        struct compute_job *job = pop(&c->queue, &c->queue_end);
        pthread_mutex_unlock(&c->lock);
        compute_one(c, w, tr, job);
        pthread_mutex_lock(&c->lock);
        push(&c->done_end, job);
        pthread_mutex_unlock(&c->lock);
        c->o.on_done(c->o.ctx);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct compute *compute_new(const struct transformer *t, const struct ranges *whole,
                            const struct compute_options *o)
{
    assert(o->threads > 0 && o->rows > 0 && whole->n == 1);
    struct compute *c = mem_zalloc(sizeof *c);
    c->model = t;
    c->o = *o;
    c->queue_end = &c->queue;
    c->done_end = &c->done;
    c->theta = mem_slab(mem_mul(t->count, sizeof *c->theta));
    c->sums = treesum_new(o->V, whole, o->wire);
    c->thread = mem_zalloc(o->threads * sizeof *c->thread);
    c->workspace = mem_zalloc(o->threads * sizeof(struct workspace *));
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->more, NULL);
    c->arrived = t->count;

    sigset_t all, before; /* signals are the loop thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    c->translating = mem_zalloc(o->threads * sizeof(struct translating *));
    for (unsigned i = 0; i < o->threads; i++) {
        c->workspace[i] = workspace_new(t, o->rows, true);
        if (o->translate)
            c->translating[i] = translating_new(t, o->translate, o->rows);
    }
    for (unsigned i = 0; i < o->threads; i++)
        if (pthread_create(&c->thread[i], NULL, run, c) != 0)
            abort(); /* the system is out of threads: as bad as out of memory */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c;
}

void compute_free(struct compute *c)
{
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->work);
    pthread_cond_broadcast(&c->more);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->o.threads; i++) {
        pthread_join(c->thread[i], NULL);
        workspace_free(c->workspace[i]);
        translating_free(c->translating[i]);
    }
    mem_free(c->translating);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->work);
    pthread_cond_destroy(&c->more);
    treesum_free(c->sums);
    mem_slab_free(c->theta, c->model->count * sizeof *c->theta);
    mem_free(c->workspace);
    mem_free(c->thread);
    mem_free(c);
}

float *compute_theta(struct compute *c)
{
    return c->theta;
}

static void set_arrived(struct compute *c, size_t count)
{
    pthread_mutex_lock(&c->lock);
    assert(count == 0 ? c->running == 0 : count > c->arrived);
    c->arrived = count;
    pthread_cond_broadcast(&c->more);
    pthread_mutex_unlock(&c->lock);
}

void compute_expect(struct compute *c)
{
    set_arrived(c, 0);
}

void compute_arrived(struct compute *c, size_t count)
{
    assert(count <= c->model->count);
    set_arrived(c, count);
}

bool compute_idle(struct compute *c)
{
    pthread_mutex_lock(&c->lock);
    const bool idle = c->running == 0;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

void compute_start(struct compute *c, struct compute_job *job)
{
    pthread_mutex_lock(&c->lock);
    push(&c->queue_end, job);
    c->running++;
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
}

struct compute_job *compute_collect(struct compute *c)
{
    pthread_mutex_lock(&c->lock);
    struct compute_job *job = pop(&c->done, &c->done_end);
    c->running -= job != NULL;
    pthread_mutex_unlock(&c->lock);
    return job;
}

struct treesum_buffer *compute_extract(struct compute *c, struct tree_node node)
{
    struct treesum_buffer *sum = treesum_extract(c->sums, node);
    assert(sum);
    return sum;
}

void compute_give(struct compute *c, struct treesum_buffer *sum)
{
    treesum_give(c->sums, sum);
}

/* Parameters, one gradient per thread and those that wait for their sibling, one being
 * sent, and the activations. */
size_t compute_bytes(const struct transformer *t, unsigned threads, size_t rows,
                     uint32_t leased_slices)
{
    unsigned waiting = 1;
    for (uint32_t n = leased_slices; n > 1; n /= 2)
        waiting++;
    return (2 + threads + waiting) * t->count * sizeof(float) +
           threads * workspace_bytes(t, rows, true);
}
