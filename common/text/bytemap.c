#include "text/bytemap.h"

#include <stdbool.h>

#include "text/utf8.h"

static bool visible(uint32_t c)
{
    return (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255);
}

/* Hidden bytes lie in 0-32, 127-160 and at 173. */
uint32_t bytemap_code(unsigned char byte)
{
    if (visible(byte))
        return byte;
    return 256u + (byte < 33 ? byte : byte < 161 ? 33u + byte - 127u : 67u);
}

static int byte_of(uint32_t code)
{
    if (code < 256)
        return visible(code) ? (int)code : -1;
    const uint32_t k = code - 256;
    return k < 33 ? (int)k : k < 67 ? (int)(k - 33 + 127) : k == 67 ? 173 : -1;
}

size_t bytemap_read(const char *text, size_t bytes, char *out)
{
    size_t count = 0;
    for (size_t at = 0; at < bytes;) {
        uint32_t code;
        const size_t n = utf8_next(text + at, bytes - at, &code);
        const int byte = n ? byte_of(code) : -1;
        if (byte < 0)
            return SIZE_MAX;
        out[count++] = (char)byte;
        at += n;
    }
    return count;
}
