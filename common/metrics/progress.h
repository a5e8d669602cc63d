/* progress.h - how a run looks on the terminal: one live line where stderr is a terminal,
 * a plain line every so many steps where it is not; the last step is always a plain line.
 *
 *      step 120/2000  loss 2.4310  rate 9.8e-04  norm 0.83  41.2k tok/s  12.3 GFLOP/s
 *      (58 % of peak)  left 1 min 20 s
 *
 * Colour only on a terminal, and not when NO_COLOR is set (no-color.org) or TERM is dumb.
 * Loop thread only; one per process.
 */
#ifndef METRICS_PROGRESS_H
#define METRICS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/metrics.h"

void progress_start(uint64_t log_every); /* looks at stderr and the environment */
void progress_step(uint64_t step, uint64_t steps, const struct metrics *m);
/* @best: by what it is the best version so far; NULL: by nothing. */
void progress_evaluated(uint64_t step, const struct metrics *m, const char *best);
void progress_stop(void); /* leaves the terminal clean */

#endif
