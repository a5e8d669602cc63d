#include "text/lower.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"

static const struct row {
    uint32_t first, last, stride;
    int32_t add;
} rows[] = {
#define LOWER(first, last, stride, add) {first, last, stride, add},
#include "text/lower.def"
#undef LOWER
};

enum { ROWS = sizeof rows / sizeof *rows, I_WITH_DOT = 0x130, DOT_ABOVE = 0x307 };

static const struct row *row_of(uint32_t code)
{
    size_t low = 0, high = ROWS;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (rows[mid].last < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ROWS && rows[low].first <= code ? &rows[low] : NULL;
}

uint32_t lower_code(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
    const struct row *r = row_of(code);
    return r && (code - r->first) % r->stride == 0 ? (uint32_t)((int32_t)code + r->add)
                                                   : code;
}

/* A character takes at most one byte more than its capital: U+023A, of two bytes, becomes
 * U+2C65, of three; and U+0130, of two, "i" and a dot of two. */
char *lower_text(const char *text, size_t bytes, size_t *lower_bytes)
{
    char *lower = mem_alloc(bytes + bytes / 2 + 1);
    size_t at = 0, to = 0;
    while (at < bytes) {
        uint32_t code;
        const size_t n = utf8_next(text + at, bytes - at, &code);
        if (n == 0) {
            lower[to++] = text[at++];
            continue;
        }
        at += n;
        if (code == I_WITH_DOT) {
            lower[to++] = 'i';
            code = DOT_ABOVE;
        }
        to += utf8_encode(lower_code(code), lower + to);
        assert(to <= bytes + bytes / 2);
    }
    *lower_bytes = to;
    return lower;
}
