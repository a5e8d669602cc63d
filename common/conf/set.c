#include "conf/set.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/nearest.h"
#include "conf/intern.h"
#include "conf/parse.h"
#include "conf/plain.h"

void set_source(struct conf *c, enum option_id id, const char *source)
{
    const size_t n = strlen(source);
    if (n < CONF_SOURCE_MAX)
        memcpy(c->source[id], source, n + 1);
    else
        snprintf(c->source[id], CONF_SOURCE_MAX, "...%s",
                 source + n - (CONF_SOURCE_MAX - sizeof "..."));
}

static const char *nearest_choice(const struct conf_option *o, const char *value)
{
    if (o->type != TYPE_choice)
        return NULL;
    const struct option_choice *choice = &option_choices[o->choice];
    return nearest(value, choice->texts, choice->count);
}

static void complain(const struct conf_option *o, const char *value, const char *where)
{
    char shown[PLAIN_SHOWN], expected[PARSE_EXPECTED];
    const char *meant = nearest_choice(o, value);
    log_error("%s: %s is '%s', expected %s%s%s%s", where, o->key,
              plain_shown(shown, value), parse_expected(o, expected),
              meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

int set_option(struct conf *c, const struct conf_option *o, const char *value,
               const struct set_origin *origin)
{
    union value v;
    const int err = parse_value(o, value, &v);
    if (err) {
        complain(o, value, origin->where);
        return err;
    }
    const enum option_id id = option_id(o);
    if (origin->rank < c->rank[id])
        return ERR_OK;
    if (o->type == TYPE_str)
        v.str = intern(v.str);
    value_set(c, o, v);
    c->rank[id] = (unsigned char)origin->rank;
    set_source(c, id, origin->source);
    return ERR_OK;
}

int set_key(struct conf *c, const char *key, const char *value,
            const struct set_origin *origin)
{
    const struct conf_option *o = option_find(key);
    if (o)
        return set_option(c, o, value, origin);
    char shown[PLAIN_SHOWN];
    const char *meant = option_nearest(key);
    log_error("%s: unknown option '%s'%s%s%s", origin->where, plain_shown(shown, key),
              meant ? "; did you mean '" : "; `lockstep options` lists all",
              meant ? meant : "", meant ? "'?" : "");
    return ERR_UNKNOWN;
}
