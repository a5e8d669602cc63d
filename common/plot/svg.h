/* svg.h - the two things that make text into good SVG: escaping and numbers. */
#ifndef PLOT_SVG_H
#define PLOT_SVG_H

#include <stdio.h>

/* @text as character data or within quotes: markup is escaped; what no XML can carry -
 * bytes that are no UTF-8, control characters - is a question mark. */
void svg_escape(FILE *out, const char *text);

/* A length in pixels with at most one decimal, in every locale: "12", "0.5", "-3.1".
 * Finite, and at most a million. */
void svg_number(FILE *out, double x);

/* Pixels that @text takes at @size, more or less: nobody asks the font. */
double svg_text_width(const char *text, double size);

#endif
