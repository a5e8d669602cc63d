/* cmd_scale.c - `lockstep scale`: how a training's speed grows with its workers, measured
 * in short trainings of its own (trial.h). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/run_dir.h"
#include "coordinator/command.h"
#include "coordinator/scale/scale_plan.h"
#include "coordinator/scale/scale_runs.h"
#include "coordinator/scale/scaling_report.h"
#include "coordinator/trial.h"

enum { MOST_STEPS = 1000000, MOST_REPEATS = 1000 };

struct scale {
    struct scale_asked asked;
    struct scale_plan plan;
    struct scale_runs runs;
    const char **launch; /* [runs.launch_n], owned */
    bool again, json;
    double load; /* of this machine, before */
    char *scratch;
    struct scaling_point *point; /* [plan.n] */
};

enum { STRONG = 256, WEAK, REPEATS, STEPS, WARM_UP, AGAIN, JSON, AGENT, MCA };

static const struct argp_option options[] = {
    {"workers", 'n', "LIST", 0,
     "counts of workers, as 1,2,4 (default: 1, 2, 4, ... to one per slot of the hosts, "
     "or "
     "per core of this machine)",
     0},
    {"hostfile", 'f', "FILE", 0, "their hosts, as for `lockstep launch`", 0},
    {"strong", STRONG, 0, 0, "strong scaling alone: one batch for all counts", 0},
    {"weak", WEAK, 0, 0,
     "weak scaling alone: batch and slices grow with the workers (default: both)", 0},
    {"repeats", REPEATS, "N", 0, "runs of each point (default: 3)", 0},
    {"steps", STEPS, "N", 0, "steps of a run that are measured (default: 30)", 0},
    {"warm-up", WARM_UP, "N", 0, "steps before them that are not (default: 5)", 0},
    {"out", 'o', "DIR", 0, "where the report goes (default: scale)", 0},
    {"again", AGAIN, 0, 0, "measure again what DIR/scale.json has already", 0},
    {"json", JSON, 0, 0, "print DIR/scale.json instead of the tables", 0},
    {"agent", AGENT, "PROGRAM", 0, "how hosts are reached, as for `lockstep launch`", 0},
    {"mca", MCA, "NAME VALUE", 0, "a setting for mpirun, as for `lockstep launch`", 0},
    {0}};

/* --- arguments --- */

static void take_counts(struct scale_asked *a, const char *list, struct argp_state *state)
{
    a->counts = 0;
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        char *end;
        const unsigned long n = strtoul(at, &end, 10);
        const bool rises = a->counts == 0 || n > a->count[a->counts - 1];
        if (end == at || *at == '-' || (*end && *end != ',') || n < 1 ||
            n > SCALE_WORKERS || !rises || a->counts == SCALING_COUNTS)
            argp_error(state,
                       "-n %s: expected at most %d rising counts from 1 to %d, as 1,2,4",
                       list, SCALING_COUNTS, SCALE_WORKERS);
        a->count[a->counts++] = (unsigned)n;
    }
}

static void launch_word(struct scale *s, const char *word)
{
    s->launch = mem_resize(s->launch, (s->runs.launch_n + 1) * sizeof *s->launch);
    s->launch[s->runs.launch_n++] = word;
}

static void take_mca(struct scale *s, const char *name, struct argp_state *state)
{
    if (state->next >= state->argc)
        argp_error(state, "--mca %s: its value is missing", name);
    launch_word(s, "--mca");
    launch_word(s, name);
    launch_word(s, state->argv[state->next++]);
}

static double take_whole(struct argp_state *state, const char *option, const char *text,
                         double most)
{
    const double n = command_number(state, option, text, 1, most);
    if (n != floor(n))
        argp_error(state, "--%s %s: expected a whole number", option, text);
    return n;
}

