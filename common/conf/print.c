/* A configuration with its values: for people, and as a file that loads again. */
#include <string.h>

#include "conf/value.h"

/* Empty text and text with spaces is shown so that it can be seen. */
static const char *quote_of(const struct conf_option *o, const char *text)
{
    return o->type == TYPE_str && (!*text || strchr(text, ' ')) ? "'" : "";
}

void conf_print(const struct conf *c, FILE *out)
{
    enum { VALUE_COLUMNS = 16 };
    int widest = 0;
    OPTION_FOR_EACH(o)
    if ((int)strlen(o->key) > widest)
        widest = (int)strlen(o->key);
    OPTION_FOR_EACH(o)
    {
        char buffer[VALUE_TEXT];
        const char *text = value_text(c, o, buffer), *quote = quote_of(o, text);
        const int used = (int)(strlen(text) + 2 * strlen(quote));
        fprintf(out, "%-*s  %s%s%s%*s  (%s)\n", widest, o->key, quote, text, quote,
                used < VALUE_COLUMNS ? VALUE_COLUMNS - used : 0, "",
                c->source[option_id(o)]);
    }
}

/* Strings were plain when they were set: only two characters need care. */
static void dump_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs("\"\n", out);
}

void conf_dump(const struct conf *c, FILE *out)
{
    const struct conf_option *o = option_rows;
    for (int g = 0; g < GROUP_COUNT; g++) {
        fprintf(out, "%s:\n", option_groups[g].name);
        for (; o < option_rows + OPTION_COUNT && (int)o->group == g; o++) {
            char buffer[VALUE_TEXT];
            const char *text = value_text(c, o, buffer);
            fprintf(out, "  %s: ", o->name);
            if (o->type == TYPE_str)
                dump_string(text, out);
            else
                fprintf(out, "%s\n", text);
        }
    }
}
