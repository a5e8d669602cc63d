/* scale.h - from the numbers of an axis to pixels.  Pure functions. */
#ifndef PLOT_SCALE_H
#define PLOT_SCALE_H

#include <stdbool.h>

#include "plot/plot.h"

/* One axis: [low, high] to [0, pixels]. */
struct scale {
    bool log;
    double low, high; /* low < high; above 0 when log */
    double pixels;
};

/* Can it be shown at all?  Numbers beyond 1e100 cannot. */
bool scale_has(bool log, double value);

/* Pixels from low's end, of a value that can be shown; far outside of the picture it
 * stays where it no longer matters. */
double scale_at(const struct scale *s, double value);

/* The axes of a chart: as it says, or from its points, with some air above and below;
 * what cannot be shown has no say. */
struct scale scale_of_x(const struct plot *p, double pixels);
struct scale scale_of_y(const struct plot *p, double pixels);

#endif
