/* path.h - a series of points as the path of an SVG, thinned to what can be seen.
 *
 * Of the points that follow each other within one column of pixels the first, the last,
 * the lowest and the highest stay, in their order: the picture is the same, and its size
 * is bounded by its width (M4: Jugel 2014, "M4: a visualization-oriented time series data
 * aggregation").  What is not finite, or not above 0 on a logarithmic axis, is a gap; a
 * point between two gaps is a dot.
 *
 * Pure functions, any thread.
 */
#ifndef PLOT_PATH_H
#define PLOT_PATH_H

#include <stddef.h>
#include <stdio.h>

#include "plot/scale.h"

/* The text of a path's attribute `d`; y grows upwards, as in a chart. */
void path_write(FILE *out, const struct scale *x, const struct scale *y, const double *xs,
                const double *ys, size_t n);

#endif
