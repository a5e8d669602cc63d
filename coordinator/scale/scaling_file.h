/* scaling_file.h - scale.json: a scaling experiment for programs, and the memory of one
 * that goes on.
 *
 * Read back are only the runs:
 *
 * 1. "format" is 1 and "runs" is a list of objects.
 * 2. A run has a key of 16 hexadecimal digits, workers and repeat from 1 to 4095, and
 *    numbers that are finite and not negative where scaling_run_json() writes numbers;
 * its texts fit.
 *
 * A file that is otherwise is refused whole: ERR_DATA, logged, with what to do.
 */
#ifndef COORDINATOR_SCALING_FILE_H
#define COORDINATOR_SCALING_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "coordinator/scale/scaling.h"

enum { SCALING_FORMAT = 1, SCALING_KEY = 17 };

/* 16 digits. */
char *scaling_key_text(uint64_t key, char text[SCALING_KEY]);

/* To be freed with json_decref(). */
json_t *scaling_run_json(const struct scaling_run *run);

/* Runs for which @wanted: run [n], to be freed with mem_free().  The others: *others, to
 * be freed with json_decref().  No file: none of either.  ERR_DATA, ERR_IO ..., logged.
 */
int scaling_file_read(const char *path,
                      bool (*wanted)(void *ctx, const struct scaling_run *run), void *ctx,
                      struct scaling_run **run, size_t *n, json_t **others);

#endif
