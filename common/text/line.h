/* line.h - text that is one line of a file of sentences. */
#ifndef TEXT_LINE_H
#define TEXT_LINE_H

#include <stddef.h>

#include "text/tokenizer.h"

/* Without the white space of ASCII at both ends. */
struct span line_trim(struct span text);

/* What a model says may be any bytes: as a line, valid UTF-8 and without white space at
 * its ends.  Ends of lines in it become spaces, and each byte that is no UTF-8 U+FFFD.
 * To be freed with mem_free(). */
char *line_clean(struct span text, size_t *bytes);

#endif
