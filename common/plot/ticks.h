/* ticks.h - where an axis has its lines, and the numbers at them.
 *
 * A linear axis has multiples of 1, 2 or 5 times a power of ten.  A logarithmic one has
 * powers of ten - every second, third ... when there are many; 1, 2 and 5 of each when
 * there are few; multiples as on a linear axis when it is shorter than that - and between
 * them, while there is room, lines without a number for the other digits.
 *
 * Numbers are written digit by digit from whole ones: 0.3 is "0.3", in every locale.
 * Pure functions.
 */
#ifndef PLOT_TICKS_H
#define PLOT_TICKS_H

#include <stddef.h>
#include <stdint.h>

enum { TICKS_MAX = 96, TICK_TEXT = 48 };

struct tick {
    double at;
    char text[TICK_TEXT]; /* "": a line without a number */
};

struct ticks {
    size_t n;
    struct tick list[TICKS_MAX];
};

/* About @want (3 or more) numbers, and at least one, within [low, high]; low < high,
 * finite, no nearer to each other than a billionth of their size; for the logarithmic
 * ones above 0. */
void ticks_linear(struct ticks *t, double low, double high, unsigned want);
void ticks_log(struct ticks *t, double low, double high, unsigned want);

/* digits * 10^exponent: "1500", "0.02", "-3e-7", "1.5e9" */
char *tick_text(char text[TICK_TEXT], int64_t digits, int exponent);

#endif
