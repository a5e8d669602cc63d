/* utf8.h - UTF-8 as Unicode defines it (The Unicode Standard, table 3-7): no overlong
 * forms, no surrogates, nothing above U+10FFFF.
 *
 * utf8_check() is for bytes from outside; all other functions take text that passed it
 * and assert so.  Pure functions, any thread; nothing here logs.
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_BYTES = 4 /* of one code point, at most */, UTF8_CODES = 0x110000 };

struct utf8_error {
    size_t offset; /* of the first byte of the bad sequence, from 0 */
    size_t line;   /* on which it is, from 1 */
};

/* 0, or ERR_DATA and where the first error is; @where may be NULL. */
int utf8_check(const char *text, size_t bytes, struct utf8_error *where);

/* Length of the sequence at @at, of which @left > 0 bytes exist; 0 when it is invalid. */
size_t utf8_next(const char *at, size_t left, uint32_t *code);

/* Writes 1 to 4 bytes and returns how many; @code is no surrogate. */
size_t utf8_encode(uint32_t code, char out[UTF8_BYTES]);

size_t utf8_count(const char *text, size_t bytes); /* code points */

/* Offset of code point number @index, @bytes when there are only that many. */
size_t utf8_offset(const char *text, size_t bytes, size_t index);

/* The line, from 1, of the byte at @offset; any bytes. */
size_t utf8_line(const char *text, size_t offset);

#endif
