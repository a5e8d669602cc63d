#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    DIGITS_MAX = 64,   /* longer numbers are nobody's */
    EXPONENT_MAX = 999 /* more is 0 or infinity anyway */
};

static const double LARGEST_EXACT = 0x1p53; /* every whole number up to it is a double */

/* A decimal number taken apart: its digits, the power of ten, and the unit behind it. */
struct decimal {
    char digits[DIGITS_MAX + 1]; /* with sign and point */
    int exponent;
    const char *unit;
};

static bool take_digits(struct decimal *d, const char **at, size_t *n)
{
    bool some = false;
    for (; isdigit((unsigned char)**at); (*at)++, some = true) {
        if (*n == DIGITS_MAX)
            return false;
        d->digits[(*n)++] = **at;
    }
    return some;
}

static void take_exponent(struct decimal *d, const char **at)
{
    const char *p = *at;
    if (*p != 'e' && *p != 'E')
        return;
    p++;
    const bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (!isdigit((unsigned char)*p))
        return; /* the e belongs to the unit */
    int exponent = 0;
    for (; isdigit((unsigned char)*p); p++)
        if (exponent <= EXPONENT_MAX)
            exponent = 10 * exponent + (*p - '0');
    d->exponent = negative ? -exponent : exponent;
    *at = p;
}

/* [+-] digits [. digits] [e [+-] digits] unit */
static int take_decimal(const char *text, struct decimal *d)
{
    size_t n = 0;
    if (*text == '-' || *text == '+')
        d->digits[n++] = *text++;
    bool some = take_digits(d, &text, &n);
    if (*text == '.' && n < DIGITS_MAX) {
        d->digits[n++] = *text++;
        some = take_digits(d, &text, &n) || some;
    }
    d->digits[n] = '\0';
    d->exponent = 0;
    if (!some || isdigit((unsigned char)*text))
        return ERR_INVALID; /* no digit, or too many of them */
    take_exponent(d, &text);
    d->unit = text;
    return ERR_OK;
}

/* The number times 10^@power, rounded once. */
static int to_double(const struct decimal *d, int power, double *value)
{
    char text[DIGITS_MAX + 16];
    snprintf(text, sizeof text, "%se%d", d->digits, d->exponent + power);
    const double x = strtod(text, NULL);
    if (!isfinite(x))
        return ERR_RANGE;
    *value = x + 0.0; /* -0 becomes 0 */
    return ERR_OK;
}

int units_parse_number(const char *text, double *value)
{
    struct decimal d;
    TRY(take_decimal(text, &d));
    return *d.unit ? ERR_INVALID : to_double(&d, 0, value);
}

/* A unit multiplies by 10^power * factor. */
struct unit {
    const char *name;
    int power;
    double factor;
};

static const struct unit count_units[] = {{"", 0, 1},  {"k", 3, 1},  {"M", 6, 1},
                                          {"G", 9, 1}, {"T", 12, 1}, {NULL, 0, 0}};

static const struct unit size_units[] = {
    {"", 0, 1},         {"B", 0, 1},        {"KiB", 0, 0x1p10}, {"MiB", 0, 0x1p20},
    {"GiB", 0, 0x1p30}, {"TiB", 0, 0x1p40}, {"kB", 3, 1},       {"KB", 3, 1},
    {"MB", 6, 1},       {"GB", 9, 1},       {"TB", 12, 1},      {NULL, 0, 0}};

static const struct unit duration_units[] = {
    {"", 0, 1},   {"us", -6, 1},  {"ms", -3, 1},   {"s", 0, 1},
    {"m", 0, 60}, {"h", 0, 3600}, {"d", 0, 86400}, {NULL, 0, 0}};

static int parse(const char *text, const struct unit *units, double *value)
{
    struct decimal d;
    TRY(take_decimal(text, &d));
    for (; units->name; units++)
        if (strcmp(units->name, d.unit) == 0) {
            double x = 0;
            TRY(to_double(&d, units->power, &x));
            x *= units->factor;
            if (!isfinite(x) || x < 0)
                return ERR_RANGE;
            *value = x;
            return ERR_OK;
        }
    return ERR_INVALID;
}

