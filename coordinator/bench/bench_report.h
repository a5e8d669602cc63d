/* bench_report.h - all that `lockstep bench` found, for people and for programs. */
#ifndef COORDINATOR_BENCH_REPORT_H
#define COORDINATOR_BENCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "coordinator/bench/bench_step.h"
#include "coordinator/bench/bench_table.h"

struct bench_report {
    const char *products, *rows; /* names of kernels */
    const char *link;            /* by which a step is predicted: "mpi" */
    unsigned threads, ranks;
    bool quick;
    uint64_t parameters, slice_rows, vocabulary;
    struct bench_costs costs;
    const struct bench_table *table; /* borrowed */
};

/* Was somebody else at work?  On a quiet machine the multiply-adds of one thread scatter
 * by a few percent; by BENCH_SCATTER or more none of the numbers can be trusted. */
#define BENCH_SCATTER 1.15
bool bench_report_disturbed(const struct bench_table *t);

/* The rows of BENCH_STEP, from the costs. */
void bench_report_step(struct bench_table *t, const struct bench_costs *c);

void bench_report_text(const struct bench_report *r, FILE *out);

/* One object:
 *   {"version": "0.1.0", "quick": false, "disturbed": false, "ranks": 1,
 *    "threads": 2, "kernels": {"products": "pairs", "rows": "v4"},
 *    "model": {"parameters": ..., "vocabulary": ..., "slices": ..., "slice_rows": ...},
 *    "rows": [...],                                                    bench_table_json()
 *    "step": {"link": "mpi", "seconds": ..., "tokens_per_second": ..., "compute": ...,
 *             "pull": ..., "push": ..., "coordinator": ...},
 *    "verdict": "..."} */
void bench_report_json(const struct bench_report *r, FILE *out);

#endif
