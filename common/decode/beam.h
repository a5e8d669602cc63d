/* beam.h - beam search for one sentence: the likeliest sequences, as far as one looks.
 *
 *      beam_begin(&b, longest);
 *      while (beam_rows(&b) > 0)
 *          TRY(beam_advance(&b, logits, V, parents, tokens));
 *      beam_finished(&b, 0, tokens)                 the best
 *
 * A hypothesis is what has been said so far; its score is the sum of the logarithms of
 * its tokens' probabilities.  A finished one, which has said the end, is judged by
 *
 *      score / length^alpha        length: its tokens and the end        (Wu 2016,
 * fairseq)
 *
 * One step, from at most K = `beam` live hypotheses, each with all V tokens behind it:
 *
 *      1. of all these the 2 K with the best scores are taken, best first; of equal ones
 * the lower token, then the lower parent;
 *      2. those among the first K that say the end are finished;
 *      3. the first K that do not are the live ones of the next step.
 *
 * The search ends as soon as K hypotheses are finished, as fairseq's does, of which also
 * the other rules are: what lives then might still beat one of them when its score is
 * divided by a greater length, and is not waited for.  A hypothesis of `longest` tokens
 * can only end.  So there is always a finished one.  With K = 1 it is the argmax of each
 * step; with a K as large as the number of sequences all are seen and the answers exact.
 *
 * What is found is a function of the logits alone.  No memory but its own, no threads.
 */
#ifndef DECODE_BEAM_H
#define DECODE_BEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/real.h"

enum { BEAM_MAX = 1 << 16 };
static const uint32_t BEAM_NO_TOKEN = UINT32_MAX;

struct beam_options {
    size_t beam;        /* K, 1 to BEAM_MAX */
    double alpha;       /* at least 0; 0: scores alone, 1: per token */
    size_t shortest;    /* tokens before the end may be said */
    uint32_t end;       /* the token that ends */
    uint32_t forbidden; /* a token that is never said, or BEAM_NO_TOKEN */
};

struct beam_live {
    double score;
    uint32_t last; /* its last token among all said, or none */
};

struct beam_ended {
    double score; /* judged */
    uint32_t last;
    size_t length; /* tokens without the end */
};

struct beam_candidate {
    double score;
    uint32_t token, parent;
};

struct beam { /* private; use the functions below */
    struct beam_options o;
    size_t length, longest;           /* tokens of the live ones, now and at most */
    struct beam_live *live, *next;    /* [K] */
    size_t rows;                      /* live */
    struct beam_ended *ended;         /* [K], best first */
    size_t n;                         /* ended */
    struct beam_candidate *candidate; /* [2 K], best first */
    size_t candidates;
    struct beam_said *said; /* tokens, each with the one before it */
    size_t said_n, said_room;
};

void beam_init(struct beam *b, const struct beam_options *o);
void beam_fini(struct beam *b);

/* One hypothesis lives, which has said nothing. */
void beam_begin(struct beam *b, size_t longest);

/* Hypotheses that live; 0: the search has ended. */
size_t beam_rows(const struct beam *b);

/* logits [rows,V] of what follows each; parents, tokens [K]: row i of those that live now
 * goes on from row parents[i] with tokens[i].  ERR_DATA (not logged): logits that are no
 * numbers; the search is over. */
int beam_advance(struct beam *b, const real *logits, size_t V, uint32_t *parents,
                 uint32_t *tokens);

size_t
beam_found(const struct beam *b); /* finished hypotheses, 1 to K after the search */
/* Of number @i, best first: how many tokens, without the end; how good. */
size_t beam_length(const struct beam *b, size_t i);
double beam_score(const struct beam *b, size_t i);
/* tokens [beam_length] */
void beam_tokens(const struct beam *b, size_t i, uint32_t *tokens);

#endif
