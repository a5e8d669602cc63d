/* cmd_prepare.c - `lockstep prepare`: text files into a dataset. */
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
#include "data/prepare.h"

struct preparing {
    struct prepare_options o;
    const char **files;
    bool live, shown;
    uint64_t drawn_ms;
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "folder for the token files and tokenizer.json (required)", 0},
    {"tokenizer", 't', "KIND", 0,
     "byte; char; gpt2:DIR with encoder.json and vocab.bpe; bpe:SIZE, learned from the "
     "text "
     "(default: bpe:8192)",
     0},
    {"held-out", 'H', "SHARE", 0,
     "share of the text, at its end, for evaluation (default: 0.1)", 0},
    {"width", 'w', "BYTES", 0,
     "bytes per token: 2 or 4 (default: what the vocabulary needs)", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct preparing *p = state->input;
    char *end;
    switch (key) {
    case 'o':
        p->o.dir = argument;
        return 0;
    case 't':
        p->o.tokenizer = argument;
        return 0;
    case 'H':
        p->o.held_out = strtod(argument, &end);
        if (end == argument || *end || !(p->o.held_out > 0 && p->o.held_out < 1))
            argp_error(state, "--held-out %s: expected a share above 0 and below 1",
                       argument);
        return 0;
    case 'w':
        p->o.width = (uint32_t)atoi(argument);
        if (p->o.width != 2 && p->o.width != 4)
            argp_error(state, "--width %s: expected 2 or 4", argument);
        return 0;
    case ARGP_KEY_ARG:
        p->files = mem_resize(p->files, (p->o.files_n + 1) * sizeof *p->files);
        p->files[p->o.files_n++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (!p->o.dir)
            argp_error(state, "--out DIR is missing");
        if (p->o.files_n == 0)
            argp_error(state, "no FILE is given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "FILE...",
    "Turns text files (plain or gzip) into token files for `lockstep train`.\v"
    "Writes DIR/train.tokens, DIR/held_out.tokens and DIR/tokenizer.json, whole or not "
    "at "
    "all.  With more than one file, an end-of-text token follows each where the "
    "tokenizer has one.\n\n"
    "Examples:\n"
    "  lockstep prepare --out data --tokenizer char input.txt\n"
    "  lockstep prepare --out data --tokenizer bpe:16384 books/*.txt.gz\n"
    "  lockstep prepare --out data --tokenizer gpt2:gpt2-files corpus.txt\n",
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

int command_prepare(int argc, char **argv)
{
    struct preparing p = {
        .o = {.tokenizer = "bpe:8192", .held_out = 0.1, .progress = show},
        .live = isatty(STDERR_FILENO)};
    p.o.progress_ctx = &p;
    const int usage = command_parse(&argp, argc, argv, 0, &p);
    if (usage)
        return usage;
    p.o.files = p.files;
    const double start = clock_seconds();
    const int err = prepare(&p.o);
    if (p.shown)
        fputs("\r\033[K", stderr);
    char text[UNITS_TEXT];
    if (!err)
        log_info("%s is ready after %s; train with data.dir=%s", p.o.dir,
                 units_print_duration(text, clock_seconds() - start), p.o.dir);
    mem_free(p.files);
    return err_exit_code(err);
}
