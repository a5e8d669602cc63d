/* scaling.h - how the speed of a training grows with its workers, from short runs of it.
 *
 *      strong   the batch is the same for all counts
 *      weak     batch and slices grow with the workers: each slice is as large as before
 *
 * A point is a count of workers in one of the modes, measured in several runs.  With
 * r_i(n) the tokens/s of its i-th run, and b the fewest workers that were measured,
 *
 *      speed-up(n) = median over i of r_i(n) / r_i(b)      efficiency(n) = speed-up * b /
 * n
 *
 * Runs of one number are neighbours in time: what slows the machine for a while slows
 * both.
 *
 * Crowded.  On every host the compute threads of its workers must not be more than its
 * cores; else the point shows behaviour, not scaling, and has no speed-up, efficiency or
 * share of the peak.  The coordinator counts as no thread: it sleeps while the workers
 * compute (1.9 % of a core, tests/README.md), and while it updates they wait for it.
 *
 * The least that an exact synchronous parameter server with one coordinator moves in a
 * step: every worker that has something to compute gets the parameters once and gives one
 * partial.
 *
 * Pure functions.
 */
#ifndef COORDINATOR_SCALING_H
#define COORDINATOR_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/roofline.h"

enum { SCALING_NAME = 64, SCALING_COUNTS = 64 };

enum scaling_mode { SCALING_STRONG, SCALING_WEAK, SCALING_MODES };
const char *scaling_mode_name(enum scaling_mode m); /* "strong", "weak" */

/* What is measured when nobody says: the powers of 2 below @slots (at least 1), and
 * @slots itself.  Returns how many. */
size_t scaling_counts(unsigned slots, unsigned count[SCALING_COUNTS]);

/* The slowest worker of a run. */
struct scaling_slow {
    unsigned worker;         /* its rank; 0: unknown */
    char host[SCALING_NAME]; /* and its process: "node07 pid 4711" */
    double share;            /* of the median speed */
};

/* A short training, of its steps after those to warm up. */
struct scaling_run {
    uint64_t key;             /* of everything that decides its speed */
    unsigned workers, repeat; /* repeat: 1, 2, ... */
    char name[SCALING_NAME];  /* of its files */
    double wall;              /* when it began; seconds since 1970 */
    double seconds;           /* from start to end of all processes */
    double tokens_per_second;
    struct roofline_step step; /* mean of a step */
    double flops_per_token;
    double thread_flops;   /* measured product rate of one thread, FLOP/s */
    unsigned most_on_host; /* workers */
    struct scaling_slow slow;
};

/* What a point is measured with. */
struct scaling_config {
    enum scaling_mode mode;
    unsigned workers, threads; /* threads: of each worker */
    uint64_t batch, slices;
    uint64_t key;
};

/* What is the same for all points. */
struct scaling_facts {
    unsigned cores;    /* of a host; of several the fewest */
    double parameters; /* of the model */
    enum wire wire;    /* of partials */
};

struct scaling_spread {
    size_t n; /* 0: all others are NAN */
    double median, low, high;
};

/* Sorts @value [n]. */
struct scaling_spread scaling_spread(double *value, size_t n);

enum scaling_limit {
    SCALING_COMPUTE,     /* the workers compute */
    SCALING_SLICES,      /* a fifth of the threads' time has no slice to compute */
    SCALING_LINK,        /* partials on their way in take a fifth of a step */
    SCALING_SHARED,      /* computing takes a fifth of a step longer than with the fewest
                            workers: memory, cores that others use, too, or the link that
                            parameters leave by */
    SCALING_COORDINATOR, /* the update takes a fifth */
    SCALING_STRAGGLER,   /* in most runs the same worker has less than 4/5 of the median
                            speed */
    SCALING_CORES,       /* crowded */
    SCALING_LIMITS
};
const char *scaling_limit_name(enum scaling_limit l); /* "compute", "link", ... */

struct scaling_point {
    struct scaling_config config;
    struct scaling_spread rate; /* tokens/s; n: runs, 0: not measured */
    bool crowded;
    unsigned over;                  /* workers of the point that speed_up is over */
    struct scaling_spread speed_up; /* n 0: none */
    double efficiency, flops_share; /* NAN: none */
    struct roofline_step step;      /* median over the runs */
    double received_least, sent_least;
    enum scaling_limit limit;
    struct scaling_slow slow; /* of SCALING_STRAGGLER */
};

/* point [n]  <-  config [n], run [runs]; a run belongs to every point of its key. */
void scaling_points(struct scaling_point *point, const struct scaling_config *config,
                    size_t n, const struct scaling_run *run, size_t runs,
                    const struct scaling_facts *facts);

/* The best product rate of one thread that any of the runs has measured; NAN: none. */
double scaling_thread_flops(const struct scaling_run *run, size_t runs);

#endif
