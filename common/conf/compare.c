/* Comparison by canonical texts (value.h), of resolved configurations. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "conf/value.h"

/* A chain over the SAME options in the order of the table: each link hashes the chain so
 * far, the key and the value. */
uint64_t conf_fingerprint(const struct conf *c)
{
    uint64_t chain = 0;
    OPTION_FOR_EACH(o)
    {
        if (o->flag != OPTION_SAME)
            continue;
        char buffer[VALUE_TEXT];
        const char *text = value_text(c, o, buffer);
        const uint64_t link[] = {chain, hash64(o->key, strlen(o->key)),
                                 hash64(text, strlen(text))};
        chain = hash64(link, sizeof link);
    }
    return chain;
}

size_t conf_differences(const struct conf *a, const char *name_a, const struct conf *b,
                        const char *name_b)
{
    size_t count = 0;
    OPTION_FOR_EACH(o)
    {
        char buffer_a[VALUE_TEXT], buffer_b[VALUE_TEXT];
        const char *text_a = value_text(a, o, buffer_a);
        const char *text_b = value_text(b, o, buffer_b);
        if (strcmp(text_a, text_b) == 0)
            continue;
        const bool same = o->flag == OPTION_SAME;
        log_write(same ? LOG_ERROR : LOG_INFO, "%s: %s has '%s', %s has '%s'%s", o->key,
                  name_a, text_a, name_b, text_b,
                  same ? "; it belongs to the result and must be equal" : "");
        count += same;
    }
    return count;
}
