/* jsonl_read.h - log.jsonl read back, line by line.
 *
 * A log may be of a run that goes on, that died, or that was edited by hand:
 *
 * 1. A last line without its end is still being written; it is left out.
 * 2. A line that is no object with an event and a step, or that has more than 16 MiB, is
 *    counted and left out; so is one that the caller does not want.
 */
#ifndef METRICS_JSONL_READ_H
#define METRICS_JSONL_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct jsonl_line { /* borrowed, for as long as the call lasts */
    const char *event;
    uint64_t step;
    const json_t *json; /* the whole line */
};

struct jsonl_bad {
    uint64_t n, first; /* lines that were left out; number of the first, from 1 */
};

/* Gives each line of @path to @take, in their order; false: not a line that is wanted.
 * ERR_NO_FILE, ERR_IO, logged; lines may have been taken by then. */
int jsonl_read(const char *path, bool (*take)(void *ctx, const struct jsonl_line *line),
               void *ctx, struct jsonl_bad *bad);

/* NAN: null, missing, or no number. */
double jsonl_number(const json_t *of, const char *key);

#endif
