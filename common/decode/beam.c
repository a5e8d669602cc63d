#include "decode/beam.h"

#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "tensor/rows.h"

struct beam_said {
    uint32_t token, before; /* place of the token before it, or NOTHING */
};

static const uint32_t NOTHING = UINT32_MAX;

void beam_init(struct beam *b, const struct beam_options *o)
{
    assert(o->beam >= 1 && o->beam <= BEAM_MAX && o->alpha >= 0);
    assert(o->forbidden != o->end);
    *b = (struct beam){.o = *o,
                       .live = mem_alloc(o->beam * sizeof *b->live),
                       .next = mem_alloc(o->beam * sizeof *b->next),
                       .ended = mem_alloc(o->beam * sizeof *b->ended),
                       .candidate = mem_alloc(2 * o->beam * sizeof *b->candidate)};
}

void beam_fini(struct beam *b)
{
    mem_free(b->live);
    mem_free(b->next);
    mem_free(b->ended);
    mem_free(b->candidate);
    mem_free(b->said);
}

void beam_begin(struct beam *b, size_t longest)
{
    b->length = 0;
    b->longest = longest;
    b->live[0] = (struct beam_live){.score = 0, .last = NOTHING};
    b->rows = 1;
    b->n = 0;
    b->said_n = 0;
}

size_t beam_rows(const struct beam *b)
{
    return b->rows;
}

/* --- the best continuations --------------------------------------------------------- */

static bool better(const struct beam_candidate *a, const struct beam_candidate *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    return a->token != b->token ? a->token < b->token : a->parent < b->parent;
}

static bool full(const struct beam *b)
{
    return b->candidates == 2 * b->o.beam;
}

static bool allowed(const struct beam *b, uint32_t token)
{
    if (token == b->o.end)
        return b->length >= b->o.shortest || b->length == b->longest;
    return token != b->o.forbidden;
}

/* Takes it into the list when it is good enough. */
static void consider(struct beam *b, struct beam_candidate c)
{
    struct beam_candidate *list = b->candidate;
    if (!allowed(b, c.token) || !isfinite(c.score))
        return;
    if (full(b) && !better(&c, &list[b->candidates - 1]))
        return;
    size_t i = full(b) ? b->candidates - 1 : b->candidates++;
    for (; i > 0 && better(&c, &list[i - 1]); i--)
        list[i] = list[i - 1];
    list[i] = c;
}

/* Logits below it are out of question: with the score of the row up to its token they do
 * not reach the list.  Rounded so that none of those that do is. */
static real bar(const struct beam *b, double base)
{
    if (!full(b))
        return (real)-INFINITY;
    const double least = b->candidate[b->candidates - 1].score - base;
    return (real)(least - 1e-6 * (1 + fabs(least)));
}

static void consider_row(struct beam *b, uint32_t row, double base, const real *logits,
                         size_t V)
{
    real least = bar(b, base);
    for (size_t v = 0; v < V; v++) {
        if (logits[v] < least)
            continue;
        consider(b, (struct beam_candidate){base + (double)logits[v], (uint32_t)v, row});
        least = bar(b, base);
    }
}

static int consider_all(struct beam *b, const real *logits, size_t V)
{
    b->candidates = 0;
    for (size_t r = 0; r < b->rows; r++) {
        const real *x = logits + r * V;
        const double base = b->live[r].score - rows_log_sum_exp(x, V);
        if (!isfinite(base))
            return ERR_DATA;
        if (b->length < b->longest)
            consider_row(b, (uint32_t)r, base, x, V);
        else
            consider(b, (struct beam_candidate){base + (double)x[b->o.end], b->o.end,
                                                (uint32_t)r});
    }
    return b->candidates > 0 ? ERR_OK : ERR_DATA;
}

/* --- what becomes of them ----------------------------------------------------------- */

/* Of equal ones that which ended first stays before. */
static void finish(struct beam *b, const struct beam_candidate *c)
{
    const double score = c->score / pow((double)(b->length + 1), b->o.alpha);
    size_t i = b->n++;
    assert(b->n <= b->o.beam);
    for (; i > 0 && score > b->ended[i - 1].score; i--)
        b->ended[i] = b->ended[i - 1];
    b->ended[i] = (struct beam_ended){
        .score = score, .last = b->live[c->parent].last, .length = b->length};
}

static uint32_t say(struct beam *b, uint32_t token, uint32_t before)
{
    if (b->said_n == b->said_room) {
        b->said_room = 2 * b->said_room + 64;
        b->said = mem_resize(b->said, mem_mul(b->said_room, sizeof *b->said));
    }
    b->said[b->said_n] = (struct beam_said){token, before};
    return (uint32_t)b->said_n++;
}

int beam_advance(struct beam *b, const real *logits, size_t V, uint32_t *parents,
                 uint32_t *tokens)
{
    const size_t K = b->o.beam;
    assert(b->rows > 0 && b->o.end < V);
    const int err = consider_all(b, logits, V);
    size_t rows = 0;
    for (size_t i = 0; i < b->candidates && !err; i++) {
        const struct beam_candidate *c = &b->candidate[i];
        if (c->token == b->o.end) {
            if (i < K && b->n < K)
                finish(b, c);
        } else if (rows < K) {
            parents[rows] = c->parent;
            tokens[rows] = c->token;
            b->next[rows].score = c->score;
            b->next[rows++].last = say(b, c->token, b->live[c->parent].last);
        }
    }
    struct beam_live *const before = b->live;
    b->live = b->next;
    b->next = before;
    b->rows = err || b->n == K ? 0 : rows;
    b->length++;
    return err;
}

/* --- what was found ----------------------------------------------------------------- */

size_t beam_found(const struct beam *b)
{
    return b->n;
}

size_t beam_length(const struct beam *b, size_t i)
{
    assert(i < b->n);
    return b->ended[i].length;
}

double beam_score(const struct beam *b, size_t i)
{
    assert(i < b->n);
    return b->ended[i].score;
}

void beam_tokens(const struct beam *b, size_t i, uint32_t *tokens)
{
    uint32_t at = b->ended[i].last;
    for (size_t n = beam_length(b, i); n-- > 0; at = b->said[at].before)
        tokens[n] = b->said[at].token;
    assert(at == NOTHING);
}
