/* text_file.h - a whole file of text, plain or compressed with gzip (known by its first
 * two bytes, whatever the name; several members one behind the other are one text).
 *
 * Logged: ERR_NO_FILE, ERR_IO; ERR_DATA: more than @limit bytes, on disk or unpacked, or
 * gzip that is damaged or cut off.
 */
#ifndef DATA_TEXT_FILE_H
#define DATA_TEXT_FILE_H

#include <stddef.h>

/* The caller frees *text with mem_free(), also when *bytes is 0. */
int text_file_read(const char *path, size_t limit, char **text, size_t *bytes);

#endif
