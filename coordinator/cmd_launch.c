/* cmd_launch.c - `lockstep launch`: owns the life of a run.  mpirun's exit status says
 * little (it is 0 when ranks were killed under --enable-recovery), so the verdict is read
 * from status.json, which only the coordinator writes. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/run_dir.h"
#include "coordinator/command.h"
#include "coordinator/mpirun.h"

enum { POLL_MS = 50, GRACE_S = 5, RESTARTS_WITHOUT_PROGRESS = 3 };

struct launch {
    struct command_conf conf;
    struct mpirun_options mpirun;
};

static volatile sig_atomic_t asked;

static void on_signal(int signum)
{
    (void)signum;
    asked++;
}

static const struct argp_option options[] = {
    {"workers", 'n', "N", 0,
     "workers to start, besides the coordinator (default: one per core)", 0},
    {"hostfile", 'f', "FILE", 0, "hosts to use, as mpirun's --hostfile", 0},
    {"verbose", 'v', 0, 0, "print the mpirun command", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct launch *l = state->input;
    switch (key) {
    case 'n': {
        char *end;
        const long n = strtol(argument, &end, 10);
        if (*end || end == argument || n < 1 || n > 4095)
            argp_error(state, "-n %s: expected a number of workers from 1 to 4095",
                       argument);
        l->mpirun.workers = (unsigned)n;
        return 0;
    }
    case 'f':
        l->mpirun.hostfile = argument;
        return 0;
    case 'v':
        l->mpirun.verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        return command_conf_take(&l->conf, argument) ? EINVAL : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE.yaml] [group.name=value...]",
    "Starts a coordinator and workers under mpirun and watches over them: restarts from "
    "the newest checkpoint when the job is lost, ends an mpirun that hangs, and returns "
    "an honest exit code.\v"
    "SIGTERM, SIGINT (Ctrl-C) and SIGUSR1 mean: finish the step, write a checkpoint, "
    "leave with 75; run the same command again to go on. A second signal ends at "
    "once.\n\n"
    "Exit codes: 0 done, 64 usage, 65 bad data or no good checkpoint, 66 no such file, "
    "69 a worker was lost, 70 no progress, 73 run directory in use, 74 input/output, "
    "75 stopped on request, 78 configuration.\n\n"
    "Examples:\n"
    "  lockstep launch -n 2 run.yaml run.dir=run train.steps=10k\n"
    "  lockstep launch -n 16 --hostfile hosts run.yaml\n",
    0,
    0,
    0};

static bool final_state(const struct run_status *s)
{
    return strcmp(s->state, "running") != 0 && strcmp(s->state, "starting") != 0;
}

/* Runs mpirun once to its end.  Returns true with the verdict the coordinator left, false
 * when it left none. */
static bool run_once(struct launch *l, const char *run_dir, struct run_status *verdict)
{
    struct mpirun m = {0};
    const double start = clock_wall();
    int status = 0, told = 0;
    double final_since = 0;
    if (mpirun_start(&m, &l->mpirun) != ERR_OK)
        return false;
    while (!mpirun_ended(&m, &status)) {
        if (asked > told) {
            told = asked;
            if (told == 1)
                mpirun_ask(&m);
            else
                mpirun_end(&m);
            if (m.pid == 0)
                break;
        }
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        const bool ended = run_status_read(run_dir, verdict) == ERR_OK &&
                           verdict->updated >= start && final_state(verdict);
        if (ended && final_since == 0)
            final_since = clock_wall();
        if (ended && clock_wall() - final_since > GRACE_S) {
            log_warn("mpirun did not end %d s after the run did; ending it", GRACE_S);
            mpirun_end(&m);
            break;
        }
    }
    mpirun_clean(&m);
    if (run_status_read(run_dir, verdict) == ERR_OK && verdict->updated >= start &&
        final_state(verdict))
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        log_error(
            "mpirun is not installed or not on PATH; install the package openmpi-bin");
        *verdict = (struct run_status){.exit_code = err_exit_code(ERR_CONFIG)};
        return true;
    }
    if (verdict->updated < start) { /* nobody got as far as a status: mpirun said why */
        *verdict =
            (struct run_status){.exit_code = WIFEXITED(status) && WEXITSTATUS(status)
                                                 ? WEXITSTATUS(status)
                                                 : err_exit_code(ERR_NO_PROGRESS)};
        return true;
    }
    return false;
}

static int watch(struct launch *l, const char *run_dir)
{
    uint64_t reached = 0;
    for (int idle = 0; idle < RESTARTS_WITHOUT_PROGRESS;) {
        struct run_status verdict = {0};
        const bool ended = run_once(l, run_dir, &verdict);
        if (ended && verdict.exit_code != err_exit_code(ERR_CLOSED))
            return verdict.exit_code;
        if (asked)
            return ended ? verdict.exit_code : err_exit_code(ERR_CLOSED);
        idle = verdict.step > reached ? 0 : idle + 1;
        reached = verdict.step > reached ? verdict.step : reached;
        log_warn("%s was lost at step %llu; starting again from the newest checkpoint",
                 ended ? "a worker" : "the coordinator",
                 (unsigned long long)verdict.step);
    }
    log_error("%d starts without progress; see the messages above and %s/log.jsonl",
              RESTARTS_WITHOUT_PROGRESS, run_dir);
    return err_exit_code(ERR_NO_PROGRESS);
}

static int nobody_has(const char *run_dir)
{
    struct run_dir r;
    TRY(run_dir_open(&r, run_dir));
    run_dir_close(&r);
    return ERR_OK;
}

int command_launch(int argc, char **argv)
{
    struct launch l = {
        .mpirun = {.workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .train = "train"}};
    const int usage = command_parse(&argp, argc, argv, 0, &l);
    if (usage)
        return usage;
    static struct conf conf;
    int err = command_conf_load(&l.conf, &conf);
    if (!err)
        err = command_train_check(&conf);
    if (!err)
        err = nobody_has(conf.run.dir);
    if (err)
        return err_exit_code(err);

    if (l.conf.file) {
        l.conf.words = mem_resize(l.conf.words, (l.conf.n + 1) * sizeof *l.conf.words);
        l.conf.words[l.conf.n++] = l.conf.file;
    }
    l.mpirun.words = l.conf.words;
    l.mpirun.n = l.conf.n;
    const struct sigaction ask = {.sa_handler = on_signal};
    sigaction(SIGTERM, &ask, NULL);
    sigaction(SIGINT, &ask, NULL);
    sigaction(SIGUSR1, &ask, NULL);
    return watch(&l, conf.run.dir);
}
