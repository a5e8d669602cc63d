/* bleu.h - corpus BLEU (Papineni et al. 2002), the numbers of sacreBLEU (Post 2018,
 * arXiv:1804.08771).
 *
 *      p[k]  = matching k-grams / k-grams of all hypotheses,     k = 1..4
 *      score = 100 BP exp(sum of ln p[k] / 4),     BP = exp(min(0, 1 - r / c))
 *
 * c is the length of all hypotheses in tokens, r of all references: with several for a
 * sentence, of that which is nearest in length, the shorter of two as near; a k-gram
 * matches as often as it is in the reference that has it most often.
 *
 *      struct bleu_sums sums = {0};
 *      bleu_add(&sums, &o, hypothesis, references, n);     for each sentence
 *      printf("%.2f", bleu_score(&sums, o.smooth).score);
 *
 * The sums are whole numbers: added over sentences or over workers, in any order, they
 * are the same.  Any bytes are a sentence (score/split.h).  Pure functions, any thread.
 */
#ifndef SCORE_BLEU_H
#define SCORE_BLEU_H

#include <stdbool.h>
#include <stdint.h>

#include "text/tokenizer.h"

enum { BLEU_ORDERS = 4, SCORE_SIGNATURE = 128 };

enum bleu_tokens { BLEU_TOKENS_13A, BLEU_TOKENS_NONE /* between white space */ };

/* What stands for p[k] when no k-gram matches (Chen and Cherry 2014, methods 3, 0, 1).
 * Without any k-grams the score is 0, and when nothing matches at all. */
enum bleu_smooth {
    BLEU_SMOOTH_EXP,  /* 1/2, 1/4 ... of a match, halved for each such k */
    BLEU_SMOOTH_NONE, /* 0, and so is the score */
    BLEU_SMOOTH_FLOOR /* 0.1 of a match */
};

struct bleu_options {
    enum bleu_tokens tokens;
    enum bleu_smooth smooth;
    bool lowercase;
};

struct bleu_sums {
    uint64_t hypothesis, reference; /* tokens */
    uint64_t match[BLEU_ORDERS], total[BLEU_ORDERS];
};

struct bleu {
    double score;                  /* 0 to 100 */
    double precision[BLEU_ORDERS]; /* 100 p[k], smoothed; all 0 when nothing matches */
    double brevity;                /* BP, 0 to 1 */
    double ratio;                  /* c / r; 0 when r is 0 */
};

/* One sentence; @n >= 1 references of it, below 2^32 bytes in all. */
void bleu_add(struct bleu_sums *sums, const struct bleu_options *o,
              struct span hypothesis, const struct span *references, size_t n);

void bleu_merge(struct bleu_sums *sums, const struct bleu_sums *more); /* += */

struct bleu bleu_score(const struct bleu_sums *sums, enum bleu_smooth smooth);

/* The names on the command line and in a signature. */
const char *bleu_tokens_name(enum bleu_tokens tokens); /* NULL: no such number */
const char *bleu_smooth_name(enum bleu_smooth smooth);

/* "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:lockstep-0.1.0", as sacreBLEU
 * writes down what a score depends on.  Returns @text. */
char *bleu_signature(char text[SCORE_SIGNATURE], const struct bleu_options *o,
                     size_t references);

#endif
