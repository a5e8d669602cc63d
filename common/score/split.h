/* split.h - a sentence as the metrics see it: words between white space, or characters
 * without it.
 *
 * White space is what Python's str.split() takes for it: Unicode's, and U+001C to U+001F.
 * Any bytes: one that is not part of valid UTF-8 is a character of its own, above all of
 * Unicode's, since what a model says may be cut anywhere.
 *
 * Pure functions, any thread.  What they return is freed with mem_free().
 */
#ifndef SCORE_SPLIT_H
#define SCORE_SPLIT_H

#include "text/tokenizer.h"

/* Length, at least 1, of the character at @at, of which @left > 0 bytes exist. */
size_t split_next(const char *at, size_t left, uint32_t *code);

struct span split_trim_end(struct span text); /* without white space at its end */

struct span *split_words(struct span text, size_t *n); /* they point into @text */

uint32_t *split_characters(struct span text, size_t *n);

#endif
