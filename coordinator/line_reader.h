/* line_reader.h - a file of sentences, one line after the other, as they come: what is
 * said in a pipe can be answered before it ends.  White space at the ends of a line is
 * not part of it. */
#ifndef COORDINATOR_LINE_READER_H
#define COORDINATOR_LINE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text/tokenizer.h"

enum { LINE_READER_MAX = 1 << 20 /* bytes of a line */ };

struct line_reader {
    const char *path; /* read-only, as all here; borrowed */
    uint64_t number;  /* of the line read last, from 1 */
    bool at_end;
    /* private */
    FILE *file;
    char *text;
    size_t room;
};

/* "-" is standard input.  ERR_NO_FILE, ERR_IO, logged. */
int line_reader_open(struct line_reader *r, const char *path);
void line_reader_close(struct line_reader *r);

/* The next line, borrowed until the next call; or r->at_end and no line.  Logged with the
 * line: ERR_IO; ERR_DATA: too long, a zero byte, not UTF-8.  ERR_STOPPED (not logged): a
 * signal came while it waited. */
int line_reader_next(struct line_reader *r, struct span *line);

#endif
