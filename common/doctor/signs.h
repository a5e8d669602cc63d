/* signs.h - what a course looks like, in numbers: what several rules ask for is worked
 * out once.
 *
 * `smooth` is the loss averaged over about a twentieth of the run around each step, which
 * takes the noise of the batches out.  A spike is a step whose loss lies more than
 * SPIKE_SIGMA scatters above the median of the up to SPIKE_WINDOW steps before it (llm.c
 * and MaxText ask for 128 and 6 sigma), or the log of whose gradient's norm, which has
 * the longer tail, more than twice as many; scatter is 1.4826 times the median deviation,
 * which the spikes themselves do not widen.  A tensor's ratio is update / weight; that of
 * a step is the median over its matrices.
 *
 * A sign that there is none of is NAN.  Functions of the course alone.
 */
#ifndef DOCTOR_SIGNS_H
#define DOCTOR_SIGNS_H

#include <stddef.h>
#include <stdint.h>

#include "doctor/course.h"

enum { SPIKE_WINDOW = 128, SPIKE_SIGMA = 6, SPIKES_NAMED = 8 };

struct spike {
    uint64_t step;
    double loss, norm, loss_sigma, norm_sigma; /* how far out, in scatters */
    double first_sample, last_sample;
};

struct depth { /* of one number over the blocks of the stack where it varies most */
    size_t low, high; /* blocks, as in course.at */
    double ratio;     /* largest / smallest */
};

struct signs {
    double *smooth; /* [steps of the course] */
    size_t window;  /* steps that it averages over */
    /* the loss */
    double first, best, last, peak; /* first: of the first step; the others smoothed */
    size_t best_at;                 /* index */
    double mid_fall, late_fall;     /* smoothed, in the third and in the last quarter */
    double scatter; /* of the loss around the smoothed, in the second half */
    size_t not_finite, first_not_finite; /* steps; the first one's index */
    struct spike spike[SPIKES_NAMED];
    size_t spikes; /* all of them; the first SPIKES_NAMED are named */
    /* the update */
    double clipped, clip; /* share of clipped steps, median factor, without the first
                             tenth */
    double ratio;      /* median over the examined steps at half the peak rate or more */
    double ratio_peak; /* the largest, without the first step examined */
    uint64_t ratio_at; /* step of it */
    /* held-out loss */
    size_t held_out_best; /* index of an evaluation */
    double held_out_rise; /* of the last evaluation over the best */
    double train_fall;    /* of the smoothed loss from the best evaluation to the last */
    /* what was examined */
    struct depth gradient, stream; /* of the first step examined */
    double noise;    /* scale / tokens of a step, from a tenth to the half of the run */
    double accuracy; /* mean over the last quarter, at least of the last one */
};

void signs_take(struct signs *s, const struct course *c);
void signs_fini(struct signs *s);

/* Of n values, which are put in order; NAN when there is none. */
double signs_median(double *values, size_t n);

/* Median of a block's number over the second half of the examined steps: @field is its
 * offset in struct block_statistics. */
double signs_block(const struct course *c, size_t block, size_t field);

/* Is it a matrix, or one of the vectors of norms and biases?  By its name. */
int signs_is_matrix(const char *name);

#endif
