/* cmd_average.c - `lockstep average`: the mean of several checkpoints as one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/command.h"
#include "coordinator/mean.h"

struct averaging {
    const char **path;
    size_t paths;
    const char *out;
    size_t last, best; /* 0: not given */
};

enum { LAST = 256, BEST };

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "the folder to be made (required)", 0},
    {"last", LAST, "N", 0, "of all that are named, the N newest", 0},
    {"best", BEST, "N", 0, "of all that are named, the N of lowest held-out loss", 0},
    {0}};

static size_t count(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end || *text == '-' || n == 0 || n > 1000000)
        argp_error(state, "--%s %s: expected a whole number from 1 on", option, text);
    return n;
}

static void check(struct argp_state *state, const struct averaging *a)
{
    if (a->paths == 0)
        argp_error(state, "no RUN or CHECKPOINT is given");
    if (!a->out)
        argp_error(state, "--out DIR is missing");
    if (a->last && a->best)
        argp_error(state, "--last and --best exclude each other");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct averaging *a = state->input;
    switch (key) {
    case 'o':
        a->out = argument;
        return 0;
    case LAST:
        a->last = count(state, "last", argument);
        return 0;
    case BEST:
        a->best = count(state, "best", argument);
        return 0;
    case ARGP_KEY_ARG:
        a->path = mem_resize(a->path, (a->paths + 1) * sizeof *a->path);
        a->path[a->paths++] = argument;
        return 0;
    case ARGP_KEY_END:
        check(state, a);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "RUN|CHECKPOINT...",
    "Writes a checkpoint whose parameters are the mean of those of others, all of one "
    "configuration; often better than each of them.\v"
    "Of a run all its checkpoints count: train.keep_last says how many it keeps. The "
    "result has no moments: `eval`, `generate` and `inspect` take it, `train` does "
    "not.\n\n"
    "Examples:\n"
    "  lockstep average run --last 5 --out mean\n"
    "  lockstep average run --best 3 --out run/best-3\n"
    "  lockstep eval --run mean\n",
    0,
    0,
    0};

static int average(const struct averaging *a, struct mean *m)
{
    for (size_t i = 0; i < a->paths; i++)
        TRY(mean_gather(m, a->path[i]));
    if (a->last)
        TRY(mean_pick_last(m, a->last));
    else if (a->best)
        TRY(mean_pick_best(m, a->best));
    else
        TRY(mean_pick_all(m));
    TRY(mean_write(m, a->out));
    printf("%s: the mean of\n", a->out);
    for (size_t i = 0; i < m->n; i++)
        printf("  %s\n", m->part[i].dir);
    return ERR_OK;
}

int command_average(int argc, char **argv)
{
    struct averaging a = {0};
    struct mean m = {0};
    int code = command_parse(&argp, argc, argv, 0, &a);
    if (!code)
        code = err_exit_code(average(&a, &m));
    mean_free(&m);
    mem_free(a.path);
    return code;
}
