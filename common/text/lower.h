/* lower.h - text in lower case, whatever the locale: Unicode's simple mappings, character
 * by character, and the one of U+0130 (I with a dot), which becomes two characters.  A
 * capital sigma becomes the sigma inside a word, also at its end.
 *
 * Any bytes: what is not valid UTF-8 stays as it is.  Pure functions, any thread.
 */
#ifndef TEXT_LOWER_H
#define TEXT_LOWER_H

#include <stddef.h>
#include <stdint.h>

uint32_t lower_code(uint32_t code); /* itself when it has no other */

/* To be freed with mem_free(). */
char *lower_text(const char *text, size_t bytes, size_t *lower_bytes);

#endif
