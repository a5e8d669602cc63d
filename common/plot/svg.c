#include "plot/svg.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* XML 1.0, section 2.2, without the controls that it discourages and line ends. */
static bool may_stand(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0xfffe && c != 0xffff;
}

void svg_escape(FILE *out, const char *text)
{
    uint32_t c = 0;
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        n = utf8_next(text, left, &c);
        if (n == 0 || !may_stand(c)) {
            n = n ? n : 1;
            fputc('?', out);
        } else if (entity(c)) {
            fputs(entity(c), out);
        } else {
            fwrite(text, 1, n, out);
        }
    }
}

void svg_number(FILE *out, double x)
{
    assert(fabs(x) <= 1e6);
    const long tenths = lround(x * 10), size = labs(tenths);
    fprintf(out, "%s%ld", tenths < 0 ? "-" : "", size / 10);
    if (size % 10)
        fprintf(out, ".%ld", size % 10);
}

double svg_text_width(const char *text, double size)
{
    const double mean =
        0.58; /* of letters and digits of common sans-serif fonts, in em */
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80; /* the first byte of a character */
    return mean * size * (double)n;
}
