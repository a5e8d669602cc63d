/* Which pairs a slice has: each once in an epoch, about as many tokens in every slice,
 * the same whoever asks, and for ever. */
#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/philox.h"
#include "data/batches.h"

/* Pairs of 1 to @most tokens on each side, drawn from @seed. */
static struct parallel *draw(uint32_t count, uint32_t most, uint64_t seed)
{
    struct parallel_info info = {.vocab = 2};
    memset(info.tokenizer, '0', HASH_HEX - 1);
    struct parallel_writer *w;
    struct parallel *p;
    uint32_t *ids = mem_zalloc(most * sizeof *ids);
    assert_int_equal(parallel_writer_open("drawn", &info, &w), ERR_OK);
    for (uint32_t i = 0; i < count; i++) {
        const struct philox_block r =
            philox(philox_key(seed, PHILOX_TEST), (struct philox_block){{i, 0, 0, 0}});
        parallel_writer_add(w, ids, 1 + r.word[0] % most, ids, 1 + r.word[1] % most);
    }
    assert_int_equal(parallel_writer_seal(w, 1), ERR_OK);
    assert_int_equal(parallel_writer_publish(w), ERR_OK);
    assert_int_equal(parallel_open("drawn", &p), ERR_OK);
    mem_free(ids);
    return p;
}

static uint64_t cost(const struct parallel *p, uint64_t i)
{
    uint32_t s, t;
    parallel_lengths(p, i, &s, &t);
    return (s > t ? s : t) + 1;
}

static const struct {
    uint32_t count, most, slices;
    uint64_t batch_tokens, pool;
} cases[] = {{1, 5, 1, 100, 0},       {2, 1, 1, 2, 0},          {2, 1, 2, 4, 7},
             {500, 20, 1, 64, 0},     {500, 20, 4, 300, 0},     {500, 20, 4, 300, 64},
             {500, 20, 4, 300, 5000}, {97, 3, 7, 100, 10},      {64, 1, 1, 2, 1},
             {64, 1, 16, 128, 3},     {3000, 60, 8, 4096, 1000}};
enum { CASES = sizeof cases / sizeof *cases, SEED = 7 };

static void cut(struct batches *b, const struct parallel *p, int i)
{
    assert_int_equal(
        batches_init(b, p, SEED, cases[i].batch_tokens, cases[i].slices, cases[i].pool),
        ERR_OK);
}

static void begin(struct batches *b, struct parallel **p, int i)
{
    *p = draw(cases[i].count, cases[i].most, SEED + (uint64_t)i);
    cut(b, *p, i);
}

static void end(struct batches *b, struct parallel *p)
{
    batches_fini(b);
    parallel_close(p);
}

static void an_epoch_has_each_pair_once_and_no_slice_is_empty(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct batches b;
        struct parallel *p;
        begin(&b, &p, i);
        const uint64_t count = cases[i].count, K = b.steps_per_epoch;
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            unsigned char *pair_seen = mem_zalloc(count), *seen = mem_zalloc(count);
            uint64_t all = 0;
            for (uint64_t step = epoch * K; step < (epoch + 1) * K; step++)
                for (uint32_t v = 0; v < cases[i].slices; v++) {
                    uint64_t first, n;
                    batches_slice(&b, step, v, &first, &n);
                    assert_true(n >= 1 && n <= count);
                    for (uint64_t g = first; g < first + n; g++) {
                        assert_int_equal(g / count, epoch);
                        assert_int_equal(seen[g % count]++, 0);
                        assert_int_equal(pair_seen[batches_pair(&b, g)]++, 0);
                    }
                    all += n;
                }
            assert_int_equal(all, count);
            mem_free(seen);
            mem_free(pair_seen);
        }
        end(&b, p);
    }
}

/* The definition, slowly: x of each pair of a slice lies in the slice's piece; its cost
 * is below total / (K V) + the longest; a step asks for about batch_tokens. */
