/* history.h - log.jsonl read back: one metric of a run over its steps.
 *
 * What is a line is in metrics/jsonl_read.h, and beyond it:
 *
 * 1. A line without a time is counted and left out.
 * 2. A run that went back - after a death, say - wrote steps again.  What was written
 *    last is the run: points of the way that it gave up are dropped.
 * 3. A metric that is null at a step is NAN there: it was not finite, or not known.
 */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row of metrics.def. */
struct history_metric {
    const char *key, *unit, *text;
};

extern const struct history_metric history_metrics[];
extern const size_t history_metrics_n;

/* By its key in log.jsonl; NULL: there is none of that name. */
const struct history_metric *history_metric(const char *key);

/* Are losses and times wanted low, or is it one of the others? */
bool history_wants_low(const struct history_metric *m);

struct history {
    uint64_t *step; /* [n], ascending */
    double *value;  /* [n] */
    size_t n;
    uint64_t last_step; /* of any line */
    double seconds; /* from line to line, while the run was up; recomputed steps, too */
    double tokens_per_second; /* over all steps; NAN: none yet */
    uint64_t bad, first_bad;  /* lines that were left out; number of the first */
};

/* ERR_NO_FILE, ERR_IO, logged; then there is nothing to free. */
int history_read(struct history *h, const char *path, const struct history_metric *m);
void history_fini(struct history *h);

/* The place of the lowest or, by @m, the highest value, the first of equals; h->n when
 * none is finite. */
size_t history_best(const struct history *h, const struct history_metric *m);

#endif
