/* cmd_eval.c - `lockstep eval`: a checkpoint on the whole held-out text. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "coordinator/command.h"
#include "net/world.h"

struct evaluating {
    const char *run, *data;
    uint64_t step;
};

static const struct argp_option options[] = {
    {"run", 'r', "DIR", 0, "the run directory (required)", 0},
    {"data", 'd', "DIR", 0,
     "another data set with the same tokenizer (default: the run's)", 0},
    {"step", 's', "N", 0, "the checkpoint of this step (default: the newest)", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct evaluating *e = state->input;
    char *end;
    switch (key) {
    case 'r':
        e->run = argument;
        return 0;
    case 'd':
        e->data = argument;
        return 0;
    case 's':
        e->step = strtoull(argument, &end, 10);
        if (end == argument || *end || *argument == '-')
            argp_error(state, "--step %s: expected a step number", argument);
        return 0;
    case ARGP_KEY_END:
        if (!e->run)
            argp_error(state, "--run DIR is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "",
    "Prints held-out loss, perplexity and bits per byte of a checkpoint.\v"
    "Works beside a training that goes on, and under mpirun with many workers; the "
    "numbers are the same.\n\n"
    "Examples:\n"
    "  lockstep eval --run run\n"
    "  lockstep eval --run run --step 1500\n"
    "  mpirun -n 3 lockstep eval --run run\n",
    0,
    0,
    0};

/* The configuration is that of the checkpoint. */
static int load(const struct evaluating *e, struct conf *conf)
{
    char *dir = NULL;
    conf_init(conf);
    const int err = checkpoint_find(e->run, e->step, &dir);
    if (err) {
        if (err == ERR_NO_FILE)
            log_error("%s: there is no checkpoint in it", e->run);
        return err;
    }
    char *path = file_join(dir, "run.yaml"), word[4200];
    int failed = conf_load_file(conf, path);
    snprintf(word, sizeof word, "run.dir=%s", e->run);
    if (!failed)
        failed = conf_load_word(conf, word);
    if (!failed)
        failed = conf_load_word(conf, "run.resume=must");
    snprintf(word, sizeof word, "data.dir=%s", e->data ? e->data : "");
    if (!failed && e->data)
        failed = conf_load_word(conf, word);
    if (!failed)
        failed = conf_check(conf);
    if (!failed)
        failed = command_train_check(conf);
    mem_free(path);
    mem_free(dir);
    return failed;
}

int command_eval(int argc, char **argv)
{
    struct world world;
    world_peek(&world);
    log_silence(world.rank > 0);
    struct evaluating e = {.step = UINT64_MAX};
    const int usage =
        command_parse(&argp, argc, argv, world.rank > 0 ? ARGP_SILENT : 0, &e);
    if (usage)
        return usage;
    static struct conf conf;
    const int err = load(&e, &conf);
    conf.run.log_level = LEVEL_WARN;
    const struct cluster_job job = {
        .conf = &conf, .err = err, .eval_only = true, .eval_step = e.step};
    return cluster_run(&job);
}