static void slices_are_cut_as_defined_and_balanced(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct batches b;
        struct parallel *p;
        begin(&b, &p, i);
        const uint64_t K = b.steps_per_epoch, V = cases[i].slices;
        uint64_t total = 0, longest = 0;
        for (uint64_t k = 0; k < cases[i].count; k++) {
            total += cost(p, k);
            longest = cost(p, k) > longest ? cost(p, k) : longest;
        }
        assert_int_equal(b.cost, total);
        assert_true(K * cases[i].batch_tokens >= total);
        assert_true((K - 1) * cases[i].batch_tokens < total);
        for (uint64_t step = 0; step < K; step++)
            for (uint32_t v = 0; v < V; v++) {
                uint64_t first, n, x = 0, sum = 0;
                batches_slice(&b, step, v, &first, &n);
                for (uint64_t g = 0; g < first; g++)
                    x += cost(p, batches_pair(&b, g));
                const uint64_t j = x * K * V / total;
                assert_int_equal(j % V, v);
                if (cases[i].pool == 0)
                    assert_int_equal(j / V, step);
                /* the pair before, if any, belongs to the slice before */
                if (first > 0)
                    assert_true((x - cost(p, batches_pair(&b, first - 1))) * K * V <
                                j * total);
                for (uint64_t g = first; g < first + n; g++) {
                    uint32_t s, t;
                    const uint64_t pair = batches_pair(&b, g);
                    assert_int_equal((x + sum) * K * V / total, j);
                    parallel_lengths(p, pair, &s, &t);
                    sum += cost(p, pair);
                }
                assert_true(sum * K * V < total + longest * K * V);
                assert_true(sum <= batches_largest(&b));
            }
        end(&b, p);
    }
}

static void what_a_slice_has_does_not_depend_on_the_order_of_asking(void **state)
{
    (void)state;
    for (int i = 3; i < CASES - 1; i++) {
        struct batches b, fresh;
        struct parallel *p;
        begin(&b, &p, i);
        const uint64_t steps = 3 * b.steps_per_epoch;
        for (uint64_t k = 0; k < steps; k++) {
            const uint64_t step = k * 7919 % steps;
            uint64_t first[2], n[2];
            const uint32_t v = (uint32_t)(k % cases[i].slices);
            cut(&fresh, p, i);
            batches_slice(&b, step, v, &first[0], &n[0]);
            batches_slice(&fresh, step, v, &first[1], &n[1]);
            assert_true(first[0] == first[1] && n[0] == n[1]);
            for (uint64_t g = first[0]; g < first[0] + n[0]; g++)
                assert_int_equal(batches_pair(&b, g), batches_pair(&fresh, g));
            batches_fini(&fresh);
        }
        end(&b, p);
    }
}

static void epochs_and_seeds_have_other_orders(void **state)
{
    (void)state;
    enum { N = 500 };
    struct parallel *p = draw(N, 9, SEED);
    struct batches b, other;
    for (uint64_t pool = 0; pool <= 100; pool += 100) {
        assert_int_equal(batches_init(&b, p, 1, 100, 1, pool), ERR_OK);
        assert_int_equal(batches_init(&other, p, 2, 100, 1, pool), ERR_OK);
        int same_epoch = 0, same_seed = 0;
        for (uint64_t i = 0; i < N; i++)
            same_seed += batches_pair(&b, i) == batches_pair(&other, i);
        for (uint64_t i = 0; i < N; i++)
            same_epoch += batches_pair(&other, i + N) == batches_pair(&b, i + N);
        assert_true(same_epoch < 10 && same_seed < 10);
        batches_fini(&b);
        batches_fini(&other);
    }
    parallel_close(p);
}

/* Sorted within each pool, equal costs in the order they had without; the pairs of a pool
 * are those that stood there. */
static void pools_are_sorted_by_cost_and_place(void **state)
{
    (void)state;
    enum { N = 500, POOL = 64 };
    struct parallel *p = draw(N, 9, SEED);
    struct batches plain, pooled;
    uint64_t place[N];
    assert_int_equal(batches_init(&plain, p, 3, 100, 2, 0), ERR_OK);
    assert_int_equal(batches_init(&pooled, p, 3, 100, 2, POOL), ERR_OK);
    for (uint64_t i = 0; i < N; i++)
        place[batches_pair(&plain, i)] = i;
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t pair = batches_pair(&pooled, i);
        assert_int_equal(place[pair] / POOL, i / POOL);
        if (i % POOL > 0) {
            const uint64_t before = batches_pair(&pooled, i - 1);
            assert_true(
                cost(p, before) < cost(p, pair) ||
                (cost(p, before) == cost(p, pair) && place[before] < place[pair]));
        }
    }
    batches_fini(&plain);
    batches_fini(&pooled);
    parallel_close(p);
}

/* With a pool of everything an epoch would begin with its shortest and end with its
 * longest pairs; the permutation of the steps, another in each epoch, is against that. */
