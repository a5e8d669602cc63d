/* cmd_translate.c - `lockstep translate`: lines of one language into those of another. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/command.h"
#include "coordinator/page.h"
#include "coordinator/trained.h"

struct translating {
    const char *input, *output;
    struct trained_from from;
    unsigned threads; /* 0: one per core */
    size_t lines;     /* of a page; 0: by whether a person types */
    bool no_unknown;
    struct translate_options how;
    struct page_options page;
    struct trained with;
    struct line_reader reader;
    FILE *out;
    struct page_counts counts;
};

enum {
    PAGE_LINES = 256,
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
    {"beam", 'b', "K", 0, "hypotheses that are kept; 1: greedy (default: 5)", 0},
    {"alpha", 'a', "A", 0, "a score is divided by length^A; 0: not at all (default: 1)",
     0},
    {"max-length", MAX_LENGTH, "N", 0, "tokens of a translation, at most (default: 200)",
     0},
    {"max-ratio", MAX_RATIO, "R", 0, "and R more for each token of the line (default: 0)",
     0},
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
    struct translating *g = state->input;
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
    struct translating *g = state->input;
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
        if (g->how.best > g->how.beam.beam)
            argp_error(state, "--n-best %zu: a beam of %zu finds %zu at most; use --beam",
                       g->how.best, g->how.beam.beam, g->how.beam.beam);
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
    "done; it does not depend on the number of threads.\n\n"
    "Examples:\n"
    "  lockstep translate --run run <test.en >test.de\n"
    "  lockstep translate --run run --input test.en --n-best 3 --scores\n"
    "  echo \"two dogs are running\" | lockstep translate --run run --beam 1\n",
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

/* --- how it goes ---------------------------------------------------------------------
 */

static bool live; /* a line on the terminal, which is not the one translations go to */

static void erase(void)
{
    if (live)
        fputs("\r\033[K", stderr);
}

static void show(const struct page_counts *c, double seconds)
{
    if (live)
        fprintf(stderr, "\r\033[K%llu lines  %.0f sentences/s",
                (unsigned long long)c->written, (double)c->sentences / seconds);
}

static void say_what_was_odd(const struct translating *g)
{
    const struct page_counts *c = &g->counts;
    if (c->unknown)
        log_warn(
            "%s: %llu characters have no token and are <unk>, the first in line %llu",
            g->reader.path, (unsigned long long)c->unknown,
            (unsigned long long)c->first_unknown);
    if (c->truncated)
        log_warn("%s: %llu lines were cut to %zu tokens, the first is line %llu",
                 g->reader.path, (unsigned long long)c->truncated, g->page.context - 1,
                 (unsigned long long)c->first_truncated);
}

static void report(const struct translating *g, double seconds)
{
    const struct page_counts *c = &g->counts;
    char time[UNITS_TEXT];
    say_what_was_odd(g);
    if (asked_to_stop)
        log_info("stopped behind line %llu", (unsigned long long)c->written);
    log_info("%llu sentences of %llu tokens into %llu tokens in %s, %.1f sentences/s, "
             "%.0f tokens/s",
             (unsigned long long)c->sentences, (unsigned long long)c->tokens_in,
             (unsigned long long)c->tokens_out, units_print_duration(time, seconds),
             (double)c->sentences / seconds, (double)c->tokens_out / seconds);
}

/* --- translating ---------------------------------------------------------------------
 */

static int open_files(struct translating *g)
{
    TRY(line_reader_open(&g->reader, g->input ? g->input : "-"));
    g->out = g->output ? fopen(g->output, "w") : stdout;
    if (g->out)
        return ERR_OK;
    log_error("could not write %s: %s", g->output, strerror(errno));
    return err_from_errno(errno);
}

/* The token that stands for what has none. */
static uint32_t unknown_of(const struct tokenizer *t)
{
    for (uint32_t id = 0; id < tokenizer_vocab(t); id++)
        if (tokenizer_unknown(t, &id, 1) > 0)
            return id;
    return BEAM_NO_TOKEN;
}

/* What depends on the model and on who reads. */
static int prepare(struct translating *g)
{
    const struct tokenizer *tokenizer = g->with.tokenizer;
    if (!tokenizer_end_of_text(tokenizer, &g->how.beam.end)) {
        log_error("%s: its tokenizer has no end of text, with which translations end; "
                  "prepare with subword:MERGES or bpe:SIZE and train anew",
                  g->with.dir);
        return ERR_DATA;
    }
    g->page.unknown = unknown_of(tokenizer);
    if (g->no_unknown)
        g->how.beam.forbidden = g->page.unknown;
    g->page.context = g->with.model.shape.T;
    g->page.best = g->how.best;
    const bool typed = !g->input && isatty(STDIN_FILENO);
    g->page.lines = g->lines ? g->lines : typed ? 1 : PAGE_LINES;
    live = isatty(STDERR_FILENO) && !isatty(fileno(g->out));
    log_before_line(erase);
    return ERR_OK;
}

static struct pool *new_pool(struct translating *g)
{
    const size_t context = g->page.context, tokens = g->page.batch_tokens;
    g->with.conf.cluster.threads = g->threads;
    return pool_new(&(struct pool_options){.model = &g->with.model,
                                           .theta = g->with.theta,
                                           .translate = g->how,
                                           .sentences = page_sentences(&g->page),
                                           .rows = tokens > context ? tokens : context,
                                           .threads = cluster_threads(&g->with.conf, 1)});
}

/* Waits for a page and writes it. */
static int finish(struct translating *g, struct page *p, struct pool *pool)
{
    while (!page_wait(p, pool, 100))
        if (asked_to_stop)
            pool_stop(pool);
    const int err = page_write(p, &g->page, g->with.tokenizer, g->out, &g->counts);
    page_fini(p);
    return err;
}

/* Pages on their way, at most two: while one is translated the next is read. */
struct pages {
    struct page page[2];
    size_t first, n; /* page[first % 2] is the oldest of n */
};

static void give_up(struct pages *p, struct pool *pool)
{
    pool_stop(pool);
    for (; p->n > 0; p->n--) {
        struct page *oldest = &p->page[p->first++ % 2];
        while (!page_wait(oldest, pool, 1000))
            ;
        page_fini(oldest);
    }
}

/* A page of one line is written before anybody waits for another.  What was wrong with a
 * line is told when those before it are written. */
static int translate_all(struct translating *g, struct pool *pool)
{
    const size_t ahead = g->page.lines == 1 ? 1 : 2;
    const double start = clock_seconds();
    struct pages p = {.n = 0};
    int err = ERR_OK, bad = ERR_OK;
    while (!err) {
        if (p.n < ahead && !bad && !g->reader.at_end && !asked_to_stop) {
            struct page *next = &p.page[(p.first + p.n++) % 2];
            bad = page_read(next, &g->page, g->with.tokenizer, &g->reader, &g->counts);
            page_start(next, pool);
        } else if (p.n > 0) {
            err = finish(g, &p.page[p.first++ % 2], pool);
            p.n--;
            show(&g->counts, clock_seconds() - start);
        } else {
            break;
        }
    }
    give_up(&p, pool);
    erase();
    report(g, clock_seconds() - start);
    return err ? err : bad;
}

static int run(struct translating *g)
{
    TRY(trained_open(&g->with, &g->from));
    int err = open_files(g);
    if (!err)
        err = prepare(g);
    if (!err) {
        listen_for_signals();
        struct pool *pool = new_pool(g);
        err = translate_all(g, pool);
        pool_free(pool);
    }
    line_reader_close(&g->reader);
    if (g->out && g->out != stdout && fclose(g->out) != 0 && !err) {
        log_error("could not write %s: %s", g->output, strerror(errno));
        err = err_from_errno(errno);
    }
    trained_close(&g->with);
    return err;
}

int command_translate(int argc, char **argv)
{
    static struct translating g;
    g = (struct translating){.from = {.step = UINT64_MAX, .encoder = true},
                             .how = translate_defaults(0),
                             .page = {.batch_tokens = 512}};
    const int usage = command_parse(&argp, argc, argv, 0, &g);
    if (usage)
        return usage;
    const int err = run(&g);
    if (asked_to_stop)
        raise(asked_to_stop);
    return err_exit_code(err);
}
