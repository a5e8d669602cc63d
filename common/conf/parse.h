/* parse.h - the value of one option from text.  Private to conf.
 *
 * Text comes from outside and is checked here, once: form, range, choices, and that it
 * is plain (plain.h).  Nothing here logs, because only the caller knows the place.
 * Any thread.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/value.h"

enum { PARSE_EXPECTED = 128 };

/* ERR_INVALID: not such a value; ERR_RANGE: too small, large, short or long;
 * ERR_UNKNOWN: not among the choices.  A string borrows @text. */
int parse_value(const struct conf_option *o, const char *text, union value *v);

/* What parse_value() accepts: "a whole number, 1 to 1024, or auto" */
const char *parse_expected(const struct conf_option *o, char text[PARSE_EXPECTED]);

#endif
