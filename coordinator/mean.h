/* mean.h - one model out of several checkpoints: the mean of their parameters (Polyak,
 * Juditsky 1992; of the last checkpoints of a run: Vaswani 2017, section 6.1).
 *
 *      theta = (theta_1 + ... + theta_n) / n       in double, rounded once
 *
 * They are added in the order of their steps, so the bits do not depend on the order in
 * which they were named.  All must be of one configuration (its SAME options), one
 * vocabulary and one tokenizer.  Functions log what is wrong.
 */
#ifndef COORDINATOR_MEAN_H
#define COORDINATOR_MEAN_H

#include "checkpoint/checkpoint.h"

struct mean_part {
    char *dir; /* of a good checkpoint, by its canonical path */
    struct checkpoint_state state;
};

struct mean {
    struct mean_part *part; /* [n]; from mean_pick_*() on by step, then by path */
    size_t n;
};

/* Takes the checkpoint @path; or of the run @path all that are good, the others named in
 * a warning.  ERR_NO_FILE, ERR_NO_VALID, ERR_CORRUPT. */
int mean_gather(struct mean *m, const char *path);

/* Of these keeps all; the @n newest; the @n of lowest held-out loss, among those that
 * were evaluated at their own step.  ERR_RANGE: there are not so many. */
int mean_pick_all(struct mean *m);
int mean_pick_last(struct mean *m, size_t n);
int mean_pick_best(struct mean *m, size_t n);

/* Writes the mean as the new checkpoint @out, of the newest one's step, without moments.
 * ERR_CONFIG: they do not fit together, both named; ERR_BUSY: @out exists; ERR_DATA,
 * ERR_IO, ERR_NO_SPACE. */
int mean_write(const struct mean *m, const char *out);

void mean_free(struct mean *m);

#endif
