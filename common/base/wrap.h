/* wrap.h - text in lines of a terminal. */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include <stdio.h>

enum { WRAP_COLUMNS = 80 };

/* Writes the words of @text from column @indent on, where @out is and where all further
 * lines begin, too; a line ends before the word that would go beyond WRAP_COLUMNS.  No
 * line end behind the last word. */
void wrap_words(FILE *out, const char *text, int indent);

#endif
