#include "coordinator/bench_vector.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/bench_ceilings.h"
#include "coordinator/store.h"
#include "flat/treesum.h"
#include "nn/ranges.h"
#include "optim/clip.h"
#include "tensor/rows.h"

struct vector {
    const struct bench_model *m;
    struct store store;
    struct ranges ranges;
    struct treesum *sum;
    struct treesum_buffer *left, *right;
    float *gradient; /* [count] */
    uint16_t *wire;  /* [count] */
    double *blocks;
    volatile double norm;
    volatile uint64_t hash;
};

/* --- the work ------------------------------------------------------------------------
 */

/* Two slices' gradients become that of the step, range by range. */
static void add(void *ctx)
{
    struct vector *v = ctx;
    const struct tree_node root = {.level = 1}, left = {.level = 0}, right = {0, 1};
    struct treesum_buffer *sum = NULL;
    v->left = treesum_take(v->sum);
    v->right = treesum_take(v->sum);
    for (size_t r = 0; r < v->ranges.n; r++) {
        treesum_add(v->sum, left, root, r, v->left, &sum);
        treesum_add(v->sum, right, root, r, v->right, &sum);
    }
    treesum_give(v->sum, sum);
}

static void take_norm(void *ctx)
{
    struct vector *v = ctx;
    v->norm = clip_sum_squares(v->gradient, v->store.count, v->blocks);
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

static void take_checksum(void *ctx)
{
    struct vector *v = ctx;
    for (size_t r = 0; r < v->ranges.n; r++)
        v->hash = hash64(v->gradient + v->ranges.list[r].first,
                         v->ranges.list[r].count * sizeof *v->gradient);
}

static void pack(void *ctx)
{
    struct vector *v = ctx;
    rows_pack_bfloat16(v->wire, v->gradient, v->store.count);
}

static void unpack(void *ctx)
{
    struct vector *v = ctx;
    rows_unpack_bfloat16(v->gradient, v->wire, v->store.count);
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
    v->sum = treesum_new(2, &v->ranges, m->conf->cluster.wire == WIRE_BFLOAT16);
    v->gradient = mem_slab(m->t.count * sizeof *v->gradient);
    v->wire = mem_slab(m->t.count * sizeof *v->wire);
    v->blocks = mem_alloc(clip_blocks(m->t.count) * sizeof *v->blocks);
    for (size_t i = 0; i < m->t.count; i++)
        v->gradient[i] = (float)(i * 7919 % 1000) / 1000 - 0.5f;
}

static void vector_fini(struct vector *v)
{
    mem_slab_free(v->gradient, v->m->t.count * sizeof *v->gradient);
    mem_slab_free(v->wire, v->m->t.count * sizeof *v->wire);
    mem_free(v->blocks);
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

static double measure(struct bench *b, struct vector *v, const char *name,
                      void (*call)(void *ctx), double bytes)
{
    const struct spread seconds = bench_repeat(b, call, v),
                        rate = spread_rate(seconds, bytes * (double)v->store.count / 1e9);
    bench_say(b,
              (struct bench_row){.section = BENCH_VECTOR,
                                 .threads = 1,
                                 .value = rate,
                                 .unit = BENCH_GBS,
                                 .share = 1e9 * rate.median / bench_ceiling_bytes(b)},
              "%s", name);
    return seconds.median;
}

struct bench_vector bench_vector(struct bench *b, const struct bench_model *m)
{
    struct vector v;
    char size[UNITS_TEXT];
    log_info("measuring what is done to whole vectors, %s each",
             units_print_size(size, (double)m->t.count * sizeof(float)));
    vector_init(&v, m);
    const struct bench_vector took = {
        .add = measure(b, &v, "add two partials", add, 12),
        .norm = measure(b, &v, "norm", take_norm, 4),
        .update = measure(b, &v, "update with its norm", update, update_bytes(&v.store)),
        .checksum = measure(b, &v, "checksum", take_checksum, 4),
        .pack = measure(b, &v, "pack as bfloat16", pack, 6),
        .unpack = measure(b, &v, "unpack from bfloat16", unpack, 6),
    };
    vector_fini(&v);
    return took;
}
