#include "coordinator/command.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/checkpoint.h"

int command_conf_take(struct command_conf *a, const char *argument)
{
    if (strchr(argument, '=')) {
        a->words = mem_resize(a->words, (a->n + 1) * sizeof *a->words);
        a->words[a->n++] = argument;
        return ERR_OK;
    }
    if (a->file) {
        log_error(
            "two configuration files, %s and %s; expected one file and key=value words",
            a->file, argument);
        return ERR_INVALID;
    }
    a->file = argument;
    return ERR_OK;
}

int command_conf_load(const struct command_conf *a, struct conf *conf)
{
    conf_init(conf);
    if (a->file)
        TRY(conf_load_file(conf, a->file));
    TRY(conf_load_env(conf));
    for (size_t i = 0; i < a->n; i++)
        TRY(conf_load_word(conf, a->words[i]));
    return conf_check(conf);
}

int command_find_checkpoint(const char *path, uint64_t step, char **dir)
{
    char *manifest = file_join(path, "MANIFEST");
    const bool is_checkpoint = file_exists(manifest);
    mem_free(manifest);
    if (is_checkpoint) {
        *dir = mem_strdup(path);
        return checkpoint_verify(path);
    }
    const int err = checkpoint_find(path, step, dir);
    if (err == ERR_NO_FILE)
        log_error(
            "%s: there is no checkpoint in it; train first, or name another directory",
            path);
    return err;
}

int command_checkpoint_conf(const char *dir, struct conf *conf)
{
    char *path = file_join(dir, "run.yaml");
    conf_init(conf);
    const int err = conf_load_file(conf, path);
    mem_free(path);
    return err;
}

int command_parse(const struct argp *argp, int argc, char **argv, unsigned flags,
                  void *input)
{
    argp_err_exit_status = err_exit_code(ERR_INVALID);
    return argp_parse(argp, argc, argv, flags, NULL, input) ? err_exit_code(ERR_INVALID)
                                                            : 0;
}

double command_number(struct argp_state *state, const char *option, const char *text,
                      double min, double max)
{
    double x;
    if ((units_parse_count(text, &x) != ERR_OK &&
         units_parse_number(text, &x) != ERR_OK) ||
        x < min || x > max)
        argp_error(state, "--%s %s: expected a number from %g to %g", option, text, min,
                   max);
    return x;
}
