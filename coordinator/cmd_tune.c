/* cmd_tune.c - `lockstep tune lr`: the learning-rate range test (optim/range_test.h), as
 * a short training of its own (trial.h). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/command.h"
#include "coordinator/range_report.h"
#include "coordinator/trial.h"
#include "coordinator/trial_conf.h"
#include "metrics/progress.h"
#include "optim/range_test.h"

enum { STEPS_MIN = 20, STEPS_MAX = 100000, WORKERS_MAX = 4095 };

struct tuning {
    struct command_conf conf;
    bool lr, json;
    double from, to;
    size_t steps;
    const char *out, *checkpoint;
    struct trial_conf words;
    struct trial_options trial;
    char *scratch; /* OUT/lr.scratch, the run directory of the trial */
    struct trial running;
    struct range_test test;
    bool enough;
};

enum { FROM = 256, TO, STEPS, CHECKPOINT, JSON };

static const struct argp_option options[] = {
    {"from", FROM, "RATE", 0, "the first learning rate (default: 1e-6)", 0},
    {"to", TO, "RATE", 0, "the last one, unless the loss explodes before (default: 1)",
     0},
    {"steps", STEPS, "N", 0,
     "steps from the one to the other (default: 200; fewer propose rates that are too "
     "high)",
     0},
    {"out", 'o', "DIR", 0, "where lr.svg and lr.jsonl go (default: tune)", 0},
    {"checkpoint", CHECKPOINT, "DIR", 0,
     "start from the parameters of this run or checkpoint, not from new ones", 0},
    {"workers", 'n', "N", 0,
     "start a coordinator and N workers under mpirun (default: this machine, one "
     "process)",
     0},
    {"hostfile", 'f', "FILE", 0, "their hosts, as for `lockstep launch`", 0},
    {"json", JSON, 0, 0, "print one JSON object instead of the table", 0},
    {0}};

static double take_rate(const char *flag, const char *argument, struct argp_state *state)
{
    double x = 0;
    if (units_parse_number(argument, &x) != ERR_OK || !(x >= 1e-12 && x <= 10))
        argp_error(state, "%s %s: expected a learning rate from 1e-12 to 10", flag,
                   argument);
    return x;
}

static size_t take_count(const char *flag, const char *argument, double least,
                         double most, struct argp_state *state)
{
    double n = 0;
    if (units_parse_count(argument, &n) != ERR_OK || n < least || n > most)
        argp_error(state, "%s %s: expected a number from %.0f to %.0f", flag, argument,
                   least, most);
    return (size_t)n;
}

static error_t take_argument(struct tuning *t, const char *argument,
                             struct argp_state *state)
{
    if (t->lr)
        return command_conf_take(&t->conf, argument) ? EINVAL : 0;
    if (strcmp(argument, "lr") != 0)
        argp_error(state, "%s: expected what to tune: lr", argument);
    t->lr = true;
    return 0;
}

