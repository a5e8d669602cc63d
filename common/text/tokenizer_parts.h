/* tokenizer_parts.h - what a tokenizer consists of; for the files tokenizer*.c only.
 *
 * Always true: pieces differ from one another and none is empty; piece number i is token
 * i; 0 < V <= TOKENIZER_VOCAB_MAX.  byte: no other part.  char: each piece is one code
 * point.  bpe: each byte is a piece, and no special token takes part in a merge. subword:
 * a piece is the text of a symbol, with a space behind it when it is the last of a word;
 * the piece of a line feed is that alone.
 */
#ifndef TEXT_TOKENIZER_PARTS_H
#define TEXT_TOKENIZER_PARTS_H

#include "text/bpe.h"
#include "text/intern.h"
#include "text/subword.h"
#include "text/subword_merges.h"
#include "text/tokenizer.h"

#define END_OF_TEXT "<|endoftext|>"
#define UNKNOWN     "<unk>"

struct tokenizer {
    enum tokenizer_kind kind;
    struct intern *pieces;
    struct bpe *bpe;        /* bpe */
    struct intern *symbols; /* subword */
    struct subword *subword;
    bool *special;     /* bpe, subword: [V] tokens that text never says */
    uint32_t end;      /* the special token <|endoftext|>, or INTERN_NONE */
    uint32_t unknown;  /* subword: the special token <unk> */
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

/* ERR_DATA when a token cannot stand in a text, two stand for the same text, or there is
 * no special <unk>. @tokens as they stand in tokenizer.json. Takes over @special alone,
 * and the symbols of @m when it succeeds. */
int tokenizer_from_subwords(struct subword_merges *m, const struct intern *tokens,
                            bool *special, const char *origin, struct tokenizer **t);

/* Appends the tokens of @text. @dropout as in bpe.h; may be NULL. */
int tokenizer_encode_words(struct tokenizer *t, const char *text, size_t bytes,
                           struct merge_dropout *dropout, struct ids *out);

/* How tokenizer.json says that text is split at spaces; line feeds are words, or not. */
#define SPLIT_LINES                                                                      \
    "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": "   \
    "{\"Regex\": \"[ \\r]+\"}, \"behavior\": \"Removed\", \"invert\": false}, "          \
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\n\"}, \"behavior\": "            \
    "\"Isolated\", \"invert\": false}]}"
#define SPLIT_SPACES                                                                     \
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"[ \\r\\n]+\"}, \"behavior\": "     \
    "\"Removed\", \"invert\": false}"

/* The text of tokenizer.json, to be freed with free(). */
char *tokenizer_write(const struct tokenizer *t, size_t *bytes);

#endif
