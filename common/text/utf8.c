#include "text/utf8.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

/* Table 3-7: by the first byte, the length and the bounds of the second byte, which are
 * narrower than 80..BF where a sequence would be overlong, a surrogate or too large. */
static size_t lead(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    *high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    return c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
}

size_t utf8_next(const char *at, size_t left, uint32_t *code)
{
    assert(left > 0);
    const unsigned char *s = (const unsigned char *)at;
    unsigned char low, high;
    const size_t n = lead(s[0], &low, &high);
    if (n == 0 || n > left)
        return 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] < low || s[i] > high)
            return 0;
        c = c << 6 | (s[i] & 0x3Fu);
        low = 0x80, high = 0xBF;
    }
    *code = c;
    return n;
}

int utf8_check(const char *text, size_t bytes, struct utf8_error *where)
{
    for (size_t at = 0; at < bytes;) {
        uint64_t eight;
        if (bytes - at >= sizeof eight) { /* most text is ASCII: eight bytes at once */
            memcpy(&eight, text + at, sizeof eight);
            if (!(eight & 0x8080808080808080u)) {
                at += sizeof eight;
                continue;
            }
        }
        uint32_t code;
        const size_t n = utf8_next(text + at, bytes - at, &code);
        if (n == 0) {
            if (where)
                *where = (struct utf8_error){at, utf8_line(text, at)};
            return ERR_DATA;
        }
        at += n;
    }
    return ERR_OK;
}

size_t utf8_encode(uint32_t code, char out[UTF8_BYTES])
{
    assert(code < UTF8_CODES);
    assert(code < 0xD800 || code > 0xDFFF);
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    const size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00u >> n & 0xFF) | code);
    return n;
}

static int starts(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

size_t utf8_count(const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += (size_t)starts(text[i]);
    return count;
}

size_t utf8_offset(const char *text, size_t bytes, size_t index)
{
    size_t at = 0;
    for (; at < bytes; at++)
        if (starts(text[at]) && index-- == 0)
            return at;
    assert(index == 0);
    return at;
}

size_t utf8_line(const char *text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}