static error_t take_end(const struct tuning *t, struct argp_state *state)
{
    if (!t->lr)
        argp_error(state, "what to tune is missing: lr");
    if (t->from >= t->to)
        argp_error(state, "--from %g must be below --to %g", t->from, t->to);
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct tuning *t = state->input;
    switch (key) {
    case FROM:
        t->from = take_rate("--from", argument, state);
        return 0;
    case TO:
        t->to = take_rate("--to", argument, state);
        return 0;
    case STEPS:
        t->steps = take_count("--steps", argument, STEPS_MIN, STEPS_MAX, state);
        return 0;
    case 'o':
        t->out = argument;
        return 0;
    case CHECKPOINT:
        t->checkpoint = argument;
        return 0;
    case 'n':
        t->trial.workers = (unsigned)take_count("-n", argument, 1, WORKERS_MAX, state);
        return 0;
    case 'f':
        t->trial.hostfile = argument;
        return 0;
    case JSON:
        t->json = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(t, argument, state);
    case ARGP_KEY_END:
        return take_end(t, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "lr [FILE.yaml] [group.name=value...]",
    "Finds a learning rate: trains for some steps while the rate rises from tiny to huge "
    "(Smith 2017), and proposes the one at which the loss has come most of its way "
    "down.\v"
    "Prints rates and losses and the option to set; OUT/lr.svg has the curve, "
    "OUT/lr.jsonl "
    "every step. It is the training that `lockstep train` or, with -n, `lockstep launch` "
    "would make of the same options, but for the schedule, and leaves no run directory. "
    "Ctrl-C ends it without a proposal.\n\n"
    "Exit codes: 0 a rate is proposed, 64 usage, 66 no such file, 70 none can be, 75 "
    "stopped on request, 78 configuration; others as of `lockstep launch`.\n\n"
    "Examples:\n"
    "  lockstep tune lr run.yaml data.dir=data\n"
    "  lockstep tune lr -n 2 run.yaml data.dir=data --from 1e-5 --steps 400\n"
    "  lockstep tune lr run.yaml data.dir=data --checkpoint run --json\n",
    0,
    0,
    0};

/* --- the trial --- */

static void tuning_fini(struct tuning *t)
{
    trial_conf_fini(&t->words);
    mem_free(t->conf.words);
    mem_free(t->scratch);
    range_test_fini(&t->test);
}

static int load(struct tuning *t, struct conf *conf)
{
    struct trial_conf *w = &t->words;
    trial_conf_init(w, &t->conf);
    trial_conf_quiet(w, t->scratch);
    if (t->checkpoint)
        trial_conf_word(w, "run.from", t->checkpoint);
    trial_conf_word(w, "optim.schedule", "range_test");
    trial_conf_number(w, "optim.lr_min", t->from);
    trial_conf_number(w, "optim.lr", t->to);
    trial_conf_number(w, "optim.decay_steps", (double)t->steps);
    trial_conf_number(w, "train.steps", (double)t->steps);
    trial_conf_number(w, "train.checkpoint_every", (double)t->steps);
    return trial_conf_load(w, conf);
}

static void on_step(void *ctx, const struct journal_record *r)
{
    struct tuning *t = ctx;
    if (t->enough)
        return;
    struct metrics m;
    metrics_unknown(&m);
    m.loss = r->loss;
    m.rate = r->rate;
    m.norm = r->norm;
    progress_step(r->step + 1, t->steps, &m);
    t->enough = !range_test_add(&t->test, r->rate, r->loss) || t->test.n == t->steps;
}

/* False: it has shown what it was for, or cannot be read. */
static bool look(void *ctx)
{
    struct tuning *t = ctx;
    return trial_steps(&t->running, on_step, t) == ERR_OK && !t->test.diverged;
}

/* The exit code; 0: there is something to report. */
static int run(struct tuning *t, uint64_t log_every)
{
    if (trial_start(&t->running, &t->trial) != ERR_OK)
        return err_exit_code(ERR_IO);
    progress_start(log_every);
    const int code = trial_wait(&t->running, look, t);
    progress_stop();
    if (trial_asked()) {
        log_info("asked to stop after %zu of %zu steps; nothing is proposed", t->test.n,
                 t->steps);
        return err_exit_code(ERR_STOPPED);
    }
    return t->enough ? 0 : code ? code : err_exit_code(ERR_CLOSED);
}

static int report(const struct tuning *t)
{
    struct range_proposal p;
    range_test_propose(&t->test, &p);
    const int err = range_report_files(t->out, &t->test, &p);
    if (err)
        return err_exit_code(err);
    (t->json ? range_report_json : range_report_table)(&t->test, &p, stdout);
    if (fflush(stdout) != 0) {
        log_error("could not write to standard output: %s", strerror(errno));
        return err_exit_code(ERR_IO);
    }
    log_info("%s/lr.svg has the curve, %s/lr.jsonl every step", t->out, t->out);
    return range_test_proposes(&p) ? 0 : err_exit_code(ERR_NO_PROGRESS);
}

static int tune(struct tuning *t)
{
    static struct conf conf;
    t->scratch = file_join(t->out, "lr.scratch");
    range_test_init(&t->test, t->steps);
    int err = load(t, &conf);
    if (!err)
        err = trial_scratch_clear(t->out, t->scratch);
    if (err)
        return err_exit_code(err);
    trial_take_signals();
    t->trial.file = t->words.conf.file;
    t->trial.words = t->words.conf.words;
    t->trial.n = t->words.conf.n;
    t->trial.run_dir = t->scratch;
    const int code = run(t, conf.run.log_every);
    file_remove_tree(t->scratch);
    return code ? code : report(t);
}

int command_tune(int argc, char **argv)
{
    struct tuning t = {.from = 1e-6, .to = 1, .steps = 200, .out = "tune"};
    int code = command_parse(&argp, argc, argv, 0, &t);
    if (code == 0)
        code = tune(&t);
    tuning_fini(&t);
    return code;
}
