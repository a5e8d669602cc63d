#include "conf/value.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"

/* The largest unit of which the value is a whole number, else seconds. */
static void print_time(double seconds, char text[VALUE_TEXT])
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (seconds > 0 && fmod(seconds, units[i].seconds) == 0) {
            snprintf(text, VALUE_TEXT, "%.0f%s", seconds / units[i].seconds,
                     units[i].name);
            return;
        }
    double back = 0;
    snprintf(text, VALUE_TEXT, "%.0fms", seconds * 1e3);
    if (units_parse_duration(text, &back) == ERR_OK && back == seconds)
        return;
    char number[UNITS_TEXT];
    snprintf(text, VALUE_TEXT, "%ss", units_print_number(number, seconds));
}

static void print_size(uint64_t bytes, char text[VALUE_TEXT])
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;
    for (; bytes && bytes % 1024 == 0 && i < 4; i++)
        bytes /= 1024;
    snprintf(text, VALUE_TEXT, "%llu%s", (unsigned long long)bytes, units[i]);
}

static bool is_auto(const struct conf_option *o, union value v)
{
    if (!option_has_auto(o))
        return false;
    return o->type == TYPE_f64 ? isnan(v.f64) : o->type == TYPE_u32 ? !v.u32 : !v.u64;
}

const char *value_print(const struct conf_option *o, union value v, char text[VALUE_TEXT])
{
    char number[UNITS_TEXT];
    if (is_auto(o, v))
        return "auto";
    switch (o->type) {
    case TYPE_u32:
        snprintf(text, VALUE_TEXT, "%lu", (unsigned long)v.u32);
        break;
    case TYPE_u64:
    case TYPE_count:
        snprintf(text, VALUE_TEXT, "%llu", (unsigned long long)v.u64);
        break;
    case TYPE_size:
        print_size(v.u64, text);
        break;
    case TYPE_f64:
        snprintf(text, VALUE_TEXT, "%s", units_print_number(number, v.f64));
        break;
    case TYPE_time:
        print_time(v.f64, text);
        break;
    case TYPE_steps:
        if (v.steps.unit == CONF_EPOCHS)
            snprintf(text, VALUE_TEXT, "%se", units_print_number(number, v.steps.count));
        else
            snprintf(text, VALUE_TEXT, "%.0f%s", v.steps.count,
                     v.steps.unit == CONF_TOKENS ? "t" : "");
        break;
    case TYPE_bool:
        return v.truth ? "true" : "false";
    case TYPE_str:
        return v.str;
    case TYPE_choice:
        return conf_choice_text(o->choice, v.choice);
    }
    return text;
}

static size_t field_bytes(enum option_type type)
{
    static const size_t bytes[] = {
        [TYPE_u32] = sizeof(conf_u32),     [TYPE_u64] = sizeof(conf_u64),
        [TYPE_f64] = sizeof(conf_f64),     [TYPE_bool] = sizeof(conf_bool),
        [TYPE_str] = sizeof(conf_str),     [TYPE_count] = sizeof(conf_count),
        [TYPE_steps] = sizeof(conf_steps), [TYPE_size] = sizeof(conf_size),
        [TYPE_time] = sizeof(conf_time),   [TYPE_choice] = sizeof(int)};
    return bytes[type];
}
static_assert(sizeof(enum conf_resume) == sizeof(int), "choices are stored as int");

/* All members of the union and the field begin at their first byte. */
union value value_get(const struct conf *c, const struct conf_option *o)
{
    union value v;
    memset(&v, 0, sizeof v);
    memcpy(&v, (const char *)c + o->offset, field_bytes(o->type));
    return v;
}

void value_set(struct conf *c, const struct conf_option *o, union value v)
{
    memcpy((char *)c + o->offset, &v, field_bytes(o->type));
}

const char *value_text(const struct conf *c, const struct conf_option *o,
                       char text[VALUE_TEXT])
{
    return value_print(o, value_get(c, o), text);
}
