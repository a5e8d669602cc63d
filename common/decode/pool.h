/* pool.h - threads that translate, one batch each at a time.
 *
 *      pool_start(p, &job);                 any number of jobs
 *      while (!pool_wait(p, &job, 100)) ... until it is done
 *
 * Jobs are begun in the order of their start.  What comes out does not depend on how many
 * threads there are.
 *
 * Rules: 1. one thread calls these functions; 2. a job and all it points to stay where
 * they are until it is done; 3. theta is not changed while there are jobs.
 */
#ifndef DECODE_POOL_H
#define DECODE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "decode/translate.h"

struct pool;

struct pool_job {
    const struct sentence *sources; /* [n] */
    size_t n;
    struct translations *out; /* [n]: nothing when err */
    int err;                  /* of translate(), or ERR_STOPPED */
    /* private */
    bool done;
    struct pool_job *next;
};

struct pool_options {
    const struct transformer *model; /* borrowed */
    const float *theta;              /* borrowed */
    struct translate_options translate;
    size_t sentences, rows; /* of a job at most, see translator_new() */
    unsigned threads;
};

/* Threads block all signals. */
struct pool *pool_new(const struct pool_options *o);
/* Waits for jobs that were begun; all others must have been stopped or waited for. */
void pool_free(struct pool *p);

void pool_start(struct pool *p, struct pool_job *job);
/* Is it done?  Waits up to @ms for it. */
bool pool_wait(struct pool *p, struct pool_job *job, unsigned ms);
/* Jobs not begun yet are done, with ERR_STOPPED. */
void pool_stop(struct pool *p);

#endif
