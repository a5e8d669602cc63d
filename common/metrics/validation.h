/* validation.h - how a version does on text that it is not trained on: one row for each
 * number by which it is judged, what has been the best of it, and for how long.
 *
 *      a value is better when it is finite and on the better side of the best so far
 *      stale     evaluations since the best
 *      patience  is over when so many of them were stale: for any metric, or for all
 *
 * Part of state.json of a checkpoint, so that a restart decides as the run would have.
 * Pure functions.
 */
#ifndef METRICS_VALIDATION_H
#define METRICS_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum validation_metric { VALIDATION_HELD_OUT_LOSS, VALIDATION_BLEU, VALIDATION_METRICS };

extern const struct validation_row {
    const char *name;  /* in files; there are best_NAME and stale_NAME, too */
    const char *step;  /* in files: that of the best */
    const char *title; /* in sentences */
    bool higher;       /* is better */
} validation_rows[VALIDATION_METRICS];

struct validation_mark {
    double last, best;  /* NAN: none yet */
    uint64_t best_step; /* UINT64_MAX: none */
    uint32_t stale;
};

struct validation {
    uint64_t step; /* of the newest evaluation; UINT64_MAX: none yet */
    struct validation_mark mark[VALIDATION_METRICS];
};

void validation_init(struct validation *v);

/* The version @step was evaluated; NAN: not measured. */
void validation_take(struct validation *v, uint64_t step,
                     const double value[VALIDATION_METRICS]);

/* Is the newest the best? */
bool validation_is_best(const struct validation *v, enum validation_metric m);

/* Is patience over?  Of marks [n], without those of which there was never a value.
 * @patience 0: it never is. */
bool validation_over(const struct validation_mark *mark, size_t n, uint32_t patience,
                     bool all);

#endif
