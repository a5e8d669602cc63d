/* sentences.h - files of sentences, one a line, which belong together line by line. */
#ifndef COORDINATOR_SENTENCES_H
#define COORDINATOR_SENTENCES_H

#include "text/tokenizer.h"

struct sentences {
    const char *path; /* borrowed */
    char *text;
    struct span *lines; /* without their ends; they point into the text */
    size_t n;           /* at least 1 */
};

/* A file, plain or gzip; "-" is standard input.  Logged: ERR_NO_FILE, ERR_IO; ERR_DATA:
 * nothing in it, bad UTF-8 (with its line), damaged gzip, more than @limit bytes; then
 * there is nothing to free. */
int sentences_read(struct sentences *s, const char *path, size_t limit);
void sentences_fini(struct sentences *s);

/* ERR_DATA, logged with the first line that has no partner, unless both have as many. */
int sentences_pair(const struct sentences *a, const struct sentences *b);

#endif
