/* tokenizer_draft.h - tokens and merges while they are read from files, which may say
 * anything; for the files tokenizer*.c only.
 *
 *      draft_init, draft_special for each special token, draft_vocab, draft_pieces,
 *      draft_merge for each merge, draft_take; draft_fini in any case
 *
 * Each step checks what it adds and logs the first thing that is wrong, with the file
 * and the number of the token or merge: ERR_DATA.
 */
#ifndef TEXT_TOKENIZER_DRAFT_H
#define TEXT_TOKENIZER_DRAFT_H

#include <jansson.h>

#include "text/tokenizer_parts.h"

struct draft_piece {
    char *bytes; /* NULL: not yet said */
    size_t n;
    bool special;
};

struct draft {
    const char *path; /* borrowed, for messages */
    struct draft_piece *by_id;
    size_t vocab;
    struct intern *pieces;
    struct pairs *pairs;
    struct bpe_merge *merges;
    size_t merges_n, merges_room;
};

/* @vocab: how many tokens there will be. */
int draft_init(struct draft *d, size_t vocab, const char *path);
void draft_fini(struct draft *d);

int draft_special(struct draft *d, const char *content, size_t n, const json_t *id);

/* The object token -> id. @mapped: tokens are bytes in the form of bytemap.h, else plain
 * text.  A special token may be named again under its own id. */
int draft_vocab(struct draft *d, json_t *vocab, bool mapped);

/* Closes the list of tokens: every id is there, no two have the same bytes. */
int draft_pieces(struct draft *d);

/* Merge number @number, from 1, of the list, "left right", in the form of bytemap.h. */
int draft_merge(struct draft *d, size_t number, const char *text, size_t n);

/* [vocab], to be freed with mem_free(). */
bool *draft_special_flags(const struct draft *d);

int draft_take_bpe(struct draft *d, struct tokenizer **t);

#endif
