/* A parallel text: pairs that come again, and whether source and target fit. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "doctor/survey.h"
#include "doctor/tally.h"

enum { PART = 3 }; /* tokens of a target in its source at least, to be called a part */

struct pair { /* one of a file, read */
    uint32_t *source, *target;
    uint32_t source_n, target_n;
};

static uint64_t pairs_of(const struct parallel *p)
{
    const uint64_t n = parallel_info(p)->count;
    return n < SURVEY_PAIRS ? n : SURVEY_PAIRS;
}

static struct pair room_for(const struct parallel *p)
{
    const struct parallel_info *info = parallel_info(p);
    struct pair r = {0};
    r.source = mem_alloc(mem_mul(info->longest_source, sizeof *r.source));
    r.target = mem_alloc(mem_mul(info->longest_target, sizeof *r.target));
    return r;
}

static void room_fini(struct pair *r)
{
    mem_free(r->source);
    mem_free(r->target);
}

static void get(const struct parallel *p, uint64_t i, struct pair *r)
{
    parallel_lengths(p, i, &r->source_n, &r->target_n);
    parallel_get(p, i, r->source, r->target);
}

static uint64_t hash_of(const struct pair *r)
{
    const uint64_t half[2] = {hash64(r->source, r->source_n * sizeof *r->source),
                              hash64(r->target, r->target_n * sizeof *r->target)};
    return hash64(half, sizeof half);
}

/* --- how the sides fit --- */

static bool is_same(const struct pair *r)
{
    return r->source_n == r->target_n &&
           memcmp(r->source, r->target, r->source_n * sizeof *r->source) == 0;
}

/* Without its first token, which is another one within a sentence: "ein" and " ein". */
static bool is_part(const struct pair *r)
{
    const uint32_t *part = r->target + 1;
    const uint32_t n = r->target_n - 1;
    if (n < PART || r->target_n >= r->source_n)
        return false;
    for (uint32_t i = 0; i + n <= r->source_n; i++)
        if (memcmp(r->source + i, part, n * sizeof *part) == 0)
            return true;
    return false;
}

struct correlation {
    double n, x, y, xx, yy, xy;
};

static void correlate(struct correlation *c, double x, double y)
{
    c->n++;
    c->x += x;
    c->y += y;
    c->xx += x * x;
    c->yy += y * y;
    c->xy += x * y;
}

/* NAN when a side is always of one length. */
static double correlation(const struct correlation *c)
{
    const double xx = c->xx - c->x * c->x / c->n, yy = c->yy - c->y * c->y / c->n;
    const double least = 1e-9 * c->n;
    return xx > least && yy > least ? (c->xy - c->x * c->y / c->n) / sqrt(xx * yy) : NAN;
}

/* --- targets --- */

static void count_targets(struct tally *one, const struct pair *r)
{
    for (uint32_t i = 0; i < r->target_n; i++)
        tally_add(one, r->target[i]);
}

/* Of the targets with their ends, one each. */
static double entropy(const struct tally *one, double ends)
{
    double total = ends, sum = 0;
    for (size_t i = 0; i < one->room; i++)
        total += one->count[i];
    for (size_t i = 0; i < one->room; i++)
        if (one->count[i] > 0)
            sum -= one->count[i] / total * log(one->count[i] / total);
    return sum - ends / total * log(ends / total);
}

static double known(const struct tally *pairs, const struct parallel *held_out)
{
    const uint64_t n = pairs_of(held_out);
    struct pair r = room_for(held_out);
    uint64_t found = 0;
    for (uint64_t i = 0; i < n; i++) {
        get(held_out, i, &r);
        found += tally_of(pairs, hash_of(&r)) > 0;
    }
    room_fini(&r);
    return n > 0 ? (double)found / (double)n : NAN;
}

void survey_pairs(struct survey *s, const struct parallel *train,
                  const struct parallel *held_out)
{
    const uint64_t n = pairs_of(train);
    struct pair r = room_for(train);
    struct tally pairs = {0}, one = {0};
    struct correlation lengths = {0};
    double repeated = 0, same = 0, contained = 0;
    for (uint64_t i = 0; i < n; i++) {
        get(train, i, &r);
        repeated += tally_add(&pairs, hash_of(&r)) > 0;
        same += is_same(&r);
        contained += is_part(&r);
        correlate(&lengths, log(r.source_n), log(r.target_n));
        count_targets(&one, &r);
    }
    const double all = (double)n;
    *s = (struct survey){.pairs = true,
                         .vocab = parallel_info(train)->vocab,
                         .count = parallel_info(train)->count,
                         .unigram = n > 0 ? entropy(&one, all) : NAN,
                         .bigram = NAN,
                         .repeated = n > 0 ? repeated / all : NAN,
                         .known = known(&pairs, held_out),
                         .lengths = n > 0 ? correlation(&lengths) : NAN,
                         .same = n > 0 ? same / all : NAN,
                         .contained = n > 0 ? contained / all : NAN};
    room_fini(&r);
    tally_fini(&pairs);
    tally_fini(&one);
}
