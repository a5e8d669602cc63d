/* cmd_eval.c - `lockstep eval`: a checkpoint on the whole held-out text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/command.h"
#include "net/world.h"

struct evaluating {
    const char *run, *data;
    uint64_t step;
    bool ema;
    char *checkpoint; /* found; owned */
};

enum { AVERAGE = 256 };

static const struct argp_option options[] = {
    {"run", 'r', "DIR", 0, "the run directory, or a checkpoint in it (required)", 0},
    {"data", 'd', "DIR", 0,
     "another data set with the same tokenizer (default: the run's)", 0},
    {"step", 's', "N", 0, "the checkpoint of this step (default: the newest)", 0},
    {"ema", AVERAGE, 0, 0, "the average of the parameters (optim.ema)", 0},
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
    case AVERAGE:
        e->ema = true;
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
    "Prints held-out loss, perplexity and bits per byte of a checkpoint and, where the run "
    "has translate.bleu, the BLEU of the held-out sources translated.\v"
    "Works beside a training that goes on, and under mpirun with many workers; the "
    "numbers are the same. BLEU of other sources: lockstep translate, lockstep "
    "score.\n\n"
    "Examples:\n"
    "  lockstep eval --run run\n"
    "  lockstep eval --run run --step 1500\n"
    "  lockstep eval --run run/checkpoints/step-00001500 --ema\n"
    "  mpirun -n 3 lockstep eval --run run\n",
    0,
    0,
    0};

/* The configuration is that of the checkpoint. */
static int load(struct evaluating *e, struct conf *conf)
{
    char word[4200];
    TRY(command_find_checkpoint(e->run, e->step, &e->checkpoint));
    TRY(command_checkpoint_conf(e->checkpoint, conf));
    snprintf(word, sizeof word, "run.dir=%s", e->run);
    TRY(conf_load_word(conf, word));
    snprintf(word, sizeof word, "data.dir=%s", e->data ? e->data : "");
    if (e->data)
        TRY(conf_load_word(conf, word));
    TRY(conf_check(conf));
    return command_train_check(conf);
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
    const struct cluster_job job = {.conf = &conf,
                                    .err = err,
                                    .eval_only = true,
                                    .checkpoint = e.checkpoint,
                                    .ema = e.ema};
    const int code = cluster_run(&job);
    mem_free(e.checkpoint);
    return code;
}
