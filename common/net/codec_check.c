#include "net/codec_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "net/message.h"

int check_failed(const struct check *c, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    log_warn("%s: %s message refused: %s; is another version of the program at the other "
             "end?",
             c->peer, c->kind, what);
    return ERR_MALFORMED;
}

/* RFC 3629, section 4: the second byte's range depends on the first, the others are
 * 80..BF. */
static size_t utf8_char(const unsigned char *s, size_t left)
{
    static const struct {
        unsigned char first, last, low, high;
        unsigned char length;
    } forms[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last)
            continue;
        if (forms[i].length > left)
            return 0;
        for (size_t k = 1; k < forms[i].length; k++)
            if (s[k] < (k == 1 ? forms[i].low : 0x80) ||
                s[k] > (k == 1 ? forms[i].high : 0xBF))
                return 0;
        return forms[i].length;
    }
    return 0;
}

bool utf8_ok(const char *s, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        const size_t n = utf8_char((const unsigned char *)s + at, bytes - at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

int check_text(const struct check *c, const char *field, const char *s, size_t max)
{
    const size_t n = strlen(s);
    if (n > max)
        return check_failed(c, "%s has %zu bytes, at most %zu are allowed", field, n,
                            max);
    if (!utf8_ok(s, n))
        return check_failed(c, "%s is not UTF-8", field);
    return ERR_OK;
}

int check_real(const struct check *c, const char *field, double x)
{
    if (!isfinite(x))
        return check_failed(c, "%s is %f, expected a finite number", field, x);
    return ERR_OK;
}

int check_count(const struct check *c, const char *field, size_t n, size_t least,
                size_t most)
{
    if (n < least || n > most)
        return check_failed(c, "%s: %zu, expected %zu to %zu", field, n, least, most);
    return ERR_OK;
}

int check_node(const struct check *c, uint32_t level, uint32_t index)
{
    if (level >= MESSAGE_LEVELS || (uint64_t)index << level >= MESSAGE_SLICES_MAX)
        return check_failed(c, "node %u.%u does not begin below slice %d", level, index,
                            MESSAGE_SLICES_MAX);
    return ERR_OK;
}

int check_run(const struct check *c, uint32_t first, size_t count, size_t least)
{
    TRY(check_count(c, "slices", count, least, MESSAGE_SLICES_MAX));
    if (first + (uint64_t)count > CHECK_BELOW)
        return check_failed(c, "slices %u to %llu, expected them below %d", first,
                            (unsigned long long)first + count, CHECK_BELOW);
    return ERR_OK;
}
