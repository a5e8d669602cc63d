#include "conf/plain.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character that begins at @s, 0 if there is none; *code is its number. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t first; /* smaller numbers have shorter forms */
    } forms[] = {
        {0x80, 0, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t n = 1; n <= 4; n++) {
        if ((*s & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        uint32_t x = *s & (unsigned char)~forms[n - 1].mask;
        for (size_t i = 1; i < n; i++) {
            if ((s[i] & 0xC0) != 0x80) /* also where the text ends */
                return 0;
            x = x << 6 | (s[i] & 0x3F);
        }
        *code = x;
        return x >= forms[n - 1].first ? n : 0;
    }
    return 0;
}

static bool allowed(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7F && code < 0xA0))
        return false; /* control characters */
    if (code >= 0xD800 && code < 0xE000)
        return false; /* surrogates */
    return code != 0x2028 && code != 0x2029 && code != 0xFEFF && code != 0xFFFE &&
           code != 0xFFFF && code <= 0x10FFFF;
}

/* Bytes of the allowed character at @s, else 0 */
static size_t take(const char *s)
{
    uint32_t code;
    const size_t n = decode((const unsigned char *)s, &code);
    return n && allowed(code) ? n : 0;
}

bool plain_check(const char *text)
{
    while (*text) {
        const size_t n = take(text);
        if (n == 0)
            return false;
        text += n;
    }
    return true;
}

const char *plain_shown(char shown[PLAIN_SHOWN], const char *text)
{
    static const char more[] = "...";
    size_t n = 0;
    while (*text) {
        const size_t k = take(text);
        if (n + (k ? k : 1) + sizeof more > PLAIN_SHOWN) {
            memcpy(shown + n, more, sizeof more);
            return shown;
        }
        if (k)
            memcpy(shown + n, text, k);
        else
            shown[n] = '?';
        n += k ? k : 1;
        text += k ? k : 1;
    }
    shown[n] = '\0';
    assert(n < PLAIN_SHOWN);
    return shown;
}
