/* The compute threads: the same sums for any number of threads and any order. */
#include "support/test.h"

#include <pthread.h>
#include <time.h>

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
    if (conf_check(&c) || gemm_start(NULL, &name) || rows_start(NULL, &name) ||
        transformer_init(&model, &c.model, VOCAB))
        return 1;
    ranges_whole(&whole, model.count);
    static const uint32_t length = T;
    for (uint32_t v = 0; v < V; v++) {
        for (uint32_t t = 0; t <= T; t++)
            tokens[v][t] = (v * 7 + t * t + 3) % VOCAB;
        samples[v] = v;
        slices[v] = (struct slice){.sequences = 1,
                                   .length = &length,
                                   .tokens = tokens[v],
                                   .samples = &samples[v],
                                   .seed = 5,
                                   .step = 3,
                                   .dropout = true,
                                   .smoothing = 0.1};
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

struct bench {
    struct bell bell;
    struct compute *c;
    struct compute_job job[V];
};

static struct bench *bench_new(unsigned threads)
{
    struct bench *b = mem_zalloc(sizeof *b);
    pthread_mutex_init(&b->bell.lock, NULL);
    pthread_cond_init(&b->bell.rung, NULL);
    b->c = compute_new(&model, &whole,
                       &(struct compute_options){.threads = threads,
                                                 .rows = T,
                                                 .V = V,
                                                 .hashing = true,
                                                 .on_done = ring,
                                                 .ctx = &b->bell});
    transformer_init_params(&model, compute_theta(b->c), 9);
    return b;
}

static void bench_free(struct bench *b)
{
    compute_free(b->c);
    mem_free(b);
}

static void start(struct bench *b, enum lease_kind lease, uint32_t first, uint32_t end)
{
    for (uint32_t v = first; v < end; v++) {
        b->job[v] = (struct compute_job){.lease = lease, .number = v, .slice = slices[v]};
        compute_start(b->c, &b->job[v]);
    }
}

/* Until @n have been collected in all. */
static void collect(struct bench *b, unsigned n)
{
    wait_for(&b->bell, n);
    size_t collected = 0;
    while (compute_collect(b->c))
        collected++;
    assert_int_equal(collected, n);
    assert_true(compute_idle(b->c));
}

/* sum [count] <- the gradient of the step, taken out as these nodes; they were given so
 * that adding them in order is the tree. */
static void compute(unsigned threads, const struct tree_node *nodes, size_t n, float *sum)
{
    struct bench *b = bench_new(threads);
    for (size_t i = 0; i < n; i++)
        start(b, LEASE_TRAIN, tree_first(nodes[i]), tree_end(nodes[i], V));
    collect(b, V);
    struct treesum_buffer *whole_sum = compute_extract(b->c, (struct tree_node){3, 0});
    assert_non_null(whole_sum);
    memcpy(sum, whole_sum->data, model.count * sizeof *sum);
    compute_give(b->c, whole_sum);
    bench_free(b);
}

static void threads_and_order_do_not_change_the_bits(void **state)
{
    (void)state;
    const size_t bytes = model.count * sizeof(float);
    float *reference = mem_alloc(bytes), *sum = mem_alloc(bytes);
    compute(1, (struct tree_node[]){{3, 0}}, 1, reference);
    for (unsigned threads = 1; threads <= 3; threads++) {
        compute(threads, (struct tree_node[]){{3, 0}}, 1, sum);
        assert_memory_equal(sum, reference, bytes);
        compute(threads, (struct tree_node[]){{1, 2}, {2, 0}}, 2, sum);
        assert_memory_equal(sum, reference, bytes);
    }
    mem_free(reference);
    mem_free(sum);
}

/* theta [count] comes a few elements at a time, to slices that are running. */
static void slices_wait_for_the_parameters_they_read(void **state)
{
    (void)state;
    enum { PIECE = 100 };
    const size_t bytes = model.count * sizeof(float);
    float *reference = mem_alloc(bytes), *theta = mem_alloc(bytes);
    compute(1, (struct tree_node[]){{3, 0}}, 1, reference);
    struct bench *b = bench_new(2);
    memcpy(theta, compute_theta(b->c), bytes);
    compute_expect(b->c);
    for (size_t i = 0; i < model.count; i++)
        compute_theta(b->c)[i] = NAN;
    start(b, LEASE_TRAIN, 0, V);
    for (size_t n = 0, end; n < model.count; n = end) {
        end = n + PIECE < model.count ? n + PIECE : model.count;
        memcpy(compute_theta(b->c) + n, theta + n, (end - n) * sizeof *theta);
        compute_arrived(b->c, end);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* for who waits for less
                                                                    than it reads */
    }
    collect(b, V);
    struct treesum_buffer *sum = compute_extract(b->c, (struct tree_node){3, 0});
    assert_memory_equal(sum->data, reference, bytes);
    compute_give(b->c, sum);
    bench_free(b);
    mem_free(reference);
    mem_free(theta);
}

static void what_waits_for_parameters_does_not_keep_the_process(void **state)
{
    (void)state;
    struct bench *b = bench_new(2);
    compute_expect(b->c);
    start(b, LEASE_TRAIN, 0, 2);
    start(b, LEASE_HELD_OUT, 2, 3);
    bench_free(b);
}

/* Of another worker's slices nothing is known here: the nodes below are taken out. */
static void parts_of_the_tree_add_up_to_the_same_bits(void **state)
{
    (void)state;
    const size_t bytes = model.count * sizeof(float);
    float *reference = mem_alloc(bytes), *sum = mem_alloc(bytes);
    compute(2, (struct tree_node[]){{3, 0}}, 1, reference);
    struct bench *left = bench_new(2), *right = bench_new(1);
    start(left, LEASE_TRAIN, 0, 4);
    start(right, LEASE_TRAIN, 4, 6);
    collect(left, 4);
    collect(right, 2);
    struct treesum_buffer *l = compute_extract(left->c, (struct tree_node){2, 0}),
                          *r = compute_extract(right->c, (struct tree_node){1, 2});
    memcpy(sum, l->data, bytes);
    rows_add(sum, r->data, model.count);
    assert_memory_equal(sum, reference, bytes);
    compute_give(left->c, l);
    compute_give(right->c, r);
    bench_free(left);
    bench_free(right);
    mem_free(reference);
    mem_free(sum);
}

static void an_audit_has_the_hash_of_the_gradient_and_leaves_no_sum(void **state)
{
    (void)state;
    struct bench *b = bench_new(2);
    uint64_t hash[V];
    start(b, LEASE_TRAIN, 0, V);
    collect(b, V);
    for (int v = 0; v < V; v++)
        hash[v] = b->job[v].hash;
    compute_give(b->c, compute_extract(b->c, (struct tree_node){3, 0}));
    b->bell.count = 0;
    start(b, LEASE_AUDIT, 0, V);
    collect(b, V);
    for (int v = 0; v < V; v++)
        assert_true(b->job[v].hash == hash[v] && hash[v] != hash[(v + 1) % V]);
    b->bell.count = 0;
    start(b, LEASE_TRAIN, 0, V); /* nothing of the audit waits for siblings */
    collect(b, V);
    compute_give(b->c, compute_extract(b->c, (struct tree_node){3, 0}));
    bench_free(b);
}

static void held_out_slices_have_a_loss_and_no_gradient(void **state)
{
    (void)state;
    struct bench *b = bench_new(2);
    start(b, LEASE_HELD_OUT, 0, V);
    collect(b, V);
    for (int v = 0; v < V; v++) {
        assert_int_equal(b->job[v].result.targets, T);
        assert_true(fabs(b->job[v].result.loss / T - log(VOCAB)) < 0.5);
    }
    bench_free(b);
}

/* The first two are asked for it, the second for its blocks, too. */
static void what_is_asked_for_is_measured_and_changes_no_bit(void **state)
{
    (void)state;
    const size_t bytes = model.count * sizeof(float);
    float *reference = mem_alloc(bytes);
    compute(1, (struct tree_node[]){{3, 0}}, 1, reference);
    struct bench *b = bench_new(2);
    struct block_statistics block[2] = {{0}};
    struct slice_statistics statistics = {.block = block};
    for (uint32_t v = 0; v < V; v++) {
        b->job[v] = (struct compute_job){
            .number = v, .slice = slices[v], .statistics = v < 2};
        b->job[v].slice.statistics = v == 1 ? &statistics : NULL;
        compute_start(b->c, &b->job[v]);
    }
    collect(b, V);
    struct treesum_buffer *sum = compute_extract(b->c, (struct tree_node){3, 0});
    assert_memory_equal(sum->data, reference, bytes);
    compute_give(b->c, sum);
    assert_true(b->job[2].noise == 0 && block[0].stream > 0 && block[1].mlp > 0);

    struct workspace *w = workspace_new(&model, T, true);
    struct slice_result result;
    for (uint32_t v = 0; v < 2; v++) {
        double squares = 0;
        transformer_slice(&model, w, compute_theta(b->c), reference, &slices[v], &result,
                          NULL);
        for (size_t i = 0; i < model.count; i++)
            squares += (double)reference[i] * (double)reference[i];
        assert_true(fabs(b->job[v].noise / (squares / T / T) - 1) < 1e-9);
    }
    workspace_free(w);
    bench_free(b);
    mem_free(reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(threads_and_order_do_not_change_the_bits),
        T(slices_wait_for_the_parameters_they_read),
        T(what_waits_for_parameters_does_not_keep_the_process),
        T(parts_of_the_tree_add_up_to_the_same_bits),
        T(an_audit_has_the_hash_of_the_gradient_and_leaves_no_sum),
        T(held_out_slices_have_a_loss_and_no_gradient),
        T(what_is_asked_for_is_measured_and_changes_no_bit)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
