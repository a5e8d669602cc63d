/* cmd_launch.c - `lockstep launch`: owns the life of a run, of as many starts as it takes
 * (start.h). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/journal.h"
#include "checkpoint/run_dir.h"
#include "coordinator/command.h"
#include "coordinator/hostfile.h"
#include "coordinator/mpirun.h"
#include "coordinator/probe.h"
#include "coordinator/start.h"

enum { POLL_MS = 50, LONGEST_WAIT_S = 60, LARGEST_RESTARTS = 1000000 };

struct launch {
    struct command_conf conf;
    struct mpirun_options mpirun;
    struct mpirun_setting *settings; /* owned; the mpirun options have them, too */
    const char *hostfile;
    struct hosts hosts;
    unsigned workers;  /* asked for; 0: one per slot, or per core of this machine */
    unsigned restarts; /* that may follow each other without progress */
};

static volatile sig_atomic_t asked;

static void on_signal(int signum)
{
    (void)signum;
    asked++;
}

enum { MCA = 256, AGENT, RESTARTS };

static const struct argp_option options[] = {
    {"workers", 'n', "N", 0,
     "workers to start, besides the coordinator (default: one per slot of the hosts, or "
     "per core of this machine)",
     0},
    {"hostfile", 'f', "FILE", 0,
     "hosts to use, a line each: NAME [slots=N]; a slot is a worker", 0},
    {"agent", AGENT, "PROGRAM", 0,
     "how hosts are reached, as PROGRAM HOST COMMAND (default: ssh, without questions)",
     0},
    {"mca", MCA, "NAME VALUE", 0,
     "a setting for mpirun, such as btl_tcp_if_include eth0; as often as needed", 0},
    {"restarts", RESTARTS, "N", 0,
     "give up when so many starts in a row make no progress (default: 3)", 0},
    {"verbose", 'v', 0, 0, "print the mpirun command", 0},
    {0}};

static unsigned number(const char *flag, const char *what, const char *argument,
                       long most, const struct argp_state *state)
{
    char *end;
    const long n = strtol(argument, &end, 10);
    if (*end || end == argument || n < 1 || n > most)
        argp_error(state, "%s %s: expected 1 to %ld %s", flag, argument, most, what);
    return (unsigned)n;
}

