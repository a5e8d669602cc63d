/* symbol.h - the symbols of words that are separated by spaces, as subword-nmt writes
 * them (Sennrich, Haddow, Birch 2016): one character or several; the last symbol of a
 * word has
 * "</w>" behind it.  "low" is l o w</w>, and after a merge l ow</w>.
 *
 * Always true: no symbol but the last of a word ends in "</w>", whatever the text says,
 * so that a symbol's own bytes tell whether it is one.
 *
 * A line feed is a word, the one symbol "\n</w>", which merges with nothing.
 *
 * Pure functions, any thread.
 */
#ifndef TEXT_SYMBOL_H
#define TEXT_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/utf8.h"

#define SYMBOL_END  "</w>"
#define SYMBOL_LINE "\n" SYMBOL_END

enum { SYMBOL_CHARACTER = UTF8_BYTES + sizeof SYMBOL_END - 1 /* bytes, at most */ };

bool symbol_is_last(const char *symbol, size_t n);

/* Bytes of text it stands for: without the mark. */
size_t symbol_text(const char *symbol, size_t n);

/* Whether it can stand in a word: there is text, without zero byte, space and line end.
 */
bool symbol_valid(const char *symbol, size_t n);

/* The bytes of a character as a symbol; returns how many. */
size_t symbol_character(const char *text, size_t n, bool last,
                        char out[SYMBOL_CHARACTER]);

#endif
