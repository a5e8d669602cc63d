#include "data/augment.h"

#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/* One transform of one sequence. */
struct task {
    const struct augment *a;
    enum augment_side side;
    uint32_t site;
    double amount;
    uint64_t sample;
    size_t most;
};

enum {
    SITE_JOIN = 8, /* the others stand in the table below */
    /* Of numbers that belong to no position: no sequence is that long. */
    NO_POSITION = -1
};

static struct philox_block draw(const struct task *t, size_t position)
{
    return philox(t->a->key,
                  (struct philox_block){{(uint32_t)position, t->site, (uint32_t)t->sample,
                                         (uint32_t)(t->sample >> 32)}});
}

static double uniform(const struct task *t, size_t position)
{
    return philox_uniform(draw(t, position).word[0]);
}

/* --- the transforms --------------------------------------------------------------------
 */

static void resegment(const struct task *t, struct ids *ids)
{
    const struct tokenizer_dropout dropout = {.p = t->amount,
                                              .seed = t->a->seed,
                                              .epoch = (uint32_t)(t->sample >> 32) << 1 |
                                                       (t->side == AUGMENT_TARGET),
                                              .sample = (uint32_t)t->sample};
    struct ids again = {0};
    if (tokenizer_resegment(t->a->tokenizer, ids->at, ids->n, &dropout, &again.at,
                            &again.n))
        return; /* said there: tokens that were no text stay */
    again.room = again.n;
    if (again.n < ids->n || again.n > t->most) {
        ids_fini(&again);
        return;
    }
    ids_fini(ids);
    *ids = again;
}

/* Insertion: few are far from their place. */
static void swap(const struct task *t, struct ids *ids)
{
    double *place = mem_alloc(mem_mul(ids->n, sizeof *place));
    for (size_t i = 0; i < ids->n; i++) {
        const uint32_t id = ids->at[i];
        const double x = (double)i + (t->amount + 1) * uniform(t, i);
        size_t j = i;
        for (; j > 0 && place[j - 1] > x; j--) {
            place[j] = place[j - 1];
            ids->at[j] = ids->at[j - 1];
        }
        place[j] = x;
        ids->at[j] = id;
    }
    mem_free(place);
}

/* n of 0 .. N with P(n) ~ exp(-n / temperature) */
static size_t draw_distance(const struct task *t, size_t N)
{
    const double ratio = exp(-1 / t->amount);
    double sum = 0, term = 1;
    for (size_t n = 0; n <= N; n++, term *= ratio)
        sum += term;
    double left = uniform(t, (size_t)NO_POSITION) * sum;
    size_t n = 0;
    for (term = 1; n < N && left >= term; n++, term *= ratio)
        left -= term;
    return n;
}

/* Any token but @id and the end of text, or @id when there is none. */
static uint32_t other(const struct augment *a, uint32_t id, uint32_t word)
{
    const uint32_t end = a->end == id ? a->vocab : a->end;
    const uint32_t choices = a->vocab - 1 - (end < a->vocab);
    if (choices == 0)
        return id;
    uint32_t drawn = (uint32_t)((uint64_t)word * choices >> 32);
    drawn += drawn >= (id < end ? id : end);
    drawn += drawn >= (id < end ? end : id);
    return drawn;
}

/* Which n is selection sampling: as many of those left are still to be taken. */
static void switch_out(const struct task *t, struct ids *ids)
{
    size_t wanted = draw_distance(t, ids->n);
    for (size_t i = 0; i < ids->n && wanted > 0; i++) {
        const struct philox_block x = draw(t, i);
        if ((double)(ids->n - i) * philox_uniform(x.word[0]) >= (double)wanted)
            continue;
        ids->at[i] = other(t->a, ids->at[i], x.word[1]);
        wanted--;
    }
    assert(wanted == 0);
}

static void mask(const struct task *t, struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (uniform(t, i) < t->amount)
            ids->at[i] = t->a->mask;
}

