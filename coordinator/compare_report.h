/* compare_report.h - several runs side by side: as a table, as JSON, and one metric over
 * their steps as a picture. */
#ifndef COORDINATOR_COMPARE_REPORT_H
#define COORDINATOR_COMPARE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "checkpoint/run_dir.h"
#include "metrics/history.h"

struct compared {
    const char *dir, *name; /* borrowed */
    bool known;             /* has a status */
    struct run_status status;
    struct history history;
};

/* A row for each; below, what the status of those that failed or were stopped says. */
void compare_report_table(const struct compared *run, size_t n,
                          const struct history_metric *m, FILE *out);

/* One object; a number that there is none of is null:
 *   {"metric": "held_out_loss", "unit": "nats/token", "wanted": "low", "runs": [
 *     {"name": "a", "dir": "runs/a", "state": "done", "message": "...", "step": 300,
 *      "steps": 300, "last": 2.4974, "best": 2.4974, "best_step": 300,
 *      "tokens_per_second": 45100.5, "seconds": 6.8}, ...]} */
void compare_report_json(const struct compared *run, size_t n,
                         const struct history_metric *m, FILE *out);

struct compare_picture {
    unsigned smooth; /* each point is the mean of so many: of it and those before */
    bool log;        /* the metric's axis is logarithmic */
};

/* On a linear axis what is wanted low is cut off at twice the median of the lowest run,
 * or where that run began: what explodes must not flatten the others. */
void compare_report_svg(const struct compared *run, size_t n,
                        const struct history_metric *m, const struct compare_picture *p,
                        FILE *out);

#endif