int units_parse_count(const char *text, double *value)
{
    double x = 0;
    TRY(parse(text, count_units, &x));
    if (x > LARGEST_EXACT)
        return ERR_RANGE;
    if (x != floor(x))
        return ERR_INVALID;
    *value = x;
    return ERR_OK;
}

static bool all_digits(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

int units_parse_size(const char *text, uint64_t *bytes)
{
    if (all_digits(text)) { /* exact, also above 2^53 */
        uint64_t sum = 0;
        for (; *text; text++)
            if (__builtin_mul_overflow(sum, 10, &sum) ||
                __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
                return ERR_RANGE;
        *bytes = sum;
        return ERR_OK;
    }
    double x = 0;
    TRY(parse(text, size_units, &x));
    if (x >= 0x1p64)
        return ERR_RANGE;
    if (x != floor(x))
        return ERR_INVALID;
    *bytes = (uint64_t)x;
    return ERR_OK;
}

int units_parse_duration(const char *text, double *seconds)
{
    return parse(text, duration_units, seconds);
}

char *units_print_number(char text[UNITS_TEXT], double value)
{
    if (value == floor(value) && fabs(value) < 1e7) { /* 20 rather than 2e1 */
        snprintf(text, UNITS_TEXT, "%.0f", value);
        return text;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, UNITS_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    /* printf writes 1e-05 and 1e+20, people 1e-5 and 1e20 */
    char *exponent = strchr(text, 'e');
    if (exponent) {
        char *to = exponent + 1;
        const char *from = to;
        if (*from == '-')
            to++;
        from++;
        while (*from == '0' && from[1])
            from++;
        memmove(to, from, strlen(from) + 1);
    }
    return text;
}

/* Climbs the ladder of units until the rounded value is below @step. */
static char *print_scaled(char text[UNITS_TEXT], double value, double step,
                          const char *const *units, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && fabs(value) >= step - (i ? 0.05 : 0.5)) {
        value /= step;
        i++;
    }
    const char *format = "%.3g%s";
    if (i > 0 && fabs(value) < 1e6)
        format = "%.1f%s";
    else if (i == 0 && (value == floor(value) || fabs(value) >= 99.95))
        format = "%.0f%s";
    snprintf(text, UNITS_TEXT, format, value, units[i]);
    return text;
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

char *units_print_count(char text[UNITS_TEXT], double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T"};
    return print_scaled(text, value, 1000, units, COUNT_OF(units));
}

char *units_print_size(char text[UNITS_TEXT], double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    return print_scaled(text, bytes, 1024, units, COUNT_OF(units));
}

/* Two units, the smaller one rounded first, so that 119.9 s is "2 min 00 s". */
static void print_pair(char text[UNITS_TEXT], double seconds)
{
    static const struct {
        double small, large, below; /* seconds in each unit, and where the next begins */
        const char *format;
    } pairs[] = {{1, 60, 3600, "%.0f min %02.0f s"},
                 {60, 3600, 86400, "%.0f h %02.0f min"},
                 {3600, 86400, INFINITY, "%.0f d %02.0f h"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const double whole = round(seconds / pairs[i].small) * pairs[i].small;
        if (whole < pairs[i].below) {
            const double rest = fmod(whole, pairs[i].large);
            snprintf(text, UNITS_TEXT, pairs[i].format, (whole - rest) / pairs[i].large,
                     rest / pairs[i].small);
            return;
        }
    }
}

char *units_print_duration(char text[UNITS_TEXT], double seconds)
{
    static const struct {
        double scale, below;
        const char *unit;
    } small[] = {{1e6, 999.95e-6, "us"}, {1e3, 999.95e-3, "ms"}, {1, 59.95, "s"}};

    const double size = fabs(seconds);
    if (!isfinite(seconds) || size >= 1e15 || seconds == 0) {
        snprintf(text, UNITS_TEXT, "%.3g s", seconds);
        return text;
    }
    for (size_t i = 0; i < COUNT_OF(small); i++)
        if (size < small[i].below) {
            snprintf(text, UNITS_TEXT, "%.1f %s", seconds * small[i].scale,
                     small[i].unit);
            return text;
        }
    char positive[UNITS_TEXT];
    print_pair(positive, size);
    snprintf(text, UNITS_TEXT, "%s%.*s", seconds < 0 ? "-" : "", UNITS_TEXT - 2,
             positive);
    return text;
}