static void take_setting(struct launch *l, const char *name, struct argp_state *state)
{
    if (state->next >= state->argc)
        argp_error(state, "--mca %s: its value is missing", name);
    const size_t n = l->mpirun.n_settings++;
    l->settings = mem_resize(l->settings, (n + 1) * sizeof *l->settings);
    l->settings[n] = (struct mpirun_setting){name, state->argv[state->next++]};
    l->mpirun.settings = l->settings;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct launch *l = state->input;
    switch (key) {
    case 'n':
        l->workers = number("-n", "workers", argument, 4095, state);
        return 0;
    case 'f':
        l->hostfile = argument;
        return 0;
    case AGENT:
        l->mpirun.agent = argument;
        return 0;
    case MCA:
        take_setting(l, argument, state);
        return 0;
    case RESTARTS:
        l->restarts = number("--restarts", "restarts", argument, LARGEST_RESTARTS, state);
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
    "the newest checkpoint when the job is lost, on the hosts that still answer, ends an "
    "mpirun that hangs, and returns an honest exit code.\v"
    "SIGTERM, SIGINT (Ctrl-C) and SIGUSR1 mean: finish the step, write a checkpoint, "
    "leave with 75; run the same command again to go on. A second signal ends at "
    "once.\n\n"
    "Exit codes: 0 done, 64 usage, 65 bad data or no good checkpoint, 66 no such file, "
    "69 all workers were lost, 70 no progress, 73 run directory in use, 74 input/output, "
    "75 stopped on request, 78 configuration.\n\n"
    "Examples:\n"
    "  lockstep launch -n 2 run.yaml run.dir=run train.steps=10k\n"
    "  lockstep launch --hostfile hosts run.yaml\n"
    "  lockstep launch --hostfile hosts --mca btl_tcp_if_include eth0 run.yaml\n",
    0,
    0,
    0};

/* --- hosts -----------------------------------------------------------------------------
 */

/* Before every start: on which hosts, and how many workers.  ERR_TIMEOUT, logged, when no
 * host answers. */
static int choose_hosts(struct launch *l)
{
    if (!l->hostfile)
        return ERR_OK;
    probe_hosts(&l->hosts, l->mpirun.agent);
    l->mpirun.workers = hosts_workers(&l->hosts, l->workers);
    if (l->mpirun.workers == 0) {
        log_error("none of the %zu hosts in %s answers", l->hosts.n, l->hostfile);
        return ERR_TIMEOUT;
    }
    if (l->mpirun.workers < l->workers)
        log_warn("starting %u workers instead of %u", l->mpirun.workers, l->workers);
    mem_free((char *)l->mpirun.hosts);
    l->mpirun.hosts = hosts_argument(&l->hosts);
    return ERR_OK;
}

static int prepare_hosts(struct launch *l)
{
    if (!l->mpirun.agent)
        l->mpirun.agent = probe_agent;
    if (l->hostfile)
        TRY(hostfile_read(l->hostfile, &l->hosts));
    if (l->workers == 0)
        l->workers = l->hostfile ? hosts_slots(&l->hosts)
                                 : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    l->mpirun.workers = l->workers;
    return ERR_OK;
}

/* --- all starts ------------------------------------------------------------------------
 */

/* 1, 2, 4 s ... after starts that led nowhere: what is wrong may pass.  A request to stop
 * ends the wait. */
static void wait_before(unsigned idle)
{
    const double seconds = idle > 6 ? LONGEST_WAIT_S : 1u << (idle - 1);
    const double end = clock_seconds() + seconds;
    log_info("waiting %g s before the next start", seconds);
    while (!asked && clock_seconds() < end)
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
}

/* What became of one start, as the next one needs it. */
static int start_once(struct launch *l, const char *run_dir, const char **lost)
{
    struct run_status status;
    *lost = "every host";
    if (choose_hosts(l) != ERR_OK)
        return err_exit_code(ERR_CLOSED);
    const struct start_options o = {
        .mpirun = &l->mpirun, .run_dir = run_dir, .hosts = &l->hosts, .asked = &asked};
    const bool ended = start_job(&o, &status);
    *lost = ended ? "a worker" : "the coordinator";
    return ended ? status.exit_code : err_exit_code(ERR_CLOSED);
}

/* A run directory that was free at the first start may still be held by a coordinator
 * that was cut off, while that ends. */
static bool start_again(int exit_code, bool first)
{
    return exit_code == err_exit_code(ERR_CLOSED) ||
           (!first && exit_code == err_exit_code(ERR_BUSY));
}

struct newest {
    uint64_t version; /* the newest that was decided, since the run went back last */
    uint64_t data;    /* steps whose data were taken or left out */
    uint64_t offset;  /* between the two */
};

static void take_newest(void *ctx, const struct journal_record *r)
{
    struct newest *n = ctx;
    if (r->kind == JOURNAL_REWIND) {
        n->version = r->step;
        n->offset = r->targets;
    }
    if (journal_is_step(r->kind) && r->step + 1 > n->version)
        n->version = r->step + 1;
    if (n->version + n->offset > n->data)
        n->data = n->version + n->offset;
}

/* How far it has come: data is the measure of progress, because versions may go back.
 * status.json is up to a second behind it, and a step computed again is none. */
static struct newest newest_of(const char *run_dir)
{
    struct newest n = {0};
    char *path = file_join(run_dir, "journal");
    if (file_exists(path))
        journal_read(run_dir, take_newest, &n);
    mem_free(path);
    return n;
}

static int watch(struct launch *l, const char *run_dir)
{
    uint64_t reached = newest_of(run_dir).data;
    unsigned idle = 0;
    for (bool first = true; idle < l->restarts; first = false) {
        const char *lost;
        const int code = start_once(l, run_dir, &lost);
        if (asked || !start_again(code, first))
            return code;
        const struct newest now = newest_of(run_dir);
        idle = now.data > reached ? 0 : idle + 1;
        reached = now.data;
        const bool again = idle < l->restarts;
        log_warn("%s was lost at step %llu%s", lost, (unsigned long long)now.version,
                 again ? "; starting again from the newest checkpoint" : "");
        if (idle > 0 && again)
            wait_before(idle);
    }
    log_error("%u starts without progress; see the messages above and %s/log.jsonl",
              l->restarts, run_dir);
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
    struct launch l = {.mpirun = {.train = "train"}, .restarts = 3};
    const int usage = command_parse(&argp, argc, argv, 0, &l);
    if (usage)
        return usage;
    failpoint_forget(); /* they are for the ranks */
    static struct conf conf;
    int err = command_conf_load(&l.conf, &conf);
    if (!err)
        err = command_train_check(&conf);
    if (!err)
        err = nobody_has(conf.run.dir);
    if (!err)
        err = prepare_hosts(&l);
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
