#include "text/line.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span line_trim(struct span s)
{
    for (; s.bytes > 0 && is_space(s.text[0]); s.bytes--)
        s.text++;
    while (s.bytes > 0 && is_space(s.text[s.bytes - 1]))
        s.bytes--;
    return s;
}

char *line_clean(struct span text, size_t *bytes)
{
    static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
    const struct span s = line_trim(text);
    char *out = mem_alloc(mem_mul(s.bytes, strlen(replacement)) + 1);
    size_t n = 0, step;
    uint32_t code;
    for (size_t at = 0; at < s.bytes; at += step ? step : 1) {
        const char *from = s.text + at;
        step = utf8_next(from, s.bytes - at, &code);
        const bool ends = step == 1 && (*from == '\n' || *from == '\r');
        const char *piece = step == 0 ? replacement : ends ? " " : from;
        const size_t length = step == 0 ? strlen(replacement) : step;
        memcpy(out + n, piece, length);
        n += length;
    }
    *bytes = n;
    return out;
}
