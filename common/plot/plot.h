/* plot.h - a line chart as SVG: one self-contained text, a file of its own or a part of
 * an HTML page, readable on light and on dark ground (prefers-color-scheme).
 *
 *      struct plot p = {.title = "learning-rate range test",
 *                       .x = {.title = "learning rate", .log = true},
 *                       .y = {.title = "loss", .unit = "nats/token"},
 *                       .series = series, .series_n = 2, .marks = marks, .marks_n = 1};
 *      plot_write(&p, out);
 *
 * Equal charts are equal bytes, in any locale.  Text may come from anywhere: it is
 * escaped. Nothing here fails; whether @out took it all, its owner asks of it.
 */
#ifndef PLOT_PLOT_H
#define PLOT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct plot_axis {
    const char *title, *unit; /* NULL or "": none */
    bool log;
    double low, high; /* low >= high: both as the points want it; NAN: that one is */
};

/* Points in the order in which the line runs through them.  One that is not finite - on a
 * logarithmic axis: not above 0 - is a gap. */
struct plot_series {
    const char *name; /* in the legend; NULL: not there */
    const double *x, *y;
    size_t n;
    bool faint; /* thin and pale: raw numbers beside their average */
};

/* A point with a label; a vertical line there when @y is NAN, a horizontal one when @x
 * is. */
struct plot_mark {
    double x, y;
    const char *label; /* may be NULL */
};

struct plot {
    const char *title; /* may be NULL */
    struct plot_axis x, y;
    const struct plot_series *series; /* all borrowed */
    size_t series_n;
    const struct plot_mark *marks;
    size_t marks_n;
    unsigned width, height; /* pixels, 200 to 4000; 0: 760 x 420 */
};

void plot_write(const struct plot *p, FILE *out);

#endif
