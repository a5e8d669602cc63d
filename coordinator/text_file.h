/* text_file.h - a file of a report: written in memory, then whole or not at all.
 *
 *      text_file_open(&t);   fprintf(t.out, ...);   text_file_write(&t, dir, name);
 */
#ifndef COORDINATOR_TEXT_FILE_H
#define COORDINATOR_TEXT_FILE_H

#include <stddef.h>
#include <stdio.h>

struct text_file {
    char *data; /* private, like bytes */
    size_t bytes;
    FILE *out;
};

void text_file_open(struct text_file *t);
/* Ends it, whatever is returned: ERR_IO, logged. */
int text_file_write(struct text_file *t, const char *dir, const char *name);

#endif
