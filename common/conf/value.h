/* value.h - the value of one option, in and out of struct conf and to text.  Private to
 * conf.
 *
 * value_print() gives the canonical text: equal values have equal texts, and parse.h
 * makes the same value of it.  Comparison, fingerprint and files all rest on that.
 *
 * Pure functions of their arguments: any thread.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/option.h"

enum { VALUE_TEXT = 40 };

union value {
    uint32_t u32;
    uint64_t u64; /* count, size */
    double f64;   /* time: seconds */
    bool truth;
    const char *str; /* as long as the process, once it is in a struct conf */
    struct conf_steps steps;
    int choice;
};

/* Returns @text, or the string that is the value. */
const char *value_print(const struct conf_option *o, union value v,
                        char text[VALUE_TEXT]);

union value value_get(const struct conf *c, const struct conf_option *o);
void value_set(struct conf *c, const struct conf_option *o, union value v);

/* value_print() of value_get() */
const char *value_text(const struct conf *c, const struct conf_option *o,
                       char text[VALUE_TEXT]);

#endif
