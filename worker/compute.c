#include "worker/compute.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tensor/rows.h"

struct compute {
    const struct transformer *model; /* borrowed */
    float *theta;
    uint32_t V;
    bool bfloat16;
    struct treesum *sums;
    void (*on_done)(void *ctx);
    void *ctx;
    unsigned threads;
    pthread_t *thread;
    struct workspace **workspace; /* one per thread */
    pthread_mutex_t lock;         /* guards all below, and the private fields of jobs */
    pthread_cond_t work;
    struct compute_job *queue, **queue_end; /* not all slices started */
    struct compute_job *done, **done_end;   /* not collected */
    size_t running;                         /* jobs started and not collected */
    unsigned threads_named;
    bool ending;
};

/* --- one slice -----------------------------------------------------------------------
 */

static struct tree_node leaf(const struct compute *c, const struct compute_job *job,
                             size_t i)
{
    (void)c;
    return (struct tree_node){0, tree_first(job->node) + (uint32_t)i};
}

static void train(struct compute *c, struct workspace *w, struct compute_job *job,
                  size_t i)
{
    struct treesum_buffer *part = treesum_take(c->sums), *sum;
    transformer_slice(c->model, w, c->theta, part->data, &job->slice[i], &job->result[i],
                      NULL, NULL);
    if (c->bfloat16)
        rows_round_bfloat16(part->data, c->model->count);
    if (treesum_add(c->sums, leaf(c, job, i), job->node, 0, part, &sum))
        job->sum = sum;
}

/* The job's total along the tree, like its gradient. */
static struct slice_result total(const struct compute *c, const struct compute_job *job,
                                 struct tree_node node)
{
    if (node.level == 0)
        return job->result[node.index - tree_first(job->node)];
    const struct slice_result left = total(c, job, tree_left(node)),
                              right = total(c, job, tree_right(node, c->V));
    return (struct slice_result){left.loss + right.loss, left.targets + right.targets};
}

/* --- threads ---------------------------------------------------------------------------
 */

static struct compute_job *take_slice(struct compute *c, size_t *i)
{
    struct compute_job *job = c->queue;
    *i = job->started++;
    if (job->started == job->slices) {
        c->queue = job->next;
        if (!c->queue)
            c->queue_end = &c->queue;
        job->next = NULL;
    }
    return job;
}

static void put_done(struct compute *c, struct compute_job *job)
{
    if (!job->evaluation)
        job->total = total(c, job, job->node);
    *c->done_end = job;
    c->done_end = &job->next;
}

static void *run(void *arg)
{
    struct compute *c = arg;
    rows_thread_start();
    pthread_mutex_lock(&c->lock);
    struct workspace *w = c->workspace[c->threads_named++];
    for (;;) {
        while (!c->queue && !c->ending)
            pthread_cond_wait(&c->work, &c->lock);
        if (c->ending)
            break;
        size_t i;
        struct compute_job *job = take_slice(c, &i);
        pthread_mutex_unlock(&c->lock);

        const double start = clock_seconds();
        if (job->evaluation)
            transformer_loss(c->model, w, c->theta, &job->slice[i], &job->result[i]);
        else
            train(c, w, job, i);
        const double seconds = clock_seconds() - start;

        pthread_mutex_lock(&c->lock);
        job->seconds += seconds;
        const bool last = ++job->finished == job->slices;
        if (last)
            put_done(c, job);
        if (last) {
            pthread_mutex_unlock(&c->lock);
            c->on_done(c->ctx);
            pthread_mutex_lock(&c->lock);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct compute *compute_new(const struct transformer *t, unsigned threads, size_t rows,
                            uint32_t V, const struct ranges *whole, bool bfloat16,
                            void (*on_done)(void *ctx), void *ctx)
{
    assert(threads > 0 && rows > 0 && whole->n == 1);
    struct compute *c = mem_zalloc(sizeof *c);
    c->model = t;
    c->V = V;
    c->bfloat16 = bfloat16;
    c->on_done = on_done;
    c->ctx = ctx;
    c->threads = threads;
    c->queue_end = &c->queue;
    c->done_end = &c->done;
    c->theta = mem_slab(mem_mul(t->count, sizeof *c->theta));
    c->sums = treesum_new(V, whole, bfloat16);
    c->thread = mem_zalloc(threads * sizeof *c->thread);
    c->workspace = mem_zalloc(threads * sizeof(struct workspace *));
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);

    sigset_t all, before; /* signals are the loop thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        c->workspace[i] = workspace_new(t, rows, true);
    for (unsigned i = 0; i < threads; i++)
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
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->threads; i++) {
        pthread_join(c->thread[i], NULL);
        workspace_free(c->workspace[i]);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->work);
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

bool compute_idle(struct compute *c)
{
    pthread_mutex_lock(&c->lock);
    const bool idle = c->running == 0;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

void compute_start(struct compute *c, struct compute_job *job)
{
    assert(job->slices > 0);
    assert(job->evaluation || tree_size(job->node, c->V) == job->slices);
    job->started = job->finished = 0;
    job->seconds = 0;
    job->sum = NULL;
    job->next = NULL;
    pthread_mutex_lock(&c->lock);
    *c->queue_end = job;
    c->queue_end = &job->next;
    c->running++;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
}

struct compute_job *compute_collect(struct compute *c)
{
    pthread_mutex_lock(&c->lock);
    struct compute_job *job = c->done;
    if (job) {
        c->done = job->next;
        if (!c->done)
            c->done_end = &c->done;
        job->next = NULL;
        c->running--;
    }
    pthread_mutex_unlock(&c->lock);
    return job;
}

void compute_give(struct compute *c, struct treesum_buffer *partial)
{
    treesum_give(c->sums, partial);
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
