#include "data/batches.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/* Products of two 64-bit numbers. */
__extension__ typedef unsigned __int128 wide;

#define NO_EPOCH UINT64_MAX
/* The permutation of the steps is order.h's in an epoch that no run reaches. */
#define STEPS_EPOCH ((uint64_t)1 << 63)

static uint64_t cost_of(const struct parallel *pairs, uint64_t i)
{
    uint32_t source, target;
    parallel_lengths(pairs, i, &source, &target);
    return (uint64_t)(source > target ? source : target) + 1;
}

static int check_count(const struct parallel *pairs)
{
    if (parallel_info(pairs)->count > 0)
        return ERR_OK;
    log_error("%s has no pairs; run `lockstep prepare` with more text",
              parallel_path(pairs));
    return ERR_DATA;
}

static int too_long(const struct batches *b, uint64_t pair, uint64_t batch_tokens)
{
    log_error(
        "%s: pair %llu has %llu tokens on its longer side, its end included, more "
        "than the %llu that a slice gets with train.batch_tokens %llu and train.slices "
        "%u; give a larger "
        "train.batch_tokens, fewer train.slices, or a smaller --max-length to "
        "`lockstep prepare`",
        parallel_path(b->pairs), (unsigned long long)pair, (unsigned long long)b->longest,
        (unsigned long long)((wide)b->cost / ((wide)b->steps_per_epoch * b->slices)),
        (unsigned long long)batch_tokens, b->slices);
    return ERR_DATA;
}

int batches_init(struct batches *b, const struct parallel *pairs, uint64_t seed,
                 uint64_t batch_tokens, uint32_t slices, uint64_t pool)
{
    assert(batch_tokens > 0);
    assert(slices > 0);
    TRY(check_count(pairs));
    struct batches made = {.pairs = pairs,
                           .slices = slices,
                           .seed = seed,
                           .pool = pool,
                           .epoch = NO_EPOCH,
                           .count = parallel_info(pairs)->count};
    uint64_t longest = 0;
    for (uint64_t i = 0; i < made.count; i++) {
        const uint64_t cost = cost_of(pairs, i);
        made.cost += cost;
        if (cost > made.longest) {
            made.longest = cost;
            longest = i;
        }
    }
    made.steps_per_epoch =
        made.cost / batch_tokens + (made.cost % batch_tokens > 0 ? 1 : 0);
    if ((wide)made.longest * made.steps_per_epoch * slices > made.cost)
        return too_long(&made, longest, batch_tokens);

    const size_t all = made.steps_per_epoch * slices; /* at most count */
    made.order = mem_alloc(mem_mul(made.count, sizeof *made.order));
    made.start = mem_alloc(mem_mul(all + 1, sizeof *made.start));
    *b = made;
    return ERR_OK;
}

void batches_fini(struct batches *b)
{
    mem_free(b->order);
    mem_free(b->start);
    *b = (struct batches){0};
}

uint64_t batches_largest(const struct batches *b)
{
    const uint64_t all = b->steps_per_epoch * b->slices;
    return (b->cost + all - 1) / all + b->longest - 1;
}

/* --- the table of an epoch -----------------------------------------------------------
 */

struct pooled {
    uint64_t cost, place, pair;
};

static int by_cost(const void *a, const void *b)
{
    const struct pooled *p = a, *q = b;
    if (p->cost != q->cost)
        return p->cost < q->cost ? -1 : 1;
    return p->place < q->place ? -1 : p->place > q->place;
}

static void sort_pool(const struct batches *b, struct pooled *pool, uint64_t first,
                      uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t pair = b->order[first + i];
        pool[i] = (struct pooled){cost_of(b->pairs, pair), i, pair};
    }
    qsort(pool, n, sizeof *pool, by_cost);
    for (uint64_t i = 0; i < n; i++)
        b->order[first + i] = pool[i].pair;
}

static void sort_pools(const struct batches *b)
{
    const uint64_t most = b->pool < b->count ? b->pool : b->count;
    struct pooled *pool = mem_alloc(mem_mul(most, sizeof *pool));
    for (uint64_t first = 0; first < b->count; first += most)
        sort_pool(b, pool, first, b->count - first < most ? b->count - first : most);
    mem_free(pool);
}

/* A pair begins slice j when it is the first whose x is j total / (K V) or more. */
static void cut(const struct batches *b)
{
    const uint64_t all = b->steps_per_epoch * b->slices;
    uint64_t x = 0, j = 0;
    for (uint64_t place = 0; place < b->count; place++) {
        if (j < all && (wide)x * all >= (wide)j * b->cost)
            b->start[j++] = place;
        x += cost_of(b->pairs, b->order[place]);
    }
    assert(x == b->cost);
    assert(j == all);
    b->start[all] = b->count;
}

static void make_epoch(struct batches *b, uint64_t epoch)
{
    assert(epoch < STEPS_EPOCH);
    if (epoch == b->epoch)
        return;
    struct order order;
    order_init(&order, b->seed, epoch, b->count);
    order_init(&b->steps, b->seed, STEPS_EPOCH | epoch, b->steps_per_epoch);
    for (uint64_t place = 0; place < b->count; place++)
        b->order[place] = order_at(&order, place);
    if (b->pool > 0)
        sort_pools(b);
    cut(b);
    b->epoch = epoch;
}

void batches_slice(struct batches *b, uint64_t step, uint32_t v, uint64_t *first,
                   uint64_t *n)
{
    assert(v < b->slices);
    const uint64_t epoch = step / b->steps_per_epoch, r = step % b->steps_per_epoch;
    make_epoch(b, epoch);
    const uint64_t j = (b->pool > 0 ? order_at(&b->steps, r) : r) * b->slices + v;
    assert(b->start[j] < b->start[j + 1]);
    *first = epoch * b->count + b->start[j];
    *n = b->start[j + 1] - b->start[j];
}

uint64_t batches_pair(struct batches *b, uint64_t sample)
{
    make_epoch(b, sample / b->count);
    return b->order[sample % b->count];
}

/* --- evaluation ----------------------------------------------------------------------
 */

int held_out_batches_init(struct held_out_batches *h, const struct parallel *pairs,
                          uint64_t most)
{
    TRY(check_count(pairs));
    const uint64_t count = parallel_info(pairs)->count;
    struct held_out_batches made = {.pairs = pairs};
    made.start = mem_alloc(mem_mul(count + 1, sizeof *made.start));
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t cost = cost_of(pairs, i);
        if (i == 0 || cost > most || sum > most - cost) {
            made.start[made.slices++] = i;
            sum = 0;
        }
        sum += cost;
    }
    made.start[made.slices] = count;
    *h = made;
    return ERR_OK;
}

void held_out_batches_fini(struct held_out_batches *h)
{
    mem_free(h->start);
    *h = (struct held_out_batches){0};
}

void held_out_batches_slice(const struct held_out_batches *h, uint64_t v, uint64_t *first,
                            uint64_t *n)
{
    assert(v < h->slices);
    *first = h->start[v];
    *n = h->start[v + 1] - h->start[v];
}
