/* prepare_pairs.h - a parallel text becomes a dataset (dataset.h): what `lockstep
 * prepare` does with --source and --target, or --pairs.
 *
 * One tokenizer serves both sides; bpe learns it from the sources and targets that train.
 * It must have an end of text, which is the end of a sentence.  What a sentence is and
 * which pairs are left out: sentences.h; longer than max_length tokens, without the end
 * of the sentence, is left out too, on either side.  All that is left out is said.
 *
 * Held out are the files given for that, or else the last held_out share of the pairs
 * that have two sentences: int(pairs * (1 - held_out)) train.
 *
 * Names appear as prepare.h says.
 */
#ifndef DATA_PREPARE_PAIRS_H
#define DATA_PREPARE_PAIRS_H

#include "data/prepare.h"
#include "data/sentences.h"

#define PREPARE_MAX_LENGTH 1024 /* tokens, unless said otherwise */

struct prepare_pairs_options {
    struct prepare_options common; /* without files; held_out: without held-out inputs */
    const struct sentences_input *inputs; /* [inputs_n], at least one */
    size_t inputs_n;
    const struct sentences_input *held_out; /* [held_out_n], may be none */
    size_t held_out_n;
    uint32_t max_length; /* tokens, at least 1 */
};

/* Logged: ERR_INVALID, ERR_RANGE for options; ERR_NO_FILE, ERR_DATA for files;
 * ERR_NO_SPACE, ERR_IO for the results.  Logs a line per part when done. */
int prepare_pairs(const struct prepare_pairs_options *o);

#endif
