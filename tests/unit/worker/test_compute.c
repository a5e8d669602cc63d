/* The compute threads: the same sums for any number of threads and any cut into jobs. */
#include "support/test.h"

#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"
#include "worker/compute.h"

enum { V = 6, T = 8, VOCAB = 11 };

static struct transformer model;
static struct ranges whole;
static uint32_t tokens[V][T + 1];
static uint64_t samples[V];
static struct slice slices[V];

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    unsigned count;
};

static void ring(void *ctx)
{
    struct bell *b = ctx;
    pthread_mutex_lock(&b->lock);
    b->count++;
    pthread_cond_signal(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void wait_for(struct bell *b, unsigned count)
{
    pthread_mutex_lock(&b->lock);
    while (b->count < count)
        pthread_cond_wait(&b->rung, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static int prepare(void **state)
{
    (void)state;
    const char *name;
    struct conf c;
    conf_init(&c);
    for (const char *const *w =
             (const char *const[]){"model.layers=2", "model.heads=2", "model.width=16",
                                   "model.context=8", "model.dropout=0.2", NULL};
         *w; w++)
        if (conf_load_word(&c, *w))
            return 1;
    if (conf_check(&c) || gemm_start(&name) || rows_start(NULL, &name) ||
        transformer_init(&model, &c.model, VOCAB))
        return 1;
    ranges_whole(&whole, model.count);
    for (uint32_t v = 0; v < V; v++) {
        for (uint32_t t = 0; t <= T; t++)
            tokens[v][t] = (v * 7 + t * t + 3) % VOCAB;
        samples[v] = v;
        slices[v] = (struct slice){.sequences = 1,
                                   .length = T,
                                   .tokens = tokens[v],
                                   .samples = &samples[v],
                                   .seed = 5,
                                   .step = 3,
                                   .dropout = true};
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    ranges_fini(&whole);
    transformer_fini(&model);
    return 0;
}

/* sum [count] <- the gradient of the whole step; loss along the tree */
static void compute(unsigned threads, const struct tree_node *nodes, size_t n, float *sum,
                    double *loss)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct compute *c = compute_new(&model, threads, T, V, &whole, false, ring, &bell);
    transformer_init_params(&model, compute_theta(c), 9);
    struct compute_job job[V];
    struct slice_result results[V];
    for (size_t i = 0; i < n; i++) {
        const uint32_t first = tree_first(nodes[i]);
        job[i] = (struct compute_job){.id = i,
                                      .node = nodes[i],
                                      .slices = tree_size(nodes[i], V),
                                      .slice = slices + first,
                                      .result = results + first};
        compute_start(c, &job[i]);
    }
    wait_for(&bell, (unsigned)n);
    size_t collected = 0;
    while (compute_collect(c))
        collected++;
    assert_int_equal(collected, n);
    assert_true(compute_idle(c));

    memcpy(sum, job[0].sum->data, model.count * sizeof *sum);
    *loss = job[0].total.loss;
    for (size_t i = 1; i < n; i++) { /* nodes were given so that this is the tree */
        rows_add(sum, job[i].sum->data, model.count);
        *loss += job[i].total.loss;
    }
    for (size_t i = 0; i < n; i++)
        compute_give(c, job[i].sum);
    compute_free(c);
}

static void threads_and_jobs_do_not_change_the_bits(void **state)
{
    (void)state;
    const size_t bytes = model.count * sizeof(float);
    float *reference = mem_alloc(bytes), *sum = mem_alloc(bytes);
    double loss, other;
    compute(1, (struct tree_node[]){{3, 0}}, 1, reference, &loss);
    assert_true(loss > 0);
    for (unsigned threads = 1; threads <= 3; threads++) {
        compute(threads, (struct tree_node[]){{3, 0}}, 1, sum, &other);
        assert_memory_equal(sum, reference, bytes);
        assert_true(other == loss);
        compute(threads, (struct tree_node[]){{2, 0}, {1, 2}}, 2, sum, &other);
        assert_memory_equal(sum, reference, bytes);
        assert_true(other == loss);
    }
    mem_free(reference);
    mem_free(sum);
}

static void evaluation_gives_a_loss_per_slice_and_no_gradient(void **state)
{
    (void)state;
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct compute *c = compute_new(&model, 2, T, V, &whole, false, ring, &bell);
    transformer_init_params(&model, compute_theta(c), 9);
    struct slice_result results[V];
    struct compute_job job = {
        .id = 7, .evaluation = true, .slices = V, .slice = slices, .result = results};
    compute_start(c, &job);
    wait_for(&bell, 1);
    assert_ptr_equal(compute_collect(c), &job);
    assert_null(job.sum);
    for (int v = 0; v < V; v++) {
        assert_int_equal(results[v].targets, T);
        assert_true(fabs(results[v].loss / T - log(VOCAB)) < 0.5);
    }
    compute_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(threads_and_jobs_do_not_change_the_bits),
        T(evaluation_gives_a_loss_per_slice_and_no_gradient)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
