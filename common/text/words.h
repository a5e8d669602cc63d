/* words.h - how GPT-2 splits text before merging (Radford et al. 2019, encoder.py):
 *
 *      's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * The words of a text, joined, are the text.  A run of white space leaves its last
 * character to what follows.  \s is written out as Unicode's White_Space, because PCRE2's
 * own \s has U+180E in addition; letters and numbers are those of PCRE2's Unicode.
 *
 * Text must have passed utf8_check().  A struct words is for one thread at a time.
 */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words;

struct words *words_new(void);
void words_free(struct words *w);

/* Length, at least 1, of the word that begins at @at < @bytes.  ERR_DATA, logged, when
 * PCRE2 gives up. */
int words_next(struct words *w, const char *text, size_t bytes, size_t at,
               size_t *length);

/* The first place at or behind @from where the text may be cut in two without changing a
 * word: behind a line feed between two visible ASCII characters.  @bytes when there is
 * none. */
size_t words_cut(const char *text, size_t bytes, size_t from);

/* Words as subword-nmt takes them, of text that has been split before: runs of what is no
 * space and no line end.  A line feed is a word of its own.
 *
 *      for (size_t at = 0, n; words_spaced(text, bytes, &at, &n); at += n)
 *
 * False: there is no more word at or behind *at.  Any bytes. */
bool words_spaced(const char *text, size_t bytes, size_t *at, size_t *length);

/* As words_cut(): behind a space or a line feed. */
size_t words_spaced_cut(const char *text, size_t bytes, size_t from);

#endif
