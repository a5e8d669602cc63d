/* tokenizer_parts.h - what a tokenizer consists of; for the files tokenizer*.c only.
 *
 * Always true: pieces differ from one another and none is empty; piece number i is token
 * i; 0 < V <= TOKENIZER_VOCAB_MAX.  byte: no other part.  char: each piece is one code
 * point.  bpe: each byte is a piece, and no special token takes part in a merge.
 */
#ifndef TEXT_TOKENIZER_PARTS_H
#define TEXT_TOKENIZER_PARTS_H

#include "text/bpe.h"
#include "text/intern.h"
#include "text/tokenizer.h"

#define END_OF_TEXT "<|endoftext|>"

struct tokenizer {
    enum tokenizer_kind kind;
    struct intern *pieces;
    struct bpe *bpe;   /* bpe */
    bool *special;     /* bpe: [V] tokens that text never encodes to */
    uint32_t end;      /* bpe: the special token <|endoftext|>, or INTERN_NONE */
    uint32_t *char_id; /* char: [UTF8_CODES], INTERN_NONE for those that have no token */
};

/* These take @pieces over, also when they fail. @origin names the file in messages. */

/* ERR_DATA when a piece is not one code point. */
int tokenizer_from_chars(struct intern *pieces, const char *origin, struct tokenizer **t);

/* ERR_DATA when a byte has no token. Takes over @special as well; copies @merges, whose
 * pairs differ and whose tokens are all there and not special. */
int tokenizer_from_merges(struct intern *pieces, bool *special,
                          const struct bpe_merge *merges, size_t n, const char *origin,
                          struct tokenizer **t);

/* The text of tokenizer.json, to be freed with free(). */
char *tokenizer_write(const struct tokenizer *t, size_t *bytes);

#endif