static void drop(const struct task *t, struct ids *ids)
{
    size_t kept = 0;
    double largest = -1;
    uint32_t last = 0;
    for (size_t i = 0; i < ids->n; i++) {
        const uint32_t id = ids->at[i];
        const double x = uniform(t, i);
        if (x > largest) {
            largest = x;
            last = id;
        }
        if (x >= t->amount)
            ids->at[kept++] = id;
    }
    if (kept == 0 && ids->n > 0)
        ids->at[kept++] = last;
    ids->n = kept;
}

/* In the order in which they are made.  A site is part of Philox's counter: for ever. */
static const struct transform {
    enum augment_side side;
    uint32_t site;
    size_t amount; /* where in struct conf_augment; 0 there: off */
    void (*make)(const struct task *, struct ids *);
} table[] = {
#define ROW(side, site, option, make)                                                    \
    {                                                                                    \
        AUGMENT_##side, site, offsetof(struct conf_augment, option), make                \
    }
    ROW(SOURCE, 1, source_bpe, resegment),     ROW(TARGET, 2, target_bpe, resegment),
    ROW(SOURCE, 3, source_swap, swap),         ROW(SOURCE, 4, source_switch, switch_out),
    ROW(TARGET, 5, target_switch, switch_out), ROW(SOURCE, 6, source_mask, mask),
    ROW(SOURCE, 7, source_drop, drop),
#undef ROW
};

/* --- all of them -----------------------------------------------------------------------
 */

static double amount(const struct augment *a, const struct transform *row)
{
    return *(const double *)((const char *)&a->how + row->amount);
}

void augment_words(const struct augment *a, enum augment_side side, uint64_t sample,
                   size_t most, struct ids *ids)
{
    assert(sample < (uint64_t)1 << 63);
    assert(ids->n < UINT32_MAX);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct task t = {.a = a,
                               .side = side,
                               .site = table[i].site,
                               .amount = amount(a, &table[i]),
                               .sample = sample,
                               .most = most};
        if (table[i].side == side && t.amount > 0)
            table[i].make(&t, ids);
    }
}

bool augment_joins(const struct augment *a, uint64_t sample)
{
    const struct task t = {.a = a, .site = SITE_JOIN, .sample = sample};
    return uniform(&t, (size_t)NO_POSITION) < a->how.join;
}

static int choose_mask(struct augment *a)
{
    a->mask = a->how.mask_id;
    if (a->mask == 0 && !tokenizer_unknown_token(a->tokenizer, &a->mask))
        tokenizer_end_of_text(a->tokenizer, &a->mask);
    if (a->mask < a->vocab)
        return ERR_OK;
    log_error("augment.mask_id %lu is not among the %lu tokens of the data; use one of 1 "
              "to %lu, or auto",
              (unsigned long)a->mask, (unsigned long)a->vocab,
              (unsigned long)a->vocab - 1);
    return ERR_CONFIG;
}

int augment_init(struct augment *a, const struct conf *conf, struct tokenizer *t)
{
    struct augment made = {.how = conf->augment,
                           .seed = conf->train.seed,
                           .key = philox_key(conf->train.seed, PHILOX_AUGMENT),
                           .tokenizer = t,
                           .vocab = (uint32_t)tokenizer_vocab(t)};
    if (!tokenizer_end_of_text(t, &made.end))
        made.end = made.vocab;
    TRY(choose_mask(&made));
    const enum tokenizer_kind kind = tokenizer_kind(t);
    if ((kind == TOKENIZER_BYTE || kind == TOKENIZER_CHAR) &&
        (made.how.source_bpe > 0 || made.how.target_bpe > 0))
        log_warn("augment.source_bpe and augment.target_bpe do nothing: the data's "
                 "tokens are single %s, there are no merges to leave out",
                 kind == TOKENIZER_BYTE ? "bytes" : "characters");
    *a = made;
    return ERR_OK;
}
