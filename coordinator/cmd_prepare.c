/* cmd_prepare.c - `lockstep prepare`: text files, or parallel text, into a dataset. */
#include <errno.h>
#include <math.h>
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
#include "data/prepare_pairs.h"

enum key {
    SOURCE = 256,
    TARGET,
    PAIRS,
    HELD_SOURCE,
    HELD_TARGET,
    HELD_PAIRS,
    MAX_LENGTH
};

struct list {
    const char **at;
    size_t n;
};

struct preparing {
    struct prepare_pairs_options o; /* for a text: its part that is common */
    bool share;                     /* --held-out was given */
    struct list files, source, target, pairs, held_source, held_target, held_pairs;
    struct sentences_input *inputs, *held_out;
    bool live, shown;
    uint64_t drawn_ms;
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "folder for the token files and tokenizer.json (required)", 1},
    {"tokenizer", 't', "KIND", 0,
     "byte; char; gpt2:DIR with encoder.json and vocab.bpe; bpe:SIZE, learned from the "
     "text; subword:MERGES, learned from words between spaces as subword-nmt does, or "
     "subword:FILE with its codes (default: bpe:8192)",
     1},
    {"held-out", 'H', "SHARE", 0,
     "share of the text, at its end, for evaluation (default: 0.1)", 1},
    {"width", 'w', "BYTES", 0,
     "bytes per token: 2 or 4 (default: what the vocabulary needs)", 1},
    {0, 0, 0, 0, "Parallel text:", 2},
    {"source", SOURCE, "FILE", 0, "sentences to translate, one per line; repeatable", 2},
    {"target", TARGET, "FILE", 0, "translations of those of --source, line by line", 2},
    {"pairs", PAIRS, "FILE", 0,
     "a sentence, a tab, its translation in each line; repeatable", 2},
    {"held-out-source", HELD_SOURCE, "FILE", 0,
     "as --source, for evaluation, in place of --held-out", 2},
    {"held-out-target", HELD_TARGET, "FILE", 0, "as --target, for evaluation", 2},
    {"held-out-pairs", HELD_PAIRS, "FILE", 0, "as --pairs, for evaluation", 2},
    {"max-length", MAX_LENGTH, "N", 0,
     "tokens a sentence may have; longer pairs are left out (default: 1024)", 2},
    {0}};

static struct list *list_of(struct preparing *p, int key)
{
    switch (key) {
    case SOURCE:
        return &p->source;
    case TARGET:
        return &p->target;
    case PAIRS:
        return &p->pairs;
    case HELD_SOURCE:
        return &p->held_source;
    case HELD_TARGET:
        return &p->held_target;
    case HELD_PAIRS:
        return &p->held_pairs;
    case ARGP_KEY_ARG:
        return &p->files;
    default:
        return NULL;
    }
}

static void add(struct list *list, const char *path)
{
    list->at = mem_resize(list->at, (list->n + 1) * sizeof *list->at);
    list->at[list->n++] = path;
}

static bool parallel(const struct preparing *p)
{
    return p->source.n + p->target.n + p->pairs.n > 0;
}

