/* chrf.h - corpus chrF (Popovic 2015, "chrF: character n-gram F-score for automatic MT
 * evaluation") and chrF++ (Popovic 2017, with words), the numbers of sacreBLEU 2.
 *
 *      P, R  = matching k-grams / those of the hypotheses, of the references, averaged
 *              over the k of which both sides have any: characters 1..6 without white
 *              space; of chrF++ also words 1..2
 *      score = 100 (1 + beta^2) P R / (beta^2 P + R),     beta = 2
 *
 * With several references of a sentence the one counts that gives it the best score.
 * The words of chrF++ are those between white space, with one ASCII punctuation mark cut
 * off, at the end or, if there is none, at the beginning.
 *
 * The sums are whole numbers, as in score/bleu.h.  Any bytes.  Pure functions, any
 * thread.
 */
#ifndef SCORE_CHRF_H
#define SCORE_CHRF_H

#include <stdbool.h>
#include <stdint.h>

#include "score/bleu.h"

enum { CHRF_CHARACTERS = 6, CHRF_WORDS = 2, CHRF_ORDERS = CHRF_CHARACTERS + CHRF_WORDS };

struct chrf_options {
    bool words; /* chrF++ */
    bool lowercase;
};

/* Of 1 to 6 characters, then of 1 and 2 words, which stay 0 for chrF. */
struct chrf_sums {
    uint64_t hypothesis[CHRF_ORDERS], reference[CHRF_ORDERS], match[CHRF_ORDERS];
};

/* One sentence; @n >= 1 references of it, each with it below 2^32 bytes. */
void chrf_add(struct chrf_sums *sums, const struct chrf_options *o,
              struct span hypothesis, const struct span *references, size_t n);

void chrf_merge(struct chrf_sums *sums, const struct chrf_sums *more); /* += */

double chrf_score(const struct chrf_sums *sums); /* 0 to 100 */

const char *chrf_name(const struct chrf_options *o); /* "chrF2" or "chrF2++" */

/* "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:lockstep-0.1.0"; @text. */
char *chrf_signature(char text[SCORE_SIGNATURE], const struct chrf_options *o,
                     size_t references);

#endif
