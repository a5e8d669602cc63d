/* augment.h - training data that is never twice the same: transforms of token sequences.
 *
 * They are made in this order, those that are on (group augment of the options):
 *
 *      source_bpe     merges left out at random: BPE-dropout (Provilkov, Emelianenko,
 * Voita target_bpe     2020, arXiv:1910.13267; text/merger.h) source_swap    sorted by
 * position + uniform(0, k + 1), equal ones as they stood, so that no token moves further
 * than k places (Lample et al. 2018, arXiv:1711.00043) source_switch  of N tokens n are
 * replaced, with P(n) ~ exp(-n / temperature) for target_switch  n = 0 .. N; which ones
 * is uniform, and so is what by: any token but the one that stood there and the end of
 * text.  SwitchOut (Wang, Pham, Dai, Neubig 2018, arXiv:1808.07512), its Hamming distance
 * drawn first source_mask    each token becomes the mask with probability p source_drop
 * each token is left out with probability p; when all would be, the one whose random
 * number is largest stays join           a pair and the one behind it become one example
 * with probability p (Kondo, Hotate, Hirasawa, Kaneko, Komachi 2021, arXiv:2104.08478)
 *
 * Merges first, for the others leave no text; joined is last, so that what becomes of a
 * pair does not depend on its neighbours.  A target is both what is predicted and, one
 * further, what the decoder reads: the slices hold it once.  So only what leaves it a
 * sequence to be learned is done to targets, and to the text of a decoder alone: a target
 * masked, shuffled or with gaps would teach the mask, the disorder, the gaps.  Noise on
 * what the decoder reads alone is model.dropout_word.
 *
 * A transform is a row of the table in augment.c.
 *
 * What comes out is a function of (seed, sample number, transform, position) and of the
 * tokens, through Philox: the same whoever asks, when, and how often.  Part of the
 * determinism contract.  Encoding needs the tokenizer: one thread at a time.
 */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/philox.h"
#include "conf/conf.h"
#include "text/ids.h"
#include "text/tokenizer.h"

enum augment_side { AUGMENT_SOURCE, AUGMENT_TARGET };

struct augment { /* private */
    struct conf_augment how;
    uint64_t seed;
    struct philox_key key;
    struct tokenizer *tokenizer; /* borrowed */
    uint32_t vocab, mask;
    uint32_t end; /* of text; vocab: there is none */
};

/* ERR_CONFIG, logged: there is no token augment.mask_id. */
int augment_init(struct augment *a, const struct conf *conf, struct tokenizer *t);

/* ids  <-  what becomes of them.  @sample numbers them through the run, below 2^63.
 * Merges left out make more tokens of a text; where that would be more than @most, or, as
 * it may be in rare cases, fewer than there were, it stays.  Nothing else lengthens, and
 * nothing shortens a target; at least one token, when there was one. */
void augment_words(const struct augment *a, enum augment_side side, uint64_t sample,
                   size_t most, struct ids *ids);

/* Whether sample @sample is to be joined with the one behind it. */
bool augment_joins(const struct augment *a, uint64_t sample);

#endif
