#include "score/split.h"

#include <stdbool.h>

#include "base/mem.h"
#include "text/utf8.h"

static bool space(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) ||
           code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000;
}

size_t split_next(const char *at, size_t left, uint32_t *code)
{
    const size_t n = utf8_next(at, left, code);
    if (n > 0)
        return n;
    *code = UTF8_CODES + (unsigned char)*at;
    return 1;
}

struct span split_trim_end(struct span text)
{
    size_t end = 0;
    for (size_t at = 0; at < text.bytes;) {
        uint32_t code;
        at += split_next(text.text + at, text.bytes - at, &code);
        if (!space(code))
            end = at;
    }
    return (struct span){text.text, end};
}

struct span *split_words(struct span text, size_t *n)
{
    struct span *words = mem_alloc((text.bytes / 2 + 1) * sizeof *words);
    bool inside = false;
    *n = 0;
    for (size_t at = 0; at < text.bytes;) {
        uint32_t code;
        const size_t length = split_next(text.text + at, text.bytes - at, &code);
        const bool visible = !space(code);
        if (visible && !inside)
            words[(*n)++] = (struct span){text.text + at, 0};
        if (visible)
            words[*n - 1].bytes += length;
        inside = visible;
        at += length;
    }
    return words;
}

uint32_t *split_characters(struct span text, size_t *n)
{
    uint32_t *codes = mem_alloc(text.bytes * sizeof *codes);
    *n = 0;
    for (size_t at = 0; at < text.bytes;) {
        uint32_t code;
        at += split_next(text.text + at, text.bytes - at, &code);
        if (!space(code))
            codes[(*n)++] = code;
    }
    return codes;
}
