#include "metrics/progress.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"

enum { LINE = 512, REDRAW_MS = 100 };

static struct {
    bool live, colour;
    _Atomic bool shown; /* any thread may log, and clears the line first */
    uint64_t log_every, drawn_ms;
} screen;

static void put(const char *text)
{
    const ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n; /* nobody listens any more */
}

static void erase(void)
{
    if (atomic_exchange(&screen.shown, false))
        put("\r\033[K");
}

void progress_start(uint64_t log_every)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    screen.live = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    screen.colour = screen.live && !(no_color && *no_color);
    screen.log_every = log_every;
    if (screen.live)
        log_before_line(erase);
}

void progress_stop(void)
{
    erase();
    log_before_line(NULL);
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : 80;
}

static void describe(char line[LINE], uint64_t step, uint64_t steps,
                     const struct metrics *m)
{
    char speed[UNITS_TEXT], left[UNITS_TEXT];
    size_t n = (size_t)snprintf(
        line, LINE, "step %llu/%llu  loss %.4f  rate %.2e  norm %.3g",
        (unsigned long long)step, (unsigned long long)steps, m->loss, m->rate, m->norm);
    if (m->clip < 1)
        n += (size_t)snprintf(line + n, LINE - n, " clip %.2f", m->clip);
    if (isfinite(m->tokens_per_second))
        n += (size_t)snprintf(line + n, LINE - n, "  %s tok/s",
                              units_print_count(speed, m->tokens_per_second));
    if (isfinite(m->flops))
        n += (size_t)snprintf(line + n, LINE - n, "  %.1f GFLOP/s", m->flops * 1e-9);
    if (isfinite(m->flops_share))
        n += (size_t)snprintf(line + n, LINE - n, " (%.0f %% of peak)",
                              100 * m->flops_share);
    if (isfinite(m->seconds_left))
        snprintf(line + n, LINE - n, "  left %s",
                 units_print_duration(left, m->seconds_left));
}

void progress_step(uint64_t step, uint64_t steps, const struct metrics *m)
{
    char line[LINE];
    if (step == steps || (!screen.live && step % screen.log_every == 0)) {
        describe(line, step, steps, m);
        log_info("%s", line);
        return;
    }
    const uint64_t now = clock_ms();
    if (!screen.live || (screen.shown && now - screen.drawn_ms < REDRAW_MS))
        return;
    screen.drawn_ms = now;
    describe(line, step, steps, m);
    const int width = columns() - 1;
    if (width > 0 && (int)strlen(line) > width)
        line[width] = '\0';
    char text[LINE + 32];
    snprintf(text, sizeof text, "\r%s%s%s\033[K", screen.colour ? "\033[36m" : "", line,
             screen.colour ? "\033[0m" : "");
    put(text);
    screen.shown = true;
}

void progress_evaluated(uint64_t step, const struct metrics *m, const char *best)
{
    char bleu[32] = "";
    if (isfinite(m->bleu))
        snprintf(bleu, sizeof bleu, "  BLEU %.2f", m->bleu);
    log_info("step %llu  held-out loss %.4f  perplexity %.2f  %.3f bits/byte%s%s%s",
             (unsigned long long)step, m->held_out_loss, m->perplexity, m->bits_per_byte,
             bleu, best ? "  " : "", best ? best : "");
}
