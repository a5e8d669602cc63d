#include "conf/option.h"

#include <assert.h>
#include <string.h>

#include "base/nearest.h"

static_assert((int)OPTION_COUNT <= (int)CONF_OPTIONS_MAX, "raise CONF_OPTIONS_MAX");

const struct conf_option option_rows[OPTION_COUNT] = {
#define GROUP(group, title)
#define END(group)
#define OPT(kind, in, called, preset, low, high, flags, text)                            \
    {.group = GROUP_##in,                                                                \
     .key = #in "." #called,                                                             \
     .name = #called,                                                                    \
     .help = text,                                                                       \
     .initial = preset,                                                                  \
     .type = TYPE_##kind,                                                                \
     .flag = OPTION_##flags,                                                             \
     .min = low,                                                                         \
     .max = high,                                                                        \
     .offset = offsetof(struct conf, in.called)},
#define CHOICE(kind, in, called, preset, flags, text)                                    \
    {.group = GROUP_##in,                                                                \
     .key = #in "." #called,                                                             \
     .name = #called,                                                                    \
     .help = text,                                                                       \
     .initial = preset,                                                                  \
     .type = TYPE_choice,                                                                \
     .choice = CHOICE_##kind,                                                            \
     .flag = OPTION_##flags,                                                             \
     .offset = offsetof(struct conf, in.called)},
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END
};

const struct option_group option_groups[GROUP_COUNT] = {
#define GROUP(group, title) {#group, title},
#define OPT(...)
#define CHOICE(...)
#define END(group)
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END
};

#define CHOICES(name)         static const char *const texts_##name[] = {
#define VALUE(constant, text) text,
#define END(name)                                                                        \
    }                                                                                    \
    ;
#include "conf/choices.def"
#undef CHOICES
#undef VALUE
#undef END

const struct option_choice option_choices[CHOICE_COUNT] = {
#define CHOICES(name) {texts_##name, sizeof texts_##name / sizeof *texts_##name},
#define VALUE(constant, text)
#define END(name)
#include "conf/choices.def"
#undef CHOICES
#undef VALUE
#undef END
};

const char *conf_choice_text(enum conf_choice_id choice, int value)
{
    assert((unsigned)choice < CHOICE_COUNT);
    assert(value >= 0 && (size_t)value < option_choices[choice].count);
    return option_choices[choice].texts[value];
}

const struct conf_option *option_find(const char *key)
{
    OPTION_FOR_EACH(o)
    if (strcmp(o->key, key) == 0)
        return o;
    return NULL;
}

enum option_group_id option_find_group(const char *name)
{
    for (int g = 0; g < GROUP_COUNT; g++)
        if (strcmp(option_groups[g].name, name) == 0)
            return (enum option_group_id)g;
    return GROUP_COUNT;
}

const char *option_nearest(const char *key)
{
    const char *keys[OPTION_COUNT], *names[OPTION_COUNT];
    OPTION_FOR_EACH(o)
    {
        keys[option_id(o)] = o->key;
        names[option_id(o)] = o->name;
    }
    const char *found = nearest(key, keys, OPTION_COUNT);
    if (found)
        return found;
    const char *dot = strchr(key, '.');
    const char *name = nearest(dot ? dot + 1 : key, names, OPTION_COUNT);
    OPTION_FOR_EACH(o)
    if (o->name == name)
        return o->key;
    return NULL;
}

const char *option_nearest_group(const char *name)
{
    const char *names[GROUP_COUNT];
    for (int g = 0; g < GROUP_COUNT; g++)
        names[g] = option_groups[g].name;
    return nearest(name, names, GROUP_COUNT);
}

bool option_has_auto(const struct conf_option *o)
{
    return o->type != TYPE_choice && o->type != TYPE_str &&
           strcmp(o->initial, "auto") == 0;
}

enum option_id option_id(const struct conf_option *o)
{
    assert(o >= option_rows && o < option_rows + OPTION_COUNT);
    return (enum option_id)(o - option_rows);
}