static void check(const struct preparing *p, const struct argp_state *state)
{
    const size_t held_out = p->held_source.n + p->held_target.n + p->held_pairs.n;
    if (!p->o.common.dir)
        argp_error(state, "--out DIR is missing");
    if (p->files.n == 0 && !parallel(p))
        argp_error(state, "no FILE is given");
    if (p->files.n > 0 && parallel(p))
        argp_error(state, "%s: a text and a parallel text are given; choose one",
                   p->files.at[0]);
    if (p->source.n != p->target.n || p->held_source.n != p->held_target.n)
        argp_error(state,
                   "there must be a target for each source: %zu --source, %zu "
                   "--target, %zu --held-out-source, %zu --held-out-target",
                   p->source.n, p->target.n, p->held_source.n, p->held_target.n);
    if (held_out > 0 && !parallel(p))
        argp_error(state,
                   "held-out files are for a parallel text: --source and --target, "
                   "or --pairs");
    if (held_out > 0 && p->share)
        argp_error(state, "--held-out and held-out files are given; choose one");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct preparing *p = state->input;
    struct list *list = list_of(p, key);
    double number;
    char *end;
    if (list) {
        add(list, argument);
        return 0;
    }
    switch (key) {
    case 'o':
        p->o.common.dir = argument;
        return 0;
    case 't':
        p->o.common.tokenizer = argument;
        return 0;
    case 'H':
        p->share = true;
        p->o.common.held_out = strtod(argument, &end);
        if (end == argument || *end ||
            !(p->o.common.held_out > 0 && p->o.common.held_out < 1))
            argp_error(state, "--held-out %s: expected a share above 0 and below 1",
                       argument);
        return 0;
    case 'w':
        p->o.common.width = (uint32_t)atoi(argument);
        if (p->o.common.width != 2 && p->o.common.width != 4)
            argp_error(state, "--width %s: expected 2 or 4", argument);
        return 0;
    case MAX_LENGTH:
        if (units_parse_count(argument, &number) || number < 1 || number > 1 << 20)
            argp_error(state, "--max-length %s: expected 1 to 1048576 tokens", argument);
        p->o.max_length = (uint32_t)number;
        return 0;
    case ARGP_KEY_END:
        check(p, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "FILE...\n--source FILE --target FILE\n--pairs FILE",
    "Turns text files (plain or gzip) into token files for `lockstep train`.\v"
    "Writes DIR/train.tokens, DIR/held_out.tokens and DIR/tokenizer.json, whole or not "
    "at "
    "all.  With more than one file, an end-of-text token follows each where the "
    "tokenizer has one.\n\n"
    "Of a parallel text, DIR/train.pairs and DIR/held_out.pairs, with one tokenizer for "
    "both sides.  Pairs with an empty or too long sentence are left out, and said.\n\n"
    "Examples:\n"
    "  lockstep prepare --out data --tokenizer char input.txt\n"
    "  lockstep prepare --out data --tokenizer bpe:16384 books/*.txt.gz\n"
    "  lockstep prepare --out data --tokenizer gpt2:gpt2-files corpus.txt\n"
    "  lockstep prepare --out data --tokenizer subword:10000 words.txt\n"
    "  lockstep prepare --out data --source train.en --target train.de\n",
    0,
    0,
    0};

static void show(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct preparing *p = ctx;
    const uint64_t now = clock_ms();
    if (!p->live || now - p->drawn_ms < 100 || total == 0)
        return;
    p->drawn_ms = now;
    p->shown = true;
    fprintf(stderr, "\r%s %3.0f %%\033[K", what, 100.0 * (double)done / (double)total);
}

/* Two lists line by line, then those with both in a line; *n of them, to be freed. */
static struct sentences_input *inputs_of(const struct list *source,
                                         const struct list *target,
                                         const struct list *pairs, size_t *n)
{
    *n = source->n + pairs->n;
    struct sentences_input *inputs = mem_zalloc(mem_mul(*n, sizeof *inputs));
    for (size_t i = 0; i < source->n; i++)
        inputs[i] = (struct sentences_input){source->at[i], target->at[i]};
    for (size_t i = 0; i < pairs->n; i++)
        inputs[source->n + i].source = pairs->at[i];
    return inputs;
}

static int run(struct preparing *p)
{
    if (parallel(p)) {
        p->o.inputs = p->inputs =
            inputs_of(&p->source, &p->target, &p->pairs, &p->o.inputs_n);
        p->o.held_out = p->held_out =
            inputs_of(&p->held_source, &p->held_target, &p->held_pairs, &p->o.held_out_n);
        return prepare_pairs(&p->o);
    }
    p->o.common.files = p->files.at;
    p->o.common.files_n = p->files.n;
    return prepare(&p->o.common);
}

static void fini(struct preparing *p)
{
    for (int key = SOURCE; key <= HELD_PAIRS; key++)
        mem_free(list_of(p, key)->at);
    mem_free(p->files.at);
    mem_free(p->inputs);
    mem_free(p->held_out);
}

int command_prepare(int argc, char **argv)
{
    struct preparing p = {
        .o = {.common = {.tokenizer = "bpe:8192", .held_out = 0.1, .progress = show},
              .max_length = PREPARE_MAX_LENGTH},
        .live = isatty(STDERR_FILENO)};
    p.o.common.progress_ctx = &p;
    const int usage = command_parse(&argp, argc, argv, 0, &p);
    if (usage)
        return usage;
    const char *dir = p.o.common.dir;
    const double start = clock_seconds();
    const int err = run(&p);
    if (p.shown)
        fputs("\r\033[K", stderr);
    char text[UNITS_TEXT];
    if (!err)
        log_info("%s is ready after %s; train with data.dir=%s", dir,
                 units_print_duration(text, clock_seconds() - start), dir);
    fini(&p);
    return err_exit_code(err);
}
