/* cmd_options.c - `lockstep options`: the option table in its several forms. */
#include "base/failpoint.h"
#include "coordinator/command.h"

static const struct argp_option options[] = {
    {"markdown", 'm', 0, 0, "as a Markdown page", 0},
    {"words", 'w', 0, 0, "names and choices, a word per line, for shell completion", 0},
#ifdef LOCKSTEP_FAILPOINTS
    {"failpoints", 'f', 0, 0, "the fail points of this build, for LOCKSTEP_FAIL", 0},
#endif
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    void (**print)(FILE *) = state->input;
    (void)argument;
    switch (key) {
    case 'm':
        *print = conf_doc;
        return 0;
    case 'w':
        *print = conf_complete;
        return 0;
    case 'f':
        *print = failpoint_list;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "",
    "Prints every option of a run: unit, default, meaning.\v"
    "An option is set, in rising priority, in the YAML file, by the environment variable "
    "LOCKSTEP_GROUP_NAME, or as group.name=value on the command line.\n\n"
    "Examples:\n"
    "  lockstep options | less\n"
    "  LOCKSTEP_TRAIN_STEPS=10k lockstep train run.yaml optim.lr=3e-4\n",
    0,
    0,
    0};

int command_options(int argc, char **argv)
{
    void (*print)(FILE *) = conf_help;
    const int code = command_parse(&argp, argc, argv, 0, &print);
    if (!code)
        print(stdout);
    return code;
}
