/* bytemap.h - bytes written as visible characters (Radford et al. 2019, encoder.py), so
 * that pieces of arbitrary bytes can stand in JSON and in lists of merges.
 *
 * Bytes 33-126, 161-172 and 174-255 are the characters of the same number; the other 68,
 * in order, are U+0100, U+0101 ...: a space is U+0120, a line feed U+010A.
 */
#ifndef TEXT_BYTEMAP_H
#define TEXT_BYTEMAP_H

#include <stddef.h>
#include <stdint.h>

uint32_t bytemap_code(unsigned char byte);

/* Bytes of the written form @text, at most one per character: returns how many, or
 * SIZE_MAX when a character is not one of the 256 or @text is no UTF-8. */
size_t bytemap_read(const char *text, size_t bytes, char *out);

#endif
