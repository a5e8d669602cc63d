#include "coordinator/bench/bench_vector.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/crew.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/bench/bench_ceilings.h"
#include "coordinator/store.h"
#include "flat/treesum.h"
#include "nn/ranges.h"
#include "optim/clip.h"
#include "tensor/rows.h"

struct vector {
    const struct bench_model *m;
    struct crew *crew; /* NULL: one thread */
    struct store store;
    struct ranges ranges;
    struct treesum *sum;
    struct treesum_buffer *left, *right;
    float *gradient; /* [count] */
    float *packed;   /* [count], each range at the front of its place */
    enum wire wire;
    double *blocks;
    uint64_t *hash; /* [ranges.n] */
    volatile double norm;
};

/* --- the work: a range, or a block of the norm, each -----------------------------------
 */

/* Two slices' gradients become that of the step. */
static void add_range(void *ctx, size_t r)
{
    struct vector *v = ctx;
    const struct tree_node root = {.level = 1}, left = {.level = 0}, right = {0, 1};
    struct treesum_buffer *sum = NULL;
    treesum_add(v->sum, left, root, r, v->left, &sum);
    treesum_add(v->sum, right, root, r, v->right, &sum);
    assert(sum == v->left);
}

static void add(void *ctx)
{
    struct vector *v = ctx;
    v->left = treesum_take(v->sum);
    v->right = treesum_take(v->sum);
    crew_run(v->crew, v->ranges.n, add_range, v);
    treesum_give(v->sum, v->left);
}

static void square_block(void *ctx, size_t i)
{
    struct vector *v = ctx;
    v->blocks[i] = clip_block_sum(v->gradient, v->store.count, i);
}

static void take_norm(void *ctx)
{
    struct vector *v = ctx;
    const size_t blocks = clip_blocks(v->store.count);
    crew_run(v->crew, blocks, square_block, v);
    v->norm = clip_tree(v->blocks, blocks);
}

static void update(void *ctx)
{
    struct vector *v = ctx;
    struct store_update u = {.rate = v->m->conf->optim.lr,
                             .limit = INFINITY,
                             .targets = v->m->rows,
                             .into = store_room(&v->store)};
    store_update(&v->store, v->gradient, &u);
}

static void hash_range(void *ctx, size_t r)
{
    struct vector *v = ctx;
    const struct range at = v->ranges.list[r];
    v->hash[r] = hash64(v->gradient + at.first, at.count * sizeof *v->gradient);
}

static void take_checksums(void *ctx)
{
    struct vector *v = ctx;
    crew_run(v->crew, v->ranges.n, hash_range, v);
}

static void pack_range(void *ctx, size_t r)
{
    struct vector *v = ctx;
    const struct range at = v->ranges.list[r];
    wire_pack(v->wire, v->packed + at.first, v->gradient + at.first, at.count);
}

static void pack(void *ctx)
{
    struct vector *v = ctx;
    crew_run(v->crew, v->ranges.n, pack_range, v);
}

static void unpack_range(void *ctx, size_t r)
{
    struct vector *v = ctx;
    const struct range at = v->ranges.list[r];
    wire_unpack(v->wire, v->gradient + at.first, v->packed + at.first, at.count);
}

static void unpack(void *ctx)
{
    struct vector *v = ctx;
    crew_run(v->crew, v->ranges.n, unpack_range, v);
}

/* --- its room ------------------------------------------------------------------------
 */

static void vector_init(struct vector *v, const struct bench_model *m)
{
    *v = (struct vector){.m = m};
    store_init(&v->store, &m->t, &m->conf->optim);
    memcpy(v->store.theta, m->theta, m->t.count * sizeof *m->theta);
    store_begin(&v->store);
    transformer_ranges(&m->t, &v->ranges);
    v->sum = treesum_new(2, &v->ranges, (enum wire)m->conf->cluster.wire);
    v->gradient = mem_slab(m->t.count * sizeof *v->gradient);
    v->packed = mem_slab(m->t.count * sizeof *v->packed);
    v->blocks = mem_alloc(clip_blocks(m->t.count) * sizeof *v->blocks);
    v->hash = mem_alloc(v->ranges.n * sizeof *v->hash);
    for (size_t i = 0; i < m->t.count; i++)
        v->gradient[i] = (float)(i * 7919 % 1000) / 1000 - 0.5f;
}

static void vector_fini(struct vector *v)
{
    mem_slab_free(v->gradient, v->m->t.count * sizeof *v->gradient);
    mem_slab_free(v->packed, v->m->t.count * sizeof *v->packed);
    mem_free(v->blocks);
    mem_free(v->hash);
    treesum_free(v->sum);
    ranges_fini(&v->ranges);
    store_fini(&v->store);
}

/* Bytes of an element that an update reads and writes, its norm included. */
static double update_bytes(const struct store *s)
{
    const int vectors = 1 + optimizer_moments(s->optimizer.kind) + (s->ema ? 1 : 0);
    return sizeof(float) * (2.0 * vectors + 2 + (s->ema ? 1 : 0));
}

static double measure(struct bench *b, struct vector *v, unsigned threads,
                      const char *name, void (*call)(void *ctx), double bytes)
{
    const struct spread seconds = bench_repeat(b, call, v),
                        rate = spread_rate(seconds, bytes * (double)v->store.count / 1e9);
    bench_say(
        b,
        (struct bench_row){.section = BENCH_VECTOR,
                           .threads = threads,
                           .value = rate,
                           .unit = BENCH_GBS,
                           .share = 1e9 * rate.median / bench_ceiling_bytes(b, threads)},
        "%s", name);
    return seconds.median;
}

static void measure_packing(struct bench *b, struct vector *v, unsigned threads,
                            struct bench_vector *took)
{
    for (int w = WIRE_IS_BFLOAT16; w < WIRES; w++) {
        v->wire = (enum wire)w;
        const double bytes = 4 + (double)wire_bytes(v->wire, 1024) / 1024;
        char name[BENCH_NAME];
        snprintf(name, sizeof name, "pack as %s", wire_name(v->wire));
        took->pack[v->wire] = measure(b, v, threads, name, pack, bytes);
        snprintf(name, sizeof name, "unpack from %s", wire_name(v->wire));
        took->unpack[v->wire] = measure(b, v, threads, name, unpack, bytes);
    }
}

/* By all threads of the crew, or by one. */
static struct bench_vector measure_all(struct bench *b, struct vector *v,
                                       struct crew *crew, unsigned threads)
{
    v->crew = v->store.crew = crew;
    struct bench_vector took = {
        .add = measure(b, v, threads, "add two partials", add, 12),
        .norm = measure(b, v, threads, "norm", take_norm, 4),
        .update = measure(b, v, threads, "update with its norm", update,
                          update_bytes(&v->store)),
        .checksum = measure(b, v, threads, "checksums", take_checksums, 4),
    };
    measure_packing(b, v, threads, &took);
    return took;
}

struct bench_vector bench_vector(struct bench *b, const struct bench_model *m)
{
    struct vector v;
    char size[UNITS_TEXT];
    log_info("measuring what is done to whole vectors, %s each",
             units_print_size(size, (double)m->t.count * sizeof(float)));
    vector_init(&v, m);
    struct bench_vector took = measure_all(b, &v, NULL, 1);
    if (b->threads > 1) {
        struct crew *crew = crew_new(b->threads, rows_thread_start);
        took = measure_all(b, &v, crew, b->threads);
        crew_free(crew);
    }
    vector_fini(&v);
    return took;
}