static error_t parse_length(int key, const char *argument, struct scale *s,
                            struct argp_state *state)
{
    switch (key) {
    case REPEATS:
        s->runs.repeats = (unsigned)take_whole(state, "repeats", argument, MOST_REPEATS);
        return 0;
    case STEPS:
        s->asked.length.steps =
            (uint64_t)take_whole(state, "steps", argument, MOST_STEPS);
        return 0;
    case WARM_UP:
        s->asked.length.warm_up =
            (uint64_t)take_whole(state, "warm-up", argument, MOST_STEPS);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct scale *s = state->input;
    switch (key) {
    case 'n':
        take_counts(&s->asked, argument, state);
        return 0;
    case 'f':
        s->asked.hostfile = argument;
        return 0;
    case STRONG:
    case WEAK:
        s->asked.mode[key == STRONG ? SCALING_STRONG : SCALING_WEAK] = true;
        return 0;
    case 'o':
        s->runs.out = argument;
        return 0;
    case AGAIN:
        s->again = true;
        return 0;
    case JSON:
        s->json = true;
        return 0;
    case AGENT:
        s->asked.agent = argument;
        launch_word(s, "--agent");
        launch_word(s, argument);
        return 0;
    case MCA:
        take_mca(s, argument, state);
        return 0;
    case ARGP_KEY_ARG:
        return command_conf_take(&s->asked.conf, argument) ? EINVAL : 0;
    default:
        return parse_length(key, argument, s, state);
    }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE.yaml] [group.name=value...]",
    "Measures how a training scales: for each count of workers some short trainings "
    "under "
    "mpirun, in turns; tokens/s, speed-up, efficiency, share of the peak, where the time "
    "of a step goes, bytes against the least that is possible, what limits.\v"
    "Prints tables; DIR has scale.md, scale.csv, scale.json and pictures as SVG, and the "
    "logs of the runs. Ctrl-C ends the run that goes on and writes what is there; the "
    "same command goes on from it. A point whose workers have more compute threads than "
    "their host has cores is measured and marked: it shows behaviour, not scaling. "
    "Without cluster.threads every worker has a slot's share of its host's cores, or of "
    "this machine's with the largest count.\n\n"
    "Exit codes: 0 all is measured, 64 usage, 65 scale.json is damaged, 66 no such file, "
    "69 a host does not answer, 73 in use, 75 stopped on request, 78 configuration; of "
    "runs that failed that of the last one, as of `lockstep launch`, or 70.\n\n"
    "Examples:\n"
    "  lockstep scale -n 1,2 run.yaml data.dir=data\n"
    "  lockstep scale --strong --repeats 5 --out scale/gpt run.yaml\n"
    "  lockstep scale --hostfile hosts -n 1,2,4,8,16 --steps 100 run.yaml\n"
    "  lockstep scale --hostfile hosts --mca btl_tcp_if_include eth0 run.yaml\n",
    0,
    0,
    0};

/* --- the report --- */

static struct scaling_report report_of(const struct scale *s)
{
    const struct scale_plan *p = &s->plan;
    const struct scale_runs *r = &s->runs;
    return (struct scaling_report){.version = LOCKSTEP_VERSION,
                                   .wall = clock_wall(),
                                   .fingerprint = p->fingerprint,
                                   .file = s->asked.conf.file,
                                   .word = s->asked.conf.words,
                                   .words = s->asked.conf.n,
                                   .pairs = p->pairs,
                                   .precision =
                                       p->bfloat16_products ? "bfloat16" : "float32",
                                   .facts = p->facts,
                                   .length = s->asked.length,
                                   .repeats = r->repeats,
                                   .threads = p->threads,
                                   .stopped = r->stopped,
                                   .here = p->here,
                                   .load = s->load,
                                   .hosts = p->hosts.n > 0,
                                   .machine = p->machine,
                                   .machines = p->machines,
                                   .run = r->run,
                                   .runs = r->n,
                                   .point = s->point,
                                   .points = p->n,
                                   .failure = r->failure,
                                   .failures = r->failures,
                                   .others = r->others};
}

