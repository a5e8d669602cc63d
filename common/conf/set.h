/* set.h - one option is set, from whatever source.  Private to conf.
 *
 * Sources have ranks, and a value yields only to one of the same or a higher rank, so
 * the order of the conf_load_ calls does not matter.  A value that yields is checked all
 * the same: a wrong line in a file is wrong even where the command line overrides it.
 */
#ifndef CONF_SET_H
#define CONF_SET_H

#include "conf/option.h"

enum set_rank { RANK_DEFAULT, RANK_FILE, RANK_ENVIRONMENT, RANK_WORD };

struct set_origin {
    enum set_rank rank;
    const char *where;  /* begins messages: "run.yaml:12:9" */
    const char *source; /* shown by --print-config: "run.yaml:12" */
};

/* Logs and returns ERR_INVALID, ERR_RANGE or ERR_UNKNOWN when the value does not do. */
int set_option(struct conf *c, const struct conf_option *o, const char *value,
               const struct set_origin *origin);

/* The same by key; an unknown one is logged with its nearest neighbour, ERR_UNKNOWN. */
int set_key(struct conf *c, const char *key, const char *value,
            const struct set_origin *origin);

/* Whoever made the value: keeps the end of @source, where the line number stands. */
void set_source(struct conf *c, enum option_id id, const char *source);

#endif
