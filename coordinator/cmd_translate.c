/* cmd_translate.c - `lockstep translate`: lines of one language into those of another. */
#include <signal.h>

#include "base/err.h"
#include "base/log.h"
#include "coordinator/command.h"
#include "coordinator/translation.h"
#include "net/world.h"

enum {
    MAX_LENGTH = 256, /* from here on: options without a letter */
    MAX_RATIO,
    MIN_LENGTH,
    NO_UNKNOWN,
    TRUNCATE,
    BATCH_TOKENS,
    PAGE,
    AVERAGE
};

static const struct argp_option options[] = {
    {"run", 'r', "DIR", 0, "the run directory, or a checkpoint in it (required)", 0},
    {"step", 's', "N", 0, "the checkpoint of this step (default: the newest)", 0},
    {"ema", AVERAGE, 0, 0, "with the average of the parameters (optim.ema)", 0},
    {"input", 'i', "FILE", 0, "what to translate (default: standard input)", 0},
    {"output", 'o', "FILE", 0, "where to (default: standard output)", 0},
    {"beam", 'b', "K", 0,
     "hypotheses that are kept; 1: greedy (default: the run's translate.beam)", 0},
    {"alpha", 'a', "A", 0,
     "a score is divided by length^A; 0: not at all (default: translate.alpha)", 0},
    {"max-length", MAX_LENGTH, "N", 0,
     "tokens of a translation, at most (default: translate.max_length)", 0},
    {"max-ratio", MAX_RATIO, "R", 0,
     "and R more for each token of the line (default: translate.max_ratio)", 0},
    {"min-length", MIN_LENGTH, "N", 0, "tokens, at least (default: 1)", 0},
    {"n-best", 'n', "K", 0,
     "K translations of each line, best first, its number and a tab before each", 0},
    {"scores", 'S', 0, 0,
     "before each its score and a tab: log-probability by length^alpha", 0},
    {"no-unknown", NO_UNKNOWN, 0, 0, "<unk> is never said", 0},
    {"truncate", TRUNCATE, 0, 0, "cut lines that are too long for the model", 0},
    {"threads", 't', "N", 0, "threads that translate (default: one per core)", 0},
    {"batch-tokens", BATCH_TOKENS, "N", 0,
     "tokens that a thread translates at once (default: 512)", 0},
    {"page", PAGE, "N", 0,
     "lines that are read before the first is written (default: 256; from a terminal: 1)",
     0},
    {0}};

static error_t parse_search(int key, char *argument, struct argp_state *state)
{
    struct translate_job *g = state->input;
    switch (key) {
    case 'b':
        g->how.beam.beam = (size_t)command_number(state, "beam", argument, 1, 1000);
        return 0;
    case 'a':
        g->how.beam.alpha = command_number(state, "alpha", argument, 0, 100);
        return 0;
    case MAX_LENGTH:
        g->how.longest = (size_t)command_number(state, "max-length", argument, 0, 1e6);
        return 0;
    case MAX_RATIO:
        g->how.ratio = command_number(state, "max-ratio", argument, 0, 1e3);
        return 0;
    case MIN_LENGTH:
        g->how.beam.shortest =
            (size_t)command_number(state, "min-length", argument, 0, 1e6);
        return 0;
    case 'n':
        g->how.best = (size_t)command_number(state, "n-best", argument, 1, 1000);
        return 0;
    case NO_UNKNOWN:
        g->no_unknown = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct translate_job *g = state->input;
    switch (key) {
    case 'r':
        g->from.path = argument;
        return 0;
    case 's':
        g->from.step = (uint64_t)command_number(state, "step", argument, 0, 1e15);
        return 0;
    case AVERAGE:
        g->from.ema = true;
        return 0;
    case 'i':
        g->input = argument;
        return 0;
    case 'o':
        g->output = argument;
        return 0;
    case 'S':
        g->page.scores = true;
        return 0;
    case TRUNCATE:
        g->page.truncate = true;
        return 0;
    case 't':
        g->threads = (unsigned)command_number(state, "threads", argument, 1, 1024);
        return 0;
    case BATCH_TOKENS:
        g->page.batch_tokens =
            (size_t)command_number(state, "batch-tokens", argument, 1, 1e6);
        return 0;
    case PAGE:
        g->lines = (size_t)command_number(state, "page", argument, 1, 1e6);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: a file is named by --input", argument);
        return 0;
    case ARGP_KEY_END:
        if (!g->from.path)
            argp_error(state, "--run DIR is missing");
        return 0;
    default:
        return parse_search(key, argument, state);
    }
}

static const struct argp argp = {
    options,
    parse,
    "",
    "Translates lines, each a sentence, by beam search, with a model that has an "
    "encoder.\v"
    "What comes out is a line for each line, in their order, as soon as its page is "
    "done; it does not depend on the number of threads.  Under mpirun rank 0 reads all "
    "of the input, then the other ranks translate it: the output is the same for any "
    "number of them.  With --enable-recovery mpirun lets the others go on when one "
    "ends.\n\n"
    "Examples:\n"
    "  lockstep translate --run run <test.en >test.de\n"
    "  lockstep translate --run run --input test.en --n-best 3 --scores\n"
    "  echo \"two dogs are running\" | lockstep translate --run run --beam 1\n"
    "  mpirun -n 5 lockstep translate --run run --input a.en --output a.de\n",
    0,
    0,
    0};

/* --- Ctrl-C: what is done is written, and that is all --------------------------------
 */

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int signum)
{
    asked_to_stop = signum;
}

/* Reading a line ends with EINTR then; a second one ends the process at once. */
static void listen_for_signals(void)
{
    const struct sigaction stop = {.sa_handler = on_signal,
                                   .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

static int here(struct translate_job *g)
{
    int err = translation_open(g);
    if (!err) {
        listen_for_signals();
        err = translation_here(g, &asked_to_stop);
    }
    err = translation_close_files(g, err);
    trained_close(&g->with);
    return err_exit_code(err);
}

int command_translate(int argc, char **argv)
{
    static struct translate_job g;
    struct world world;
    world_peek(&world);
    log_silence(world.rank > 0);
    g = (struct translate_job){.from = {.step = UINT64_MAX, .encoder = true},
                               .how = translate_defaults(0),
                               .page = {.batch_tokens = 512}};
    g.how.beam.beam = 0;
    g.how.beam.alpha = g.how.ratio = -1;
    g.how.longest = SIZE_MAX;
    const int usage =
        command_parse(&argp, argc, argv, world.rank > 0 ? ARGP_SILENT : 0, &g);
    if (usage)
        return usage;
    if (world.size > 1)
        return translation_shared(&g, world.rank == 0);
    const int code = here(&g);
    if (asked_to_stop)
        raise(asked_to_stop);
    return code;
}
