/* line.h - inside metrics: a line of log.jsonl, made and written.  Not for others. */
#ifndef METRICS_LINE_H
#define METRICS_LINE_H

#include <jansson.h>
#include <stdint.h>

#include "metrics/metrics.h"

/* {"time":..., "event":..., "step":...}; the caller adds to it and has it written. */
json_t *line_begin(const char *event, uint64_t step);
/* @line is the file's from now on. */
void line_write(struct jsonl *j, json_t *line);

#endif
