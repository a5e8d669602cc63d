/* subword.h - text that was split into words before, as tokens: subword-nmt's apply-bpe
 * (Sennrich, Haddow, Birch 2016, arXiv:1508.07909), where "low@@ er" is low er</w> here.
 *
 * A word between spaces begins as its characters, the last one marked (symbol.h);
 * merger.h joins them.  A symbol that has a token gives it.  One that has none - a merge
 * that the training text never stopped at - is taken apart again into the two it was made
 * of, and so on; a character without a token gives the token <unk>.  (As apply-bpe does
 * with a vocabulary.)
 *
 * A line feed gives the token of "\n</w>" when there is one; else it only separates.
 *
 * Equal to subword-nmt, which joins a pair at all its places in a word at once, unless
 * two merges have one result: then the order within a word may differ.
 *
 * Words are cached, which makes encoding a matter for one thread at a time.
 */
#ifndef TEXT_SUBWORD_H
#define TEXT_SUBWORD_H

#include <stddef.h>
#include <stdint.h>

#include "text/intern.h"
#include "text/merger.h"

struct subword;

/* @symbols, borrowed, hold every character that shall be known, and those of the merges;
 * copies @merges, whose pairs differ.  No symbol has a token yet. */
struct subword *subword_new(const struct intern *symbols, const struct bpe_merge *merges,
                            size_t n, uint32_t unknown);
void subword_free(struct subword *s);

/* Before anything is encoded. */
void subword_name(struct subword *s, uint32_t symbol, uint32_t token);

/* Appends the tokens of @text, valid UTF-8 and shorter than 2 GiB. @dropout may be NULL;
 * its .word is the number of the first word, and advances.  With it there is no cache. */
void subword_encode(struct subword *s, const char *text, size_t bytes,
                    struct merge_dropout *dropout, struct ids *out);

size_t subword_merges(const struct subword *s);
struct pair subword_pair(const struct subword *s, size_t rank);

#endif
