#include "coordinator/translation.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/units.h"

enum { PAGE_LINES = 256 };

/* --- how it goes ---------------------------------------------------------------------
 */

static bool live; /* a line on the terminal, which is not the one translations go to */

static void erase(void)
{
    if (live)
        fputs("\r\033[K", stderr);
}

void translation_show(const struct translate_job *g)
{
    const struct page_counts *c = &g->counts;
    if (live)
        fprintf(stderr, "\r\033[K%llu lines  %.0f sentences/s",
                (unsigned long long)c->written,
                (double)c->translated / (clock_seconds() - g->start));
}

static void say_what_was_odd(const struct translate_job *g)
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

void translation_report(const struct translate_job *g, bool stopped)
{
    const struct page_counts *c = &g->counts;
    const double seconds = clock_seconds() - g->start;
    char time[UNITS_TEXT];
    erase();
    live = false;
    say_what_was_odd(g);
    if (stopped)
        log_info("stopped behind line %llu", (unsigned long long)c->written);
    log_info("%llu sentences of %llu tokens into %llu tokens in %s, %.1f sentences/s, "
             "%.0f tokens/s",
             (unsigned long long)c->translated, (unsigned long long)c->tokens_in,
             (unsigned long long)c->tokens_out, units_print_duration(time, seconds),
             (double)c->translated / seconds, (double)c->tokens_out / seconds);
}

/* --- opening -------------------------------------------------------------------------
 */

/* What was not asked for is as in the run. */
static int complete(struct translate_job *g)
{
    const struct conf_translate *run = &g->with.conf.translate;
    struct translate_options *how = &g->how;
    how->beam.beam = how->beam.beam ? how->beam.beam : run->beam;
    how->beam.alpha = how->beam.alpha < 0 ? run->alpha : how->beam.alpha;
    how->ratio = how->ratio < 0 ? run->max_ratio : how->ratio;
    how->longest = how->longest == SIZE_MAX ? run->max_length : how->longest;
    if (how->best <= how->beam.beam)
        return ERR_OK;
    log_error("--n-best %zu: a beam of %zu finds %zu at most; use --beam", how->best,
              how->beam.beam, how->beam.beam);
    return ERR_INVALID;
}

/* The token that stands for what has none. */
static uint32_t unknown_of(const struct tokenizer *t)
{
    for (uint32_t id = 0; id < tokenizer_vocab(t); id++)
        if (tokenizer_unknown(t, &id, 1) > 0)
            return id;
    return BEAM_NO_TOKEN;
}

static int choose_tokens(struct translate_job *g)
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
    return ERR_OK;
}

static int open_files(struct translate_job *g)
{
    TRY(line_reader_open(&g->reader, g->input ? g->input : "-"));
    g->out = g->output ? fopen(g->output, "w") : stdout;
    if (g->out)
        return ERR_OK;
    log_error("could not write %s: %s", g->output, strerror(errno));
    return err_from_errno(errno);
}

int translation_open(struct translate_job *g)
{
    TRY(trained_open(&g->with, &g->from));
    TRY(complete(g));
    TRY(choose_tokens(g));
    TRY(open_files(g));
    const bool typed = !g->input && isatty(STDIN_FILENO);
    g->page.context = g->with.model.shape.T;
    g->page.best = g->how.best;
    g->page.lines = g->lines ? g->lines : typed ? 1 : PAGE_LINES;
    live = isatty(STDERR_FILENO) && !isatty(fileno(g->out));
    log_before_line(erase);
    g->start = clock_seconds();
    return ERR_OK;
}

int translation_close_files(struct translate_job *g, int err)
{
    line_reader_close(&g->reader);
    if (g->out && g->out != stdout && fclose(g->out) != 0 && !err) {
        log_error("could not write %s: %s", g->output, strerror(errno));
        err = err_from_errno(errno);
    }
    g->out = NULL;
    return err;
}
