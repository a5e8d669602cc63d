/* A text: frequencies of tokens and of two in a row, and windows that come again. */
#include <math.h>

#include "base/mem.h"
#include "doctor/survey.h"
#include "doctor/tally.h"

enum { SAMPLED = 8 }; /* one window in so many */

static const double prior = 10; /* tokens of the unigram frequencies behind each token */

/* --- frequencies --- */

struct frequencies {
    struct tally one, two; /* tokens, and pairs in a row */
    double total;
};

static uint64_t in_a_row(uint32_t before, uint32_t token)
{
    return (uint64_t)before << 32 | token;
}

static double probability(const struct frequencies *f, uint32_t token, double vocab)
{
    return (tally_of(&f->one, token) + 1) / (f->total + vocab);
}

static double probability_after(const struct frequencies *f, uint32_t before,
                                uint32_t token, double vocab)
{
    return (tally_of(&f->two, in_a_row(before, token)) +
            prior * probability(f, token, vocab)) /
           (tally_of(&f->one, before) + prior);
}

static void count_tokens(struct frequencies *f, const uint32_t *token, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tally_add(&f->one, token[i]);
        if (i > 0)
            tally_add(&f->two, in_a_row(token[i - 1], token[i]));
    }
    f->total = (double)n;
}

static double entropy(const struct tally *one, double total)
{
    double sum = 0;
    for (size_t i = 0; i < one->room; i++)
        if (one->count[i] > 0)
            sum -= one->count[i] / total * log(one->count[i] / total);
    return sum;
}

/* By the other text, so that what was only learnt by heart does not count. */
static double gain(const struct frequencies *f, const uint32_t *token, size_t n,
                   double vocab)
{
    double sum = 0;
    for (size_t i = 1; i < n; i++)
        sum += log(probability_after(f, token[i - 1], token[i], vocab)) -
               log(probability(f, token[i], vocab));
    return n > 1 ? sum / (double)(n - 1) : NAN;
}

/* --- windows --- */

/* Calls @each with the hash of every window of @token that is sampled: a polynomial that
 * goes on from window to window, and its bits mixed. */
static void windows(const uint32_t *token, size_t n,
                    void (*each)(void *ctx, uint64_t hash), void *ctx)
{
    const uint64_t base = 0x9e3779b97f4a7c15u;
    uint64_t hash = 0, first = 1; /* base^(window - 1): the weight of the oldest */
    for (size_t i = 1; i < SURVEY_WINDOW; i++)
        first *= base;
    for (size_t i = 0; i < n; i++) {
        if (i >= SURVEY_WINDOW)
            hash -= (token[i - SURVEY_WINDOW] + 1) * first;
        hash = hash * base + token[i] + 1;
        const uint64_t mixed = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
        if (i + 1 >= SURVEY_WINDOW && (mixed >> 40) % SAMPLED == 0)
            each(ctx, mixed);
    }
}

struct seen {
    struct tally tally;
    uint64_t n, before;
};

static void add_window(void *ctx, uint64_t hash)
{
    struct seen *s = ctx;
    s->n++;
    s->before += tally_add(&s->tally, hash) > 0;
}

static void find_window(void *ctx, uint64_t hash)
{
    struct seen *s = ctx;
    s->n++;
    s->before += tally_of(&s->tally, hash) > 0;
}

static double share(const struct seen *s)
{
    return s->n > 0 ? (double)s->before / (double)s->n : NAN;
}

/* --- both --- */

static uint32_t *first_tokens(const struct tokens *t, size_t *n)
{
    const uint64_t count = tokens_info(t)->count;
    *n = count < SURVEY_TOKENS ? (size_t)count : SURVEY_TOKENS;
    uint32_t *token = mem_alloc(mem_mul(*n, sizeof *token));
    tokens_get(t, 0, *n, token);
    return token;
}

void survey_text(struct survey *s, const struct tokens *train,
                 const struct tokens *held_out)
{
    const struct tokens_info *info = tokens_info(train);
    size_t n, m;
    uint32_t *token = first_tokens(train, &n), *other = first_tokens(held_out, &m);
    struct frequencies f = {.total = 0};
    struct seen seen = {.n = 0};
    count_tokens(&f, token, n);
    windows(token, n, add_window, &seen);
    *s = (struct survey){.vocab = info->vocab,
                         .count = info->count,
                         .unigram = n > 0 ? entropy(&f.one, f.total) : NAN,
                         .bigram = gain(&f, other, m, (double)info->vocab),
                         .repeated = share(&seen),
                         .lengths = NAN,
                         .same = NAN,
                         .contained = NAN};
    seen.n = seen.before = 0;
    windows(other, m, find_window, &seen);
    s->known = share(&seen);
    tally_fini(&seen.tally);
    tally_fini(&f.one);
    tally_fini(&f.two);
    mem_free(token);
    mem_free(other);
}
