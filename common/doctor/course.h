/* course.h - the course of a run: log.jsonl read back whole, as what the rules look at.
 *
 * What is a line is in metrics/jsonl_read.h, and beyond it:
 *
 * 1. A line of statistics whose tensors or blocks are not those of the first is counted
 *    and left out.
 * 2. A run that went back wrote steps again.  What was written last is the run: what lies
 *    at or behind the step of a new "step" line is dropped.
 * 3. A number that is null, missing or not finite is NAN.
 *
 * So steps ascend, and so do those of evaluations and statistics.  Memory is bounded by
 * the file.
 */
#ifndef DOCTOR_COURSE_H
#define DOCTOR_COURSE_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/statistics.h"

struct course_step {
    uint64_t step; /* of the version that it made, from 1 */
    double loss, rate, norm, clip, tokens;
    double first_sample, last_sample; /* NAN: nobody told them */
};

struct course_evaluation {
    uint64_t step;
    double loss;
};

struct course_statistics {
    uint64_t step;
    double accuracy;
    struct noise_statistics noise;
    struct tensor_statistics *tensor; /* [tensors] */
    struct block_statistics *block;   /* [blocks]; NULL: nobody told them */
};

struct course_block {
    char stack[16]; /* encoder, decoder */
    uint64_t number;
};

struct course {
    struct course_step *step; /* [steps] */
    size_t steps;
    struct course_evaluation *evaluation; /* [evaluations] */
    size_t evaluations;
    struct course_statistics *statistics; /* [examined] */
    size_t examined;
    char **name; /* [tensors], the same in all statistics */
    size_t tensors;
    struct course_block *at; /* [blocks] */
    size_t blocks;
    uint64_t skipped, last_skipped; /* steps without an update: not finite; the last */
    uint64_t bad, first_bad;        /* lines that were left out; number of the first */
    char *end; /* why it ended, of the last start; NULL: it did not say */
};

/* ERR_NO_FILE, ERR_IO, logged; then there is nothing to free. */
int course_read(struct course *c, const char *path);
void course_fini(struct course *c);

#endif
