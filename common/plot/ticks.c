#include "plot/ticks.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Numbers from 0.0001 to 999999 are plain, others have an exponent. */
enum { PLAIN_FROM = -4, PLAIN_TO = 5, DIGITS = 24 };

/* --- numbers as text --- */

/* Digits of a plain number: zeros behind them, or a point within or before them. */
static void write_plain(char *to, size_t room, const char *digits, int n, int exponent)
{
    static const char zeros[] = "00000000";
    const int whole = n + exponent;
    if (exponent >= 0)
        snprintf(to, room, "%s%.*s", digits, exponent, zeros);
    else if (whole > 0)
        snprintf(to, room, "%.*s.%s", whole, digits, digits + whole);
    else
        snprintf(to, room, "0.%.*s%s", -whole, zeros, digits);
}

char *tick_text(char text[TICK_TEXT], int64_t digits, int exponent)
{
    assert(digits != INT64_MIN);
    if (digits == 0)
        return strcpy(text, "0");
    char *to = text, number[DIGITS];
    if (digits < 0)
        *to++ = '-';
    digits = digits < 0 ? -digits : digits;
    for (; digits % 10 == 0; exponent++)
        digits /= 10;
    const int n = snprintf(number, sizeof number, "%lld", (long long)digits);
    const int first = n - 1 + exponent; /* the power of ten of the first digit */
    const size_t room = TICK_TEXT - 1;
    if (first >= PLAIN_FROM && first <= PLAIN_TO)
        write_plain(to, room, number, n, exponent);
    else
        snprintf(to, room, "%c%s%se%d", *number, n > 1 ? "." : "", number + 1, first);
    return text;
}

/* --- where --- */

/* Exact where the result has few digits: a power of ten with a positive exponent is, and
 * a quotient is rounded once. */
static double decimal(double digits, int exponent)
{
    return exponent < 0 ? digits / pow(10, -exponent) : digits * pow(10, exponent);
}

static void add(struct ticks *t, int64_t digits, int exponent, bool numbered)
{
    if (t->n == TICKS_MAX)
        return;
    struct tick *new = &t->list[t->n++];
    new->at = decimal((double)digits, exponent);
    *new->text = '\0';
    if (numbered)
        tick_text(new->text, digits, exponent);
}

void ticks_linear(struct ticks *t, double low, double high, unsigned want)
{
    assert(isfinite(low) && isfinite(high) && low < high && want >= 3);
    const double least = (high - low) / want;
    int exponent = (int)floor(log10(least)), factor = 1;
    const double share = least / decimal(1, exponent); /* 1 .. 10 */
    if (share > 5 * (1 + 1e-9))
        exponent++;
    else if (share > 2 * (1 + 1e-9))
        factor = 5;
    else if (share > 1 + 1e-9)
        factor = 2;
    const double step = decimal(factor, exponent), little = 1e-6;
    t->n = 0;
    for (double k = ceil(low / step - little); k <= high / step + little; k++)
        add(t, (int64_t)k * factor, exponent, true);
}

/* 1, 2 and 5 have numbers, or 1 alone, of every so many decades; the others have lines.
 */
static void add_decade(struct ticks *t, int exponent, double low, double high,
                       unsigned want)
{
    const double decades = log10(high / low);
    const int stride = (int)fmax(1, ceil(decades / want));
    const bool more = 2 * decades <= want;
    for (int digit = 1; digit < 10; digit++) {
        const bool numbered =
            digit == 1 ? exponent % stride == 0 : more && (digit == 2 || digit == 5);
        const double at = decimal(digit, exponent), little = 1e-9;
        const bool room = stride == 1 || (digit == 1 && decades < TICKS_MAX);
        if (at >= low * (1 - little) && at <= high * (1 + little) && (numbered || room))
            add(t, digit, exponent, numbered);
    }
}

void ticks_log(struct ticks *t, double low, double high, unsigned want)
{
    assert(low > 0 && isfinite(high) && low < high && want >= 3);
    const double enough_for_1_2_5 = 8;
    if (high / low < enough_for_1_2_5) {
        ticks_linear(t, low, high, want);
        return;
    }
    const int first = (int)floor(log10(low)), last = (int)ceil(log10(high));
    t->n = 0;
    for (int e = first; e <= last; e++)
        add_decade(t, e, low, high, want);
}
