#include "decode/translate.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "nn/decode.h"

struct translator {
    const struct transformer *t; /* borrowed */
    struct translate_options o;
    size_t sentences, rows;
    struct decoder *decoder;
    struct beam *beams;         /* [sentences] */
    uint32_t *length, *source;  /* [sentences], [rows]: what the encoder reads */
    uint32_t *parents, *tokens; /* [sentences * beam]: rows of the decoder */
};

struct translate_options translate_defaults(uint32_t end)
{
    return (struct translate_options){.beam = {.beam = 5,
                                               .alpha = 1,
                                               .shortest = 1,
                                               .end = end,
                                               .forbidden = BEAM_NO_TOKEN},
                                      .longest = 200,
                                      .best = 1};
}

struct translator *translator_new(const struct transformer *t,
                                  const struct translate_options *o, size_t sentences,
                                  size_t rows)
{
    assert(t->shape.E > 0 && sentences >= 1 && rows >= 2);
    assert(o->best >= 1 && o->best <= o->beam.beam && o->ratio >= 0);
    struct translator *tr = mem_alloc(sizeof *tr);
    const size_t hypotheses = mem_mul(sentences, o->beam.beam);
    *tr = (struct translator){
        .t = t,
        .o = *o,
        .sentences = sentences,
        .rows = rows,
        .decoder = decoder_new(t, hypotheses, rows),
        .beams = mem_alloc(mem_mul(sentences, sizeof *tr->beams)),
        .length = mem_alloc(mem_mul(sentences, sizeof *tr->length)),
        .source = mem_alloc(mem_mul(rows, sizeof *tr->source)),
        .parents = mem_alloc(mem_mul(hypotheses, sizeof *tr->parents)),
        .tokens = mem_alloc(mem_mul(hypotheses, sizeof *tr->tokens)),
    };
    for (size_t b = 0; b < sentences; b++)
        beam_init(&tr->beams[b], &o->beam);
    return tr;
}

void translator_free(struct translator *tr)
{
    if (!tr)
        return;
    decoder_free(tr->decoder);
    for (size_t b = 0; b < tr->sentences; b++)
        beam_fini(&tr->beams[b]);
    mem_free(tr->beams);
    mem_free(tr->length);
    mem_free(tr->source);
    mem_free(tr->parents);
    mem_free(tr->tokens);
    mem_free(tr);
}

void translations_fini(struct translations *t)
{
    for (size_t i = 0; i < t->n; i++)
        mem_free(t->at[i].tokens);
    mem_free(t->at);
    *t = (struct translations){0};
}

/* Tokens that a translation of @source may have. */
static size_t longest(const struct translator *tr, const struct sentence *source)
{
    const double wanted = tr->o.ratio * (double)(source->n + 1) + (double)tr->o.longest;
    const size_t context = tr->t->shape.T - 1;
    return wanted < (double)context ? (size_t)wanted : context;
}

/* The encoder reads all sources, each with its end; each is a row that has read that. */
static void begin(struct translator *tr, const real *theta,
                  const struct sentence *sources, size_t B)
{
    size_t at = 0;
    for (size_t b = 0; b < B; b++) {
        const struct sentence *s = &sources[b];
        assert(s->n >= 1 && s->n < tr->t->shape.T && at + s->n < tr->rows);
        memcpy(tr->source + at, s->tokens, s->n * sizeof *s->tokens);
        tr->source[at + s->n] = tr->o.beam.end;
        tr->length[b] = (uint32_t)s->n + 1;
        at += s->n + 1;
        tr->tokens[b] = tr->o.beam.end;
        beam_begin(&tr->beams[b], longest(tr, s));
    }
    decoder_begin(tr->decoder, theta, B, tr->length, tr->source);
}

/* All searches take a step; the rows of a sentence stay side by side.  Returns how many
 * rows there are then. */
static int advance(struct translator *tr, const real *logits, size_t B, size_t *rows)
{
    const size_t V = tr->t->shape.V;
    size_t before = 0, after = 0;
    for (size_t b = 0; b < B; b++) {
        struct beam *beam = &tr->beams[b];
        const size_t lived = beam_rows(beam);
        if (lived == 0)
            continue;
        uint32_t *parents = tr->parents + after;
        TRY(beam_advance(beam, logits + before * V, V, parents, tr->tokens + after));
        for (size_t i = 0; i < beam_rows(beam); i++)
            parents[i] += (uint32_t)before;
        before += lived;
        after += beam_rows(beam);
    }
    *rows = after;
    return ERR_OK;
}

static int search(struct translator *tr, const real *theta, size_t B)
{
    for (size_t rows = B; rows > 0;) {
        const real *logits = decoder_step(tr->decoder, theta, tr->tokens);
        TRY(advance(tr, logits, B, &rows));
        decoder_select(tr->decoder, tr->parents, rows);
    }
    return ERR_OK;
}

static struct translations take_best(const struct beam *b, size_t best)
{
    struct translations t = {.n = beam_found(b) < best ? beam_found(b) : best};
    assert(t.n >= 1);
    t.at = mem_alloc(mem_mul(t.n, sizeof *t.at));
    for (size_t i = 0; i < t.n; i++) {
        const size_t n = beam_length(b, i);
        t.at[i] = (struct translation){mem_alloc(n * sizeof *t.at->tokens), n,
                                       beam_score(b, i)};
        beam_tokens(b, i, t.at[i].tokens);
    }
    return t;
}

int translate(struct translator *tr, const real *theta, const struct sentence *sources,
              size_t B, struct translations *out)
{
    assert(B >= 1 && B <= tr->sentences);
    begin(tr, theta, sources, B);
    if (search(tr, theta, B) != ERR_OK) {
        log_error("the model answers with what is no number; take an earlier checkpoint");
        return ERR_DATA;
    }
    for (size_t b = 0; b < B; b++)
        out[b] = take_best(&tr->beams[b], tr->o.best);
    return ERR_OK;
}
