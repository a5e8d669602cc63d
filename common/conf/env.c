#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/plain.h"
#include "conf/set.h"

static const char prefix[] = "LOCKSTEP_";
static const char fail_points[] = "LOCKSTEP_FAIL="; /* base/failpoint.h */

enum { NAME_MAX_BYTES = 64, VARIABLE_MAX_BYTES = 2 * NAME_MAX_BYTES };

/* model.kv_heads -> LOCKSTEP_MODEL_KV_HEADS */
static const char *variable_of(const char *key, char variable[NAME_MAX_BYTES])
{
    size_t n = sizeof prefix - 1;
    memcpy(variable, prefix, n);
    for (; *key; key++) {
        assert(n + 1 < NAME_MAX_BYTES);
        variable[n++] = (char)(*key == '.' ? '_' : toupper((unsigned char)*key));
    }
    variable[n] = '\0';
    return variable;
}

/* LOCKSTEP_MODEL_KV_HEADS -> model.kv_heads; false when no group begins so.  A name that
 * is cut is longer than every option's. */
static bool key_of(const char *variable, char key[NAME_MAX_BYTES])
{
    for (int g = 0; g < GROUP_COUNT; g++) {
        char start[NAME_MAX_BYTES];
        variable_of(option_groups[g].name, start);
        const size_t n = strlen(start);
        if (strncmp(variable, start, n) != 0 || variable[n] != '_')
            continue;
        snprintf(key, NAME_MAX_BYTES, "%s.%s", option_groups[g].name, variable + n + 1);
        for (char *p = key; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        return true;
    }
    return false;
}

static void say_unknown(enum log_level level, const char *name, const char *reaction,
                        const char *meant)
{
    char shown[PLAIN_SHOWN], variable[NAME_MAX_BYTES];
    log_write(level, "environment %s: no such option, %s%s%s%s", plain_shown(shown, name),
              reaction, meant ? "; did you mean " : "",
              meant ? variable_of(meant, variable) : "", meant ? "?" : "");
}

static int load_one(struct conf *c, const char *name, const char *value)
{
    char key[NAME_MAX_BYTES], where[VARIABLE_MAX_BYTES + sizeof "environment "];
    if (!key_of(name, key)) {
        say_unknown(LOG_WARN, name, "ignored", option_nearest(name + sizeof prefix - 1));
        return ERR_OK;
    }
    const struct conf_option *o = option_find(key);
    char variable[NAME_MAX_BYTES];
    if (!o || strcmp(variable_of(key, variable), name) != 0) {
        say_unknown(LOG_ERROR, name, "correct or unset it",
                    o ? o->key : option_nearest(key));
        return ERR_UNKNOWN;
    }
    snprintf(where, sizeof where, "environment %.*s", NAME_MAX_BYTES, name);
    return set_option(c, o, value,
                      &(struct set_origin){RANK_ENVIRONMENT, where, "environment"});
}

int conf_load_env(struct conf *c)
{
    int first = ERR_OK;
    struct conf next = *c;
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (strncmp(*entry, prefix, sizeof prefix - 1) != 0 || !equals)
            continue;
        if (strncmp(*entry, fail_points, sizeof fail_points - 1) == 0)
            continue;
        char name[VARIABLE_MAX_BYTES];
        const size_t n = (size_t)(equals - *entry);
        snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name),
                 *entry);
        const int err = load_one(&next, name, equals + 1);
        first = first ? first : err;
    }
    if (!first)
        *c = next;
    return first;
}
