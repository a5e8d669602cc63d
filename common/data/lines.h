/* lines.h - files of sentences, one a line, which belong together line by line. */
#ifndef DATA_LINES_H
#define DATA_LINES_H

#include "text/tokenizer.h"

struct lines {
    const char *path; /* borrowed */
    char *text;
    size_t bytes;
    struct span *line; /* [n], without their ends; they point into the text */
    size_t n;          /* at least 1 */
};

/* A file, plain or gzip; "-" is standard input.  Logged: ERR_NO_FILE, ERR_IO; ERR_DATA:
 * nothing in it, bad UTF-8 (with its line), damaged gzip, more than @limit bytes; then
 * there is nothing to free. */
int lines_read(struct lines *s, const char *path, size_t limit);
void lines_fini(struct lines *s);

/* ERR_DATA, logged with the first line that has no partner, unless both have as many. */
int lines_pair(const struct lines *a, const struct lines *b);

#endif
