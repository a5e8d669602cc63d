/* dataset.h - the folder that `lockstep prepare` writes, of one of two kinds:
 *
 *      train.tokens  held_out.tokens  tokenizer.json       a text
 *      train.pairs   held_out.pairs   tokenizer.json       a parallel text
 *
 * tokenizer.json appears last and goes first when the folder is written anew, so a folder
 * that has it is complete; both other files name the tokenizer by its hash.  The
 * tokenizer of a parallel text is one for both sides and has an end of text, which ends
 * its sentences.
 *
 * Read-only once open, except that encoding needs the tokenizer for one thread.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/parallel.h"
#include "data/tokens.h"
#include "text/tokenizer.h"

#define DATASET_TRAIN          "train.tokens"
#define DATASET_HELD_OUT       "held_out.tokens"
#define DATASET_TRAIN_PAIRS    "train.pairs"
#define DATASET_HELD_OUT_PAIRS "held_out.pairs"
#define DATASET_TOKENIZER      "tokenizer.json"

struct dataset {                                   /* of one kind; the other's are NULL */
    struct tokens *train, *held_out;               /* a text */
    struct parallel *train_pairs, *held_out_pairs; /* a parallel text */
    struct tokenizer *tokenizer;
};

/* Logged: ERR_NO_FILE; ERR_DATA, ERR_CORRUPT as of tokens_open(), parallel_open() and
 * tokenizer_load(); ERR_DATA when the three do not belong together, or when the folder
 * has files of both kinds. */
int dataset_open(struct dataset *d, const char *dir);
void dataset_close(struct dataset *d);

#endif
