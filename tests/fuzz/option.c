/* key=value of the command line, LOCKSTEP_KEY=value of the environment, and the units of
 * values.  True of every word: one that is refused changes nothing; the value of one that
 * is accepted prints as a text that sets the same value. */
#include "fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/units.h"
#include "conf/value.h"

static struct conf initial; /* as conf_init() leaves it */

static void check_again(const struct conf *c)
{
    OPTION_FOR_EACH(o)
    {
        char first[VALUE_TEXT], second[VALUE_TEXT], word[8192];
        struct conf again;
        if (c->rank[option_id(o)] == 0)
            continue;
        const char *text = value_text(c, o, first);
        if (strlen(text) > sizeof word / 2)
            continue;
        snprintf(word, sizeof word, "%s=%s", o->key, text);
        memcpy(&again, &initial, sizeof again);
        CHECK(conf_load_word(&again, word) == ERR_OK);
        CHECK(strcmp(value_text(&again, o, second), text) == 0);
    }
}

static void load(const char *text, int (*how)(struct conf *c, const char *text))
{
    struct conf c;
    memcpy(&c, &initial, sizeof c);
    const int err = how(&c, text);
    CHECK(err == ERR_OK || err == ERR_INVALID || err == ERR_RANGE || err == ERR_UNKNOWN);
    if (err)
        CHECK(memcmp(&initial, &c, sizeof c) == 0);
    else
        check_again(&c);
}

static int load_variable(struct conf *c, const char *text)
{
    char variable[1024], *variables[] = {variable, NULL}, **kept = environ;
    snprintf(variable, sizeof variable, "%s", text);
    environ = variables;
    const int err = conf_load_env(c);
    environ = kept;
    return err;
}

static void parse_units(const char *text)
{
    double x, y;
    uint64_t bytes;
    char number[UNITS_TEXT];
    if (units_parse_number(text, &x) == ERR_OK) {
        CHECK(isfinite(x));
        CHECK(units_parse_number(units_print_number(number, x), &y) == ERR_OK && x == y);
    }
    if (units_parse_count(text, &x) == ERR_OK)
        CHECK(x >= 0 && x <= 0x1p53 && x == floor(x));
    if (units_parse_duration(text, &x) == ERR_OK) {
        CHECK(isfinite(x) && x >= 0);
        CHECK(strlen(units_print_duration(number, x)) < UNITS_TEXT);
    }
    if (units_parse_size(text, &bytes) == ERR_OK)
        CHECK(strlen(units_print_size(number, (double)bytes)) < UNITS_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (!*initial.source[0])
        conf_init(&initial);
    char *text = fuzz_text(data, bytes);
    const char *equals = strchr(text, '=');
    load(text, strncmp(text, "LOCKSTEP_", 9) == 0 ? load_variable : conf_load_word);
    parse_units(equals ? equals + 1 : text);
    free(text);
    return 0;
}
