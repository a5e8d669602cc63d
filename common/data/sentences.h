/* sentences.h - parallel text as people have it: two files whose lines belong together,
 * or one with a tab in each line; plain or gzip, UTF-8.
 *
 * A line ends with a newline, the last one with or without.  White space of ASCII at both
 * ends of a sentence is not part of it, which includes the carriage return of a line that
 * ends with two characters.  A pair with an empty sentence is left out; who uses the
 * others may leave out more.  What was left out is counted by reason, with the first
 * places, so that it can be said.
 */
#ifndef DATA_SENTENCES_H
#define DATA_SENTENCES_H

#include <stddef.h>
#include <stdint.h>

#include "data/lines.h"
#include "text/tokenizer.h"

struct sentences_input {
    const char *source;
    const char *target; /* NULL: each line of @source is a source, a tab, its target */
};

struct sentence_pair {
    struct span source, target;          /* not empty; borrowed from the sentences */
    const struct sentences_input *input; /* borrowed from the caller of read */
    uint64_t line;                       /* from 1 */
};

enum left_out_reason {
    LEFT_OUT_EMPTY_SOURCE, /* perhaps an empty target, too */
    LEFT_OUT_EMPTY_TARGET,
    LEFT_OUT_TOO_LONG,
    LEFT_OUT_REASONS
};

enum { LEFT_OUT_NAMED = 5 /* pairs whose place is said, per reason */ };

struct left_out {
    uint64_t n;
    struct {
        const char *path;
        uint64_t line;
    } first[LEFT_OUT_NAMED];
};

struct sentences {
    struct sentence_pair *all; /* read-only, as n and bytes */
    size_t n;
    uint64_t bytes; /* of these sentences, both sides */
    struct left_out left_out[LEFT_OUT_REASONS];
    /* private */
    struct lines *files;
    size_t files_n, room;
};

/* Logged: ERR_NO_FILE, ERR_IO; ERR_DATA: an empty file, bad UTF-8, two files of other
 * numbers of lines, a line that has not one tab, damaged gzip, more than @limit bytes. */
int sentences_read(struct sentences *s, const struct sentences_input *inputs, size_t n,
                   uint64_t limit);
void sentences_fini(struct sentences *s);

void sentences_leave_out(struct sentences *s, enum left_out_reason reason,
                         const struct sentence_pair *pair);

/* Logs a warning for each reason that occurred. @max_length: tokens, what too long is. */
void sentences_report(const struct sentences *s, uint32_t max_length);

#endif
