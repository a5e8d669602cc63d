/* units.h - quantities as people write and read them.
 *
 *      number    0.1   -3    1e-5             (no hexadecimal, infinity or NaN)
 *      count     200   10k   1.5M   2G        (powers of 1000)
 *      size      64KiB 2GiB  100MB  4096      (KiB.. powers of 1024, KB.. of 1000)
 *      duration  250ms 30s   30m   2h   1d    (no unit: seconds)
 *
 * Counts and sizes are whole after their unit is applied: 1.5k is 1500, 1.5 is refused.
 * Units are part of the decimal number before it is rounded, so 2.3k is exactly 2300.
 *
 * Parsers return ERR_INVALID for other text and ERR_RANGE for what does not fit (counts
 * from 0 to 2^53, sizes from 0 to 2^64 - 1, durations from 0); they do not log, and they
 * write only on success.  Printers write at most UNITS_TEXT bytes and return @text.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

enum { UNITS_TEXT = 32 };

int units_parse_number(const char *text, double *value);
int units_parse_count(const char *text, double *value);
int units_parse_size(const char *text, uint64_t *bytes);
int units_parse_duration(const char *text, double *seconds);

/* The shortest decimal that units_parse_number() reads back as the same double. */
char *units_print_number(char text[UNITS_TEXT], double value);
char *units_print_count(char text[UNITS_TEXT], double value); /* "12.3k" */
char *units_print_size(char text[UNITS_TEXT], double bytes);  /* "1.2 GiB" */
char *units_print_duration(char text[UNITS_TEXT],
                           double seconds); /* "4.1 ms", "2 h 05 min" */

#endif
