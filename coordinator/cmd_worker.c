/* cmd_worker.c - `lockstep worker`: one more worker for a run that goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/run_dir.h"
#include "coordinator/access.h"
#include "coordinator/command.h"
#include "worker/join.h"

struct joining {
    const char *address, *token_file, *run_dir;
    unsigned threads;
    double wait_s;
};

static const struct argp_option options[] = {
    {"join", 'j', "HOST:PORT", 0, "the coordinator; RUN/address has it", 0},
    {"token-file", 't', "FILE", 0,
     "a copy of RUN/token, readable by you alone (default: $LOCKSTEP_TOKEN_FILE)", 0},
    {"run", 'r', "RUN", 0,
     "the run directory, where it is shared: instead of both, and found again when the job "
     "was started anew",
     0},
    {"threads", 'T', "N", 0, "compute threads (default: one per core)", 0},
    {"wait", 'w', "TIME", 0,
     "how long to look for a coordinator that cannot be reached (default 30s)", 0},
    {0}};

static error_t number(const char *what, const char *argument, double least, double most,
                      double *x)
{
    char *end;
    *x = strtod(argument, &end);
    if (end > argument && *end == '\0' && *x >= least && *x <= most)
        return 0;
    log_error("--%s %s: expected a number of %g to %g", what, argument, least, most);
    return EINVAL;
}

static error_t take_wait(struct joining *j, const char *argument)
{
    if (units_parse_duration(argument, &j->wait_s) == ERR_OK && j->wait_s <= 86400)
        return 0;
    log_error("--wait %s: expected a duration of 0 to 1d, for example 30s", argument);
    return EINVAL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct joining *j = state->input;
    double x;
    switch (key) {
    case 'j':
        j->address = argument;
        return 0;
    case 't':
        j->token_file = argument;
        return 0;
    case 'r':
        j->run_dir = argument;
        return 0;
    case 'T':
        if (number("threads", argument, 1, 1024, &x))
            return EINVAL;
        j->threads = (unsigned)x;
        return 0;
    case 'w':
        return take_wait(j, argument);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "",
    "Joins a run that goes on, over TCP, and computes until the run ends.\v"
    "Needs neither MPI nor the run's configuration or data: the coordinator sends all of "
    "it. The first slice it computes is compared with another worker's before anything "
    "depends on it. SIGTERM, SIGINT and SIGUSR1 mean: deliver what is begun, then leave. "
    "When it was given up although it lives it joins again.\n\n"
    "Examples:\n"
    "  lockstep worker --run /shared/run\n"
    "  lockstep worker --join node7:41873 --token-file token --threads 8\n",
    0,
    0,
    0};

static int find(void *ctx, char address[CONTROL_ADDRESS], uint8_t token[AUTH_TOKEN])
{
    const struct joining *j = ctx;
    if (j->address)
        snprintf(address, CONTROL_ADDRESS, "%s", j->address);
    else
        TRY(access_read_address(j->run_dir, address));
    if (j->token_file)
        return access_read_token(j->token_file, token);
    char *path = file_join(j->run_dir, ACCESS_TOKEN);
    const int err = access_read_token(path, token);
    mem_free(path);
    return err;
}

static bool is_done(void *ctx)
{
    const struct joining *j = ctx;
    struct run_status status;
    return j->run_dir && run_status_read(j->run_dir, &status) == ERR_OK &&
           strcmp(status.state, "done") == 0;
}

static int check(struct joining *j)
{
    if (!j->token_file)
        j->token_file = getenv("LOCKSTEP_TOKEN_FILE");
    if (j->run_dir || (j->address && j->token_file))
        return ERR_OK;
    log_error("%s; name the run directory with --run, or --join HOST:PORT and "
              "--token-file FILE",
              j->address ? "no token file is named" : "no coordinator is named");
    return ERR_INVALID;
}

int command_worker(int argc, char **argv)
{
    struct joining j = {.wait_s = 30};
    const int usage = command_parse(&argp, argc, argv, 0, &j);
    if (usage)
        return usage;
    const int err = check(&j);
    if (err)
        return err_exit_code(err);
    const struct join_options o = {.find = find,
                                   .is_done = is_done,
                                   .ctx = &j,
                                   .threads = j.threads,
                                   .wait_s = j.wait_s};
    return cluster_join(&o);
}
