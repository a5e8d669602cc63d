/* The table of options, for terminals, the reference page and the shell. */
#include "base/wrap.h"
#include "conf/parse.h"

enum { INDENT = 32 };

static const struct {
    const char *word, *meaning;
} flags[] = {
    [OPTION_SAME] = {"fixed", "belongs to the result; must stay when a run is resumed"},
    [OPTION_PLAN] = {"plan", "about what is still to come; may change on resume"},
    [OPTION_LOCAL] = {"local", "each process its own; no influence on the result"},
};

static void help_option(const struct conf_option *o, FILE *out)
{
    char expected[PARSE_EXPECTED], facts[2 * PARSE_EXPECTED];
    int column = fprintf(out, "  %s=%s", o->key, o->initial);
    if (column > INDENT - 2) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", INDENT - column, "");
    wrap_words(out, o->help, INDENT);
    snprintf(facts, sizeof facts, "(%s; %s)", parse_expected(o, expected),
             flags[o->flag].word);
    fprintf(out, "\n%*s", INDENT, "");
    wrap_words(out, facts, INDENT);
    fputc('\n', out);
}

void conf_help(FILE *out)
{
    wrap_words(out,
         "Options of a run, with their defaults. An option is set, in rising priority, "
         "in the YAML file (name: value below its group), by the environment variable "
         "LOCKSTEP_GROUP_NAME, or as group.name=value on the command line.",
         0);
    fputs("\n\n", out);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fprintf(out, "  %-7s%s\n", flags[i].word, flags[i].meaning);
    int group = -1;
    OPTION_FOR_EACH(o)
    {
        if ((int)o->group != group)
            fprintf(out, "\n%s\n", option_groups[o->group].title);
        group = (int)o->group;
        help_option(o, out);
    }
}

/* A bar ends the cell of a table, also inside code. */
static void cell(const char *text, FILE *out)
{
    fputc(' ', out);
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" |", out);
}

static void doc_option(const struct conf_option *o, FILE *out)
{
    char expected[PARSE_EXPECTED];
    fprintf(out, "| `%s` |", o->key);
    if (*o->initial)
        fprintf(out, " `%s`", o->initial);
    fputs(" |", out);
    cell(parse_expected(o, expected), out);
    cell(flags[o->flag].word, out);
    cell(o->help, out);
    fputc('\n', out);
}

void conf_doc(FILE *out)
{
    fputs("# Options\n\n"
          "Made by `lockstep options --markdown` from `common/conf/options.def`.\n\n"
          "An option is set, in rising priority, in the YAML file, by an environment "
          "variable, or on the\ncommand line:\n\n"
          "```\n"
          "model:                           run.yaml\n"
          "  layers: 12\n"
          "LOCKSTEP_MODEL_LAYERS=12         environment\n"
          "model.layers=12                  command line\n"
          "```\n\n",
          out);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fprintf(out, "* *%s*: %s\n", flags[i].word, flags[i].meaning);
    int group = -1;
    OPTION_FOR_EACH(o)
    {
        if ((int)o->group != group)
            fprintf(out,
                    "\n## %s\n\n| option | default | value | kind | meaning |\n"
                    "|---|---|---|---|---|\n",
                    option_groups[o->group].title);
        group = (int)o->group;
        doc_option(o, out);
    }
}

void conf_complete(FILE *out)
{
    OPTION_FOR_EACH(o)
    {
        fprintf(out, "%s=\n", o->key);
        if (o->type == TYPE_bool)
            fprintf(out, "%s=true\n%s=false\n", o->key, o->key);
        if (o->type == TYPE_choice)
            for (size_t i = 0; i < option_choices[o->choice].count; i++)
                fprintf(out, "%s=%s\n", o->key, option_choices[o->choice].texts[i]);
    }
}
