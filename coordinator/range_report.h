/* range_report.h - a learning-rate range test for people and programs: a table or JSON,
 * lr.jsonl with every step, lr.svg with the curve. */
#ifndef COORDINATOR_RANGE_REPORT_H
#define COORDINATOR_RANGE_REPORT_H

#include <stdio.h>

#include "optim/range_test.h"

/* A dozen rows; what is proposed and how to set it, or why nothing is. */
void range_report_table(const struct range_test *t, const struct range_proposal *p,
                        FILE *out);

/* One object on one line:
 *   {"verdict": "found", "option": "optim.lr", "value": 0.00068,
 *    "steepest": ..., "smallest": ..., "steps": 171, "diverged": true}
 * value, steepest and smallest - rates - are null where nothing is proposed.  Verdicts:
 * found, open (the loss still fell at the largest rate), flat, short. */
void range_report_json(const struct range_test *t, const struct range_proposal *p,
                       FILE *out);

/* DIR/lr.jsonl: {"step": 1, "rate": ..., "loss": ..., "smoothed": ...} per line, null for
 * what is not finite; DIR/lr.svg.  ERR_*, logged. */
int range_report_files(const char *dir, const struct range_test *t,
                       const struct range_proposal *p);

#endif
