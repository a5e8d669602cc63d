/* spikes.h - is a loss, or the norm of a gradient, far above the last ones?
 *
 *      z = (x - mean) / sigma     over the last so many accepted ones, sigma^2 their mean
 *                                 squared distance from the mean
 *
 * The rule of llm.c's outlier detector and of MaxText's skip_step_on_spikes; but what is
 * skipped does not enter the window, so that a second spike is measured against the
 * usual, too.  What stays high for a whole window of steps is the usual: then the window
 * begins anew.  As long as it is not full, nothing is a spike.
 *
 * Pure functions.
 */
#ifndef GUARD_SPIKES_H
#define GUARD_SPIKES_H

#include <stdint.h>

enum { SPIKES_WINDOW_MAX = 1024 };

enum spikes_kind { SPIKES_LOSS, SPIKES_NORM, SPIKES_KINDS };

struct spikes {
    uint32_t n;                                   /* accepted, at most a window */
    uint32_t skipped;                             /* in a row, since then */
    double last[SPIKES_KINDS][SPIKES_WINDOW_MAX]; /* [n], the oldest first */
};

/* Below 0: less than the mean; 0 also when nothing can be said. */
double spikes_z(const struct spikes *s, enum spikes_kind kind, uint32_t window, double x);
/* The largest that is at most @z deviations above the mean; INFINITY: nothing can be
 * said, or @z is 0. */
double spikes_limit(const struct spikes *s, enum spikes_kind kind, uint32_t window,
                    double z);

/* @window is at least 1 and at most SPIKES_WINDOW_MAX. */
void spikes_accept(struct spikes *s, uint32_t window, double loss, double norm);
void spikes_skip(struct spikes *s, uint32_t window);

#endif