static void find_points(struct scale *s)
{
    scaling_points(s->point, s->plan.config, s->plan.n, s->runs.run, s->runs.n,
                   &s->plan.facts);
}

static int save(void *ctx)
{
    struct scale *s = ctx;
    find_points(s);
    const struct scaling_report report = report_of(s);
    return scaling_report_save(&report, s->runs.out);
}

static int write_report(struct scale *s)
{
    find_points(s);
    const struct scaling_report report = report_of(s);
    TRY(scaling_report_files(&report, s->runs.out));
    (s->json ? scaling_report_json : scaling_report_tables)(&report, stdout);
    if (fflush(stdout) != 0) {
        log_error("could not write to standard output: %s", strerror(errno));
        return ERR_IO;
    }
    log_info("%s/scale.md has the report, scale.csv and scale.json the numbers",
             s->runs.out);
    return ERR_OK;
}

/* --- all of it --- */

/* Where others compute, too, nothing can be measured. */
static void look_around(struct scale *s)
{
    const double quiet = 0.25;
    s->load = NAN;
    if (s->plan.hosts.n > 0 || getloadavg(&s->load, 1) != 1)
        return;
    if (s->load > quiet)
        log_warn(
            "this machine is not quiet: load %.2f in the last minute; what is measured "
            "will scatter, or mislead",
            s->load);
}

static int measure(struct scale *s)
{
    TRY(scale_runs_open(&s->runs, s->again));
    if (s->runs.kept)
        log_info("%zu run%s of %s/scale.json %s not made again", s->runs.kept,
                 s->runs.kept == 1 ? "" : "s", s->runs.out,
                 s->runs.kept == 1 ? "is" : "are");
    look_around(s);
    trial_take_signals();
    TRY(scale_runs_make(&s->runs, save, s));
    if (s->runs.n == 0) {
        if (s->runs.stopped)
            log_info("asked to stop before anything was measured; nothing is reported");
        else
            log_error("nothing was measured: every run failed, see the messages above");
        return s->runs.stopped ? ERR_STOPPED : ERR_NO_PROGRESS;
    }
    TRY(write_report(s));
    return s->runs.stopped ? ERR_STOPPED : ERR_OK;
}

/* The exit code. */
static int scale(struct scale *s)
{
    struct run_dir own; /* two at once would disturb each other, and not only here */
    s->scratch = file_join(s->runs.out, "run.scratch");
    s->asked.scratch = s->scratch;
    int err = scale_plan_make(&s->plan, &s->asked);
    if (err)
        return err_exit_code(err);
    s->point = mem_zalloc(s->plan.n * sizeof *s->point);
    err = run_dir_open(&own, s->runs.out);
    if (!err) {
        err = measure(s);
        run_dir_close(&own);
    }
    if (err == ERR_OK || err == ERR_NO_PROGRESS)
        return s->runs.failed_code ? s->runs.failed_code : err_exit_code(err);
    return err_exit_code(err);
}

int command_scale(int argc, char **argv)
{
    struct scale s = {.asked.length = {.warm_up = 5, .steps = 30},
                      .runs = {.out = "scale", .repeats = 3}};
    launch_word(&s, "--restarts"); /* a start that fails is a run that fails */
    launch_word(&s, "1");
    int code = command_parse(&argp, argc, argv, 0, &s);
    if (!s.asked.mode[SCALING_STRONG] && !s.asked.mode[SCALING_WEAK])
        s.asked.mode[SCALING_STRONG] = s.asked.mode[SCALING_WEAK] = true;
    s.runs.plan = &s.plan;
    s.runs.asked = &s.asked;
    s.runs.launch = s.launch;
    if (code == 0)
        code = scale(&s);
    scale_runs_close(&s.runs);
    scale_plan_fini(&s.plan);
    mem_free(s.point);
    mem_free(s.launch);
    mem_free(s.scratch);
    mem_free(s.asked.conf.words);
    return code;
}
