/* option.h - the rows of options.def and choices.def as data.  Private to conf.
 *
 * An option is known by its number (OPTION_model_layers, its place in the table, the
 * index into struct conf's rank and source) and by its key ("model.layers").
 *
 * Constant tables: no state, any thread.
 */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stddef.h>

#include "conf/conf.h"

enum option_id {
#define GROUP(group, title)
#define OPT(type, group, name, ...)      OPTION_##group##_##name,
#define CHOICE(choice, group, name, ...) OPTION_##group##_##name,
#define END(group)
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END
    OPTION_COUNT
};

enum option_group_id {
#define GROUP(group, title) GROUP_##group,
#define OPT(...)
#define CHOICE(...)
#define END(group)
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END
    GROUP_COUNT
};

enum option_type {
    TYPE_u32,
    TYPE_u64,
    TYPE_f64,
    TYPE_bool,
    TYPE_str,
    TYPE_count,
    TYPE_steps,
    TYPE_size,
    TYPE_time,
    TYPE_choice
};

enum option_flag { OPTION_SAME, OPTION_PLAN, OPTION_LOCAL };

struct conf_option {
    enum option_group_id group;
    const char *key;  /* "model.layers" */
    const char *name; /* "layers" */
    const char *help;
    const char *initial; /* the default, as text */
    enum option_type type;
    enum conf_choice_id choice; /* of TYPE_choice */
    enum option_flag flag;
    double min, max; /* base units; not of TYPE_choice */
    size_t offset;   /* of the field in struct conf */
};

struct option_group {
    const char *name, *title;
};

struct option_choice {
    const char *const *texts; /* the index is the enum's value */
    size_t count;
};

extern const struct conf_option option_rows[OPTION_COUNT];
extern const struct option_group option_groups[GROUP_COUNT];
extern const struct option_choice option_choices[CHOICE_COUNT];

#define OPTION_FOR_EACH(o)                                                               \
    for (const struct conf_option *o = option_rows; o < option_rows + OPTION_COUNT; o++)

/* "model.layers", and nothing else; NULL if there is none */
const struct conf_option *option_find(const char *key);

/* "model"; GROUP_COUNT if there is none */
enum option_group_id option_find_group(const char *name);

/* The key somebody probably meant: by the whole key, else by the name alone; or NULL */
const char *option_nearest(const char *key);
const char *option_nearest_group(const char *name);

/* Is "auto" allowed, to be resolved later?  (For a choice or a string it is a value.) */
bool option_has_auto(const struct conf_option *o);

enum option_id option_id(const struct conf_option *o);

#endif