static void steps_of_pools_come_in_another_order_each_epoch(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct parallel *p = draw(N, 30, SEED);
    struct batches b;
    assert_int_equal(batches_init(&b, p, 3, 400, 2, N), ERR_OK);
    const uint64_t K = b.steps_per_epoch;
    uint64_t ascents = 0, same = 0, before = 0;
    for (uint64_t r = 0; r < K; r++) {
        uint64_t here, there, n;
        batches_slice(&b, r, 0, &here, &n);
        ascents += here > before;
        before = here;
        batches_slice(&b, K + r, 0, &there, &n);
        same += there - N == here;
        uint64_t second;
        batches_slice(&b, r, 1, &second, &n);
        batches_slice(&b, r, 0, &here, &n);
        assert_int_equal(here + n, second); /* the slices of a step are neighbours */
    }
    assert_true(K > 50);
    assert_in_range(ascents, K / 3, 2 * K / 3);
    assert_true(same < 8);
    batches_fini(&b);
    parallel_close(p);
}

static void a_pair_longer_than_its_slice_is_refused(void **state)
{
    (void)state;
    struct parallel *p = draw(40, 1, SEED); /* each costs 2, 80 in all */
    struct batches b;
    static const struct {
        uint64_t batch_tokens;
        uint32_t slices;
        int err;
    } lots[] = {
        {1, 1, ERR_DATA},          {2, 1, ERR_OK},          {2, 2, ERR_DATA},
        {3, 2, ERR_DATA},          {4, 2, ERR_OK},          {80, 40, ERR_OK},
        {80, 41, ERR_DATA},        {UINT64_MAX, 1, ERR_OK}, {UINT64_MAX, 41, ERR_DATA},
        {1, UINT32_MAX, ERR_DATA}, {79, 20, ERR_OK},        {79, 21, ERR_DATA}};
    for (size_t i = 0; i < sizeof lots / sizeof *lots; i++) {
        const int err = batches_init(&b, p, 1, lots[i].batch_tokens, lots[i].slices, 0);
        if (err != lots[i].err)
            fail_msg("case %zu: %s", i, err_name(err));
        if (!err)
            batches_fini(&b);
    }
    parallel_close(p);
    p = draw(0, 1, SEED);
    struct held_out_batches h;
    assert_int_equal(batches_init(&b, p, 1, 100, 1, 0), ERR_DATA);
    assert_int_equal(held_out_batches_init(&h, p, 100), ERR_DATA);
    parallel_close(p);
}

static void held_out_slices_have_each_pair_once_in_order(void **state)
{
    (void)state;
    struct parallel *p = draw(300, 20, SEED);
    static const uint64_t bounds[] = {0, 1, 15, 21, 22, 100, 6300, UINT64_MAX};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct held_out_batches h;
        assert_int_equal(held_out_batches_init(&h, p, bounds[i]), ERR_OK);
        uint64_t next = 0;
        for (uint64_t v = 0; v < h.slices; v++) {
            uint64_t first, n, sum = 0;
            held_out_batches_slice(&h, v, &first, &n);
            assert_int_equal(first, next);
            next += n;
            for (uint64_t k = first; k < next; k++)
                sum += cost(p, k);
            assert_true(n == 1 || sum <= bounds[i]);
            if (next < 300) /* the next one would not have fitted */
                assert_true(sum + cost(p, next) > bounds[i]);
        }
        assert_int_equal(next, 300);
        held_out_batches_fini(&h);
    }
    parallel_close(p);
}

/* Runs that resume depend on it: a change here is a change of the format. */
static void the_order_never_changes(void **state)
{
    (void)state;
    static const uint64_t expected[2][12] = {
        {48, 2, 5, 3, 22, 12, 46, 42, 13, 4, 21, 35},
        {44, 24, 11, 28, 18, 34, 25, 7, 16, 36, 39, 15}};
    struct parallel *p = draw(50, 10, 5);
    for (int pooled = 0; pooled < 2; pooled++) {
        struct batches b;
        assert_int_equal(batches_init(&b, p, 11, 60, 2, pooled ? 20 : 0), ERR_OK);
        uint64_t got[12], at = 0;
        for (uint64_t step = 9; at < 12; step++)
            for (uint32_t v = 0; v < 2; v++) {
                uint64_t first, n;
                batches_slice(&b, step, v, &first, &n);
                for (uint64_t g = first; g < first + n && at < 12; g++)
                    got[at++] = batches_pair(&b, g);
            }
        assert_memory_equal(got, expected[pooled], sizeof got);
        batches_fini(&b);
    }
    parallel_close(p);
}

RUN(T(an_epoch_has_each_pair_once_and_no_slice_is_empty),
    T(slices_are_cut_as_defined_and_balanced),
    T(what_a_slice_has_does_not_depend_on_the_order_of_asking),
    T(epochs_and_seeds_have_other_orders), T(pools_are_sorted_by_cost_and_place),
    T(steps_of_pools_come_in_another_order_each_epoch),
    T(a_pair_longer_than_its_slice_is_refused),
    T(held_out_slices_have_each_pair_once_in_order), T(the_order_never_changes))
