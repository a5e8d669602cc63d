#include "conf/parse.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/units.h"
#include "conf/plain.h"

static bool outside(const struct conf_option *o, double x)
{
    return !(x >= o->min && x <= o->max); /* also NaN */
}

static int parse_u64(const char *text, uint64_t *value)
{
    if (strspn(text, "0123456789") == strlen(text))
        return units_parse_size(text, value); /* exact in all 64 bits */
    double x = 0;
    TRY(units_parse_count(text, &x));
    *value = (uint64_t)x;
    return ERR_OK;
}

static int parse_bool(const char *text, bool *value)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int j = 0; j < 2; j++)
            if (strcasecmp(text, words[i][j]) == 0) {
                *value = j;
                return ERR_OK;
            }
    return ERR_INVALID;
}

/* "5e" is five epochs, "10Mt" ten million tokens; "5e3" is a count.  A length of none is
 * none of each. */
static int parse_steps(const char *text, struct conf_steps *value)
{
    const size_t n = strlen(text);
    char number[UNITS_TEXT];
    const char last = n > 0 && n <= sizeof number ? text[n - 1] : '\0';
    struct conf_steps s = {.unit = last == 'e'   ? CONF_EPOCHS
                                   : last == 't' ? CONF_TOKENS
                                                 : CONF_STEPS};
    if (s.unit == CONF_STEPS) {
        TRY(units_parse_count(text, &s.count));
    } else {
        memcpy(number, text, n - 1);
        number[n - 1] = '\0';
        TRY(s.unit == CONF_EPOCHS ? units_parse_number(number, &s.count)
                                  : units_parse_count(number, &s.count));
    }
    if (s.count == 0)
        s.unit = CONF_STEPS;
    *value = s;
    return ERR_OK;
}

/* Epochs may be a fraction, and any tokens are a step: only a length of zero is below a
 * minimum of one step. */
static bool steps_outside(const struct conf_option *o, struct conf_steps s)
{
    if (s.unit == CONF_TOKENS)
        return false; /* a count, which has limits of its own */
    if (s.unit == CONF_EPOCHS)
        return s.count < 0 || s.count > o->max;
    return outside(o, s.count);
}

static int parse_choice(const struct conf_option *o, const char *text, int *value)
{
    const struct option_choice *choice = &option_choices[o->choice];
    for (size_t i = 0; i < choice->count; i++)
        if (strcmp(choice->texts[i], text) == 0) {
            *value = (int)i;
            return ERR_OK;
        }
    return ERR_UNKNOWN;
}

static int parse_by_type(const struct conf_option *o, const char *text, union value *v)
{
    double number = 0;
    bool bad = false;
    switch (o->type) {
    case TYPE_u32:
        assert(o->max <= UINT32_MAX);
        TRY(units_parse_count(text, &number));
        bad = outside(o, number);
        v->u32 = bad ? 0 : (uint32_t)number;
        break;
    case TYPE_u64:
    case TYPE_count:
        TRY(parse_u64(text, &v->u64));
        bad = outside(o, (double)v->u64);
        break;
    case TYPE_size:
        TRY(units_parse_size(text, &v->u64));
        bad = outside(o, (double)v->u64);
        break;
    case TYPE_f64:
        TRY(units_parse_number(text, &v->f64));
        bad = outside(o, v->f64);
        break;
    case TYPE_time:
        TRY(units_parse_duration(text, &v->f64));
        bad = outside(o, v->f64);
        break;
    case TYPE_steps:
        TRY(parse_steps(text, &v->steps));
        bad = steps_outside(o, v->steps);
        break;
    case TYPE_bool:
        return parse_bool(text, &v->truth);
    case TYPE_str:
        v->str = text;
        bad = outside(o, (double)strlen(text));
        break;
    case TYPE_choice:
        return parse_choice(o, text, &v->choice);
    }
    return bad ? ERR_RANGE : ERR_OK;
}

int parse_value(const struct conf_option *o, const char *text, union value *v)
{
    union value result;
    memset(&result, 0, sizeof result);
    if (!plain_check(text))
        return ERR_INVALID;
    if (option_has_auto(o) && strcmp(text, "auto") == 0) {
        if (o->type == TYPE_f64)
            result.f64 = NAN;
    } else {
        TRY(parse_by_type(o, text, &result));
    }
    *v = result;
    return ERR_OK;
}

static void list_choices(const struct option_choice *choice, char text[PARSE_EXPECTED])
{
    size_t n = 0;
    for (size_t i = 0; i < choice->count; i++) {
        const char *link = i == 0 ? "" : i + 1 < choice->count ? ", " : " or ";
        n += (size_t)snprintf(text + n, PARSE_EXPECTED - n, "%s%s", link,
                              choice->texts[i]);
        assert(n < PARSE_EXPECTED);
    }
}

static void print_bound(const struct conf_option *o, double bound, char text[VALUE_TEXT])
{
    if (o->type == TYPE_time)
        value_print(o, (union value){.f64 = bound}, text);
    else if (o->type == TYPE_size)
        value_print(o, (union value){.u64 = (uint64_t)bound}, text);
    else
        units_print_number(text, bound);
}

const char *parse_expected(const struct conf_option *o, char text[PARSE_EXPECTED])
{
    char low[VALUE_TEXT], high[VALUE_TEXT];
    print_bound(o, o->min, low);
    print_bound(o, o->max, high);
    switch (o->type) {
    case TYPE_choice:
        list_choices(&option_choices[o->choice], text);
        break;
    case TYPE_bool:
        snprintf(text, PARSE_EXPECTED, "true or false");
        break;
    case TYPE_str:
        snprintf(text, PARSE_EXPECTED, "text of %s to %s bytes", low, high);
        break;
    case TYPE_steps:
        snprintf(text, PARSE_EXPECTED, "%s to %s steps, epochs (5e) or tokens (10Mt)",
                 low, high);
        break;
    case TYPE_f64:
        snprintf(text, PARSE_EXPECTED, "a number, %s to %s%s", low, high,
                 option_has_auto(o) ? ", or auto" : "");
        break;
    case TYPE_time:
        snprintf(text, PARSE_EXPECTED, "a duration of %s to %s", low, high);
        break;
    default:
        snprintf(text, PARSE_EXPECTED, "a whole number%s, %s to %s%s",
                 o->type == TYPE_size ? " of bytes" : "", low, high,
                 option_has_auto(o) ? ", or auto" : "");
    }
    return text;
}
