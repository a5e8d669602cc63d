/* codec_check.h - the checks of codec.h, one function each.  They return ERR_OK, or log
 * what is wrong with which field of which peer's message and return ERR_MALFORMED. */
#ifndef NET_CODEC_CHECK_H
#define NET_CODEC_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECK_BELOW = 1 << 30 };

struct check {
    const char *peer, *kind; /* for the log */
};

int check_failed(const struct check *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int check_text(const struct check *c, const char *field, const char *s, size_t max);
int check_real(const struct check *c, const char *field, double x);
int check_count(const struct check *c, const char *field, size_t n, size_t least,
                size_t most);
/* The slices [first, first + count): numbers below CHECK_BELOW, @least to MESSAGE_SLICES_MAX. */
int check_run(const struct check *c, uint32_t first, size_t count, size_t least);
int check_node(const struct check *c, uint32_t level, uint32_t index);

/* Well-formed UTF-8 as in RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.
 */
bool utf8_ok(const char *s, size_t bytes);

#endif
