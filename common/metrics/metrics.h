/* metrics.h - what a run measures (table: metrics.def), and the file log.jsonl.
 *
 * One JSON object per line: "time" (seconds since 1970), "event", "step", then the
 * metrics that are given, null for NAN, then a text.  Lines are written whole and
 * appended on resume.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdint.h>

struct metrics {
#define METRIC(field, ...) double field;
#include "metrics/metrics.def"
#undef METRIC
};

void metrics_unknown(struct metrics *m); /* all NAN */

struct jsonl;

/* Appends to @path.  ERR_IO ..., logged.  A failed write is logged once and then ignored:
 * the log must not stop the training. */
int jsonl_open(const char *path, struct jsonl **j);
void jsonl_close(struct jsonl *j);

/* Fields that are NAN are left out unless @event is "step", which has loss, learning
 * rate, gradient norm, clip coefficient, tokens per second, flops, flops share and time
 * left always. @text may be NULL. */
void jsonl_write(struct jsonl *j, const char *event, uint64_t step,
                 const struct metrics *m, const char *text);

#endif
