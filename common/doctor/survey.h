/* survey.h - what can be said of the data of a run without a model.
 *
 *      unigram   entropy of the training targets, each token by itself: who has learnt
 *                how often tokens come and nothing else has this loss
 *      bigram    by how much the token before tells what comes: held-out loss of the
 *                frequencies, less that of pairs of tokens (Dirichlet prior, MacKay 1995)
 *      repeated  share of the training pairs, or windows of 50 tokens (Lee 2022,
 *                arXiv:2107.06499), that were there before
 *      known     share of the held-out ones that are in the training data
 *
 * Of large data the first SURVEY_TOKENS tokens or SURVEY_PAIRS pairs are looked at.
 * Windows are those one in eight whose hash ends in zeros, wherever they stand.
 *
 * Functions of the data alone.
 */
#ifndef DOCTOR_SURVEY_H
#define DOCTOR_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "data/dataset.h"

enum { SURVEY_TOKENS = 4000000, SURVEY_PAIRS = 500000, SURVEY_WINDOW = 50 };

/* Numbers that there are none of are NAN. */
struct survey {
    bool pairs;
    uint64_t vocab, count;  /* of tokens or pairs, in the whole training file */
    double unigram, bigram; /* nats a target token */
    double repeated, known;
    /* pairs */
    double lengths;         /* correlation of the logs of a pair's lengths */
    double same, contained; /* share whose target is the source; is a part of it */
};

void survey_take(struct survey *s, const struct dataset *d);

/* The parts, for survey_take(): a text, a parallel text. */
void survey_text(struct survey *s, const struct tokens *train,
                 const struct tokens *held_out);
void survey_pairs(struct survey *s, const struct parallel *train,
                  const struct parallel *held_out);

#endif
