/* dataset.h - the folder that `lockstep prepare` writes:
 *
 *      train.tokens  held_out.tokens  tokenizer.json
 *
 * tokenizer.json appears last and goes first when the folder is written anew, so a folder
 * that has it is complete; both token files name the tokenizer by its hash.
 *
 * Read-only once open, except that encoding needs the tokenizer for one thread.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/tokens.h"
#include "text/tokenizer.h"

#define DATASET_TRAIN     "train.tokens"
#define DATASET_HELD_OUT  "held_out.tokens"
#define DATASET_TOKENIZER "tokenizer.json"

struct dataset {
    struct tokens *train, *held_out;
    struct tokenizer *tokenizer;
};

/* Logged: ERR_NO_FILE; ERR_DATA, ERR_CORRUPT as of tokens_open() and tokenizer_load();
 * ERR_DATA when the three do not belong together. */
int dataset_open(struct dataset *d, const char *dir);
void dataset_close(struct dataset *d);

#endif
