/* main.c - the program `lockstep`: finds the sub-command and hands over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/nearest.h"
#include "coordinator/command.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"prepare", command_prepare, "turn text files into token files and a tokenizer"},
    {"train", command_train, "train a model; under mpirun: coordinator and workers"},
    {"launch", command_launch, "start mpirun with the right options and watch over it"},
    {"worker", command_worker, "one more worker for a run that goes on"},
    {"eval", command_eval, "held-out loss, perplexity and bits per byte of a checkpoint"},
    {"generate", command_generate, "sample text from a checkpoint"},
    {"translate", command_translate, "translate lines with a model that has an encoder"},
    {"score", command_score, "BLEU and chrF of translations"},
    {"average", command_average, "one model out of several checkpoints: their mean"},
    {"inspect", command_inspect, "what is in a run, a checkpoint, a token file"},
    {"tune", command_tune, "propose a learning rate: a short training at rising rates"},
    {"scale", command_scale, "how the speed grows with the workers: an experiment"},
    {"bench", command_bench, "how well this machine is used, and what limits training"},
    {"compare", command_compare, "runs side by side: a metric, its best, the curves"},
    {"doctor", command_doctor, "what is wrong with a run, and what to change"},
    {"options", command_options, "every option, its unit, default and meaning"},
    {"agent", command_agent, NULL}, /* not for people */
    {"orphan", command_orphan, NULL},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out)
{
    fprintf(out,
            "Usage: lockstep COMMAND [ARGUMENT...]\n"
            "Trains Transformers on clusters of CPU machines; the same weights, to the "
            "bit, on any number of workers.\n\n");
    for (int i = 0; i < COMMANDS; i++)
        if (commands[i].help)
            fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n"
                 "  lockstep COMMAND --help   what it does, with examples\n"
                 "  lockstep --version\n\n"
                 "A first run:\n"
                 "  lockstep prepare --out data --tokenizer bpe:1024 book.txt\n"
                 "  lockstep launch -n 2 run.dir=run data.dir=data train.steps=500\n"
                 "  lockstep generate --run run --prompt \"Once upon\"\n");
}

static int unknown(const char *name)
{
    const char *names[COMMANDS];
    size_t n = 0;
    for (int i = 0; i < COMMANDS; i++)
        if (commands[i].help)
            names[n++] = commands[i].name;
    const char *near = nearest(name, names, n);
    log_error("unknown command '%s'%s%s%s; lockstep --help lists them", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return err_exit_code(ERR_INVALID);
}

int main(int argc, char **argv)
{
    log_init("", LOG_INFO);
    const int unknown_fail = failpoint_start();
    if (unknown_fail)
        return err_exit_code(unknown_fail);
    if (argc < 2) {
        usage(stderr);
        return err_exit_code(ERR_INVALID);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("lockstep " LOCKSTEP_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            static char name[64];
            snprintf(name, sizeof name, "lockstep %s", commands[i].name);
            argv[1] = name;
            return commands[i].run(argc - 1, argv + 1);
        }
    return unknown(argv[1]);
}
