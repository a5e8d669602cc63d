/* scorer.h - what the held-out sources were translated into, against their targets:
 * corpus BLEU (score/bleu.h).
 *
 * Slices are those of supply.h, in any order, each once; the sums are whole numbers, so
 * the score does not depend on who translated what.  One thread at a time.
 */
#ifndef COORDINATOR_SCORER_H
#define COORDINATOR_SCORER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "coordinator/supply.h"

struct scorer;

/* @s has pairs; both are borrowed. */
struct scorer *scorer_new(const struct supply *s, const struct conf_translate *conf);
void scorer_free(struct scorer *s);

void scorer_begin(struct scorer *s); /* nothing was taken so far */

/* Hypotheses of slice @v < held_out_slices, in the order of its sentences: lengths
 * [sentences of the slice], tokens below the vocabulary, one behind the other. */
void scorer_take(struct scorer *s, uint32_t v, const uint32_t *lengths,
                 const uint32_t *tokens);

double scorer_bleu(const struct scorer *s); /* 0 to 100, of what was taken */

#endif
