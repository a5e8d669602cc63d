/* cmd_train.c - `lockstep train`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/command.h"
#include "coordinator/estimate.h"
#include "data/dataset.h"
#include "net/world.h"

struct training {
    struct command_conf conf;
    bool print_config, dry_run;
};

enum { PRINT_CONFIG = 256, DRY_RUN };

static const struct argp_option options[] = {
    {"print-config", PRINT_CONFIG, 0, 0,
     "show every option, its value and where it came from", 0},
    {"dry-run", DRY_RUN, 0, 0, "say what would happen: parameters, memory, traffic, time",
     0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct training *t = state->input;
    switch (key) {
    case PRINT_CONFIG:
        t->print_config = true;
        return 0;
    case DRY_RUN:
        t->dry_run = true;
        return 0;
    case ARGP_KEY_ARG:
        return command_conf_take(&t->conf, argument) ? EINVAL : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE.yaml] [group.name=value...]",
    "Trains a model on data that `lockstep prepare` wrote.\v"
    "Under mpirun rank 0 is the coordinator and the others are workers; without it both "
    "are in this process. The same command goes on from the newest checkpoint. SIGTERM, "
    "SIGINT and SIGUSR1 mean: finish the step, write a checkpoint, leave with 75. "
    "`lockstep options` lists all options.\n\n"
    "Examples:\n"
    "  lockstep train run.dir=run data.dir=data model.layers=4 train.steps=1k\n"
    "  mpirun -n 3 lockstep train run.yaml run.dir=run data.dir=data\n"
    "  lockstep train run.yaml --dry-run\n"
    "  lockstep train run.yaml optim.lr=3e-4 --print-config\n",
    0,
    0,
    0};

static int missing(const char *option, const char *what)
{
    log_error("%s is not set; name %s, for example %s=%s", option, what, option,
              strcmp(option, "run.dir") == 0 ? "run" : "data");
    return ERR_CONFIG;
}

int command_train_check(const struct conf *conf)
{
    if (!*conf->run.dir)
        return missing("run.dir", "the directory for checkpoints and logs");
    if (!*conf->data.dir)
        return missing("data.dir", "the folder that `lockstep prepare` wrote");
    char *tokenizer = file_join(conf->data.dir, DATASET_TOKENIZER);
    const bool there = file_exists(tokenizer);
    mem_free(tokenizer);
    if (!there) {
        log_error(
            "data.dir %s: no data set there; make one with `lockstep prepare --out %s "
            "FILE...`",
            conf->data.dir, conf->data.dir);
        return ERR_NO_FILE;
    }
    return ERR_OK;
}

static int only_tell(const struct training *t, const struct conf *conf,
                     const struct world *world, int err)
{
    if (world->rank == 0 && !err && t->print_config)
        conf_print(conf, stdout);
    if (world->rank == 0 && !err && t->dry_run)
        err = command_train_check(conf);
    if (world->rank == 0 && !err && t->dry_run)
        err = estimate_print(conf, world->size > 1 ? world->size - 1 : 1, stdout);
    return err_exit_code(err);
}

int command_train(int argc, char **argv)
{
    struct world world;
    world_peek(&world);
    log_silence(world.rank > 0); /* what all ranks would say, rank 0 says */
    struct training t = {0};
    const int usage =
        command_parse(&argp, argc, argv, world.rank > 0 ? ARGP_SILENT : 0, &t);
    if (usage)
        return usage;
    static struct conf conf;
    int err = command_conf_load(&t.conf, &conf);
    if (!err)
        conf_advise(&conf);
    if (t.print_config || t.dry_run)
        return only_tell(&t, &conf, &world, err);
    if (!err && world.rank == 0)
        err = command_train_check(&conf);
    const struct cluster_job job = {.conf = &conf, .err = err};
    return cluster_run(&job);
}
