/* conf.h - the options of a run: one table (options.def), many faces.
 *
 *      struct conf conf;
 *      conf_init(&conf);                              defaults,
 *      TRY(conf_load_file(&conf, "run.yaml"));        then the file,
 *      TRY(conf_load_env(&conf));                     then LOCKSTEP_GROUP_NAME,
 *      TRY(conf_load_word(&conf, "train.steps=10k")); then words of the command line
 *      TRY(conf_check(&conf));                        and what options must keep together
 *
 * A later source overrides an earlier one whatever the order of the calls, of two files
 * or two words the one loaded last; --print-config shows for each value which source set
 * it.  A conf_load_ that fails changes nothing.  Everything that fails says so once, with
 * file and line (or "environment LOCKSTEP_...", "command line"), the value, what was
 * expected and, for an unknown name, the nearest known one.  Errors: ERR_UNKNOWN,
 * ERR_INVALID, ERR_RANGE, ERR_CONFIG, ERR_NO_FILE.
 *
 * A loaded struct conf is plain data, read-only and freely shared; strings in it live as
 * long as the process.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ramp.h"

#define CHOICES(name)                                                                    \
    enum conf_##name                                                                     \
    {
#define VALUE(constant, text) constant,
#define END(name)                                                                        \
    }                                                                                    \
    ;
#include "conf/choices.def"
#undef CHOICES
#undef VALUE
#undef END

/* A length in steps, in epochs of the training data, or in tokens that are predicted. */
struct conf_steps {
    double count;
    enum conf_steps_unit { CONF_STEPS, CONF_EPOCHS, CONF_TOKENS } unit;
};

/* What a run's steps are: whole ones, and how they grow up to that. */
struct conf_scale {
    double steps_per_epoch, tokens_per_step;
    struct ramp ramp;
    uint32_t slices; /* of a whole step */
};

typedef uint32_t conf_u32;
typedef uint64_t conf_u64;
typedef double conf_f64;
typedef bool conf_bool;
typedef const char *conf_str;
typedef uint64_t conf_count;
typedef struct conf_steps conf_steps;
typedef uint64_t conf_size;
typedef double conf_time; /* seconds */

#define GROUP(group, title)              struct conf_##group {
#define OPT(type, group, name, ...)      conf_##type name;
#define CHOICE(choice, group, name, ...) enum conf_##choice name;
#define END(group)                                                                       \
    }                                                                                    \
    ;
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END

enum { CONF_OPTIONS_MAX = 128, CONF_SOURCE_MAX = 96 };

struct conf {
#define GROUP(group, title) struct conf_##group group;
#define OPT(...)
#define CHOICE(...)
#define END(group)
#include "conf/options.def"
#undef GROUP
#undef OPT
#undef CHOICE
#undef END
    /* private: for each row of the table, its rank among sources and their description
     * ("default", "run.yaml:12", "environment", "command line") */
    unsigned char rank[CONF_OPTIONS_MAX];
    char source[CONF_OPTIONS_MAX][CONF_SOURCE_MAX];
};

void conf_init(struct conf *c);
int conf_load_file(struct conf *c, const char *path);
/* YAML text that came with a message or lies in a run directory; @origin names it. */
int conf_load_text(struct conf *c, const char *text, size_t bytes, const char *origin);
int conf_load_env(struct conf *c);
int conf_load_word(struct conf *c, const char *word);

/* Resolve every "auto" that needs no data (kv_heads, ffn, dropouts), then check what
 * options must keep together: heads divide width, kv_heads divide heads, an even head
 * width for rotary, slices <= batch, lease > heartbeat ...  Call once, last.  Logs;
 * ERR_CONFIG. */
int conf_check(struct conf *c);

/* What is possible but odd - a warm-up longer than the run, post-norm without one -
 * as warnings with values and remedy: for whoever starts a run, once. */
void conf_advise(const struct conf *c);

/* A length in steps, rounded; at least 1 for a length above 0. */
uint64_t conf_steps_count(struct conf_steps s, struct conf_scale scale);

/* Hash of all SAME options: two processes may work together only if theirs are equal.
 * Of checked configurations, since "auto" and what it stands for differ. */
uint64_t conf_fingerprint(const struct conf *c);

/* Options flagged SAME in which two configurations differ: logs each with both values
 * under the names given, and returns how many.  The others that differ go to info. */
size_t conf_differences(const struct conf *a, const char *name_a, const struct conf *b,
                        const char *name_b);

/* The text of a choice's value: conf_choice_text(CHOICE_norm, NORM_RMS) is "rmsnorm". */
enum conf_choice_id {
#define CHOICES(name) CHOICE_##name,
#define VALUE(constant, text)
#define END(name)
#include "conf/choices.def"
#undef CHOICES
#undef VALUE
#undef END
    CHOICE_COUNT
};
const char *conf_choice_text(enum conf_choice_id choice, int value);

void conf_print(const struct conf *c, FILE *out); /* --print-config: value, source */
void conf_dump(const struct conf *c, FILE *out);  /* YAML that loads again, all values */
void conf_help(FILE *out);                        /* all options with unit, default */
void conf_doc(FILE *out);                         /* Markdown reference page */
/* Words for shell completion, one per line: "model.norm=", "model.norm=rmsnorm" */
void conf_complete(FILE *out);

#endif
