/* plain.h - text that can be shown on a terminal and be stored in a YAML file.  Private
 * to conf.
 *
 * Plain text is valid UTF-8 (Unicode 15, table 3-7) without control characters, line
 * and paragraph separators, byte order marks and U+FFFE, U+FFFF: what a YAML 1.2 reader
 * accepts inside one line of double quotes.
 *
 * Pure functions; any bytes before the final zero.
 */
#ifndef CONF_PLAIN_H
#define CONF_PLAIN_H

#include <stdbool.h>

enum { PLAIN_SHOWN = 64 };

bool plain_check(const char *text);

/* The beginning of @text for a message: never longer, plain whatever @text is. */
const char *plain_shown(char shown[PLAIN_SHOWN], const char *text);

#endif
