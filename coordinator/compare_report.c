#include "coordinator/compare_report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "plot/plot.h"

enum { NAME_LEAST = 4, TITLE = 64 };

static const double silent_after = 10; /* s; status.json is replaced every two */

static const char *state(const struct compared *c)
{
    const char *s = c->status.state;
    if (!c->known || !*s)
        return "unknown";
    if ((strcmp(s, "running") == 0 || strcmp(s, "starting") == 0) &&
        clock_wall() - c->status.updated > silent_after)
        return "silent";
    return s;
}

static double last(const struct history *h)
{
    return h->n > 0 ? h->value[h->n - 1] : NAN;
}

static double best(const struct history *h, const struct history_metric *m)
{
    const size_t at = history_best(h, m);
    return at < h->n ? h->value[at] : NAN;
}

/* --- for people --- */

static const char *print_value(char text[UNITS_TEXT], double x)
{
    const double size = fabs(x);
    if (!isfinite(x))
        return "-";
    snprintf(text, UNITS_TEXT,
             size == 0 || (size >= 0.01 && size < 10000) ? "%.4f" : "%.3e", x);
    return text;
}

static int name_width(const struct compared *run, size_t n)
{
    size_t width = NAME_LEAST;
    for (size_t i = 0; i < n; i++)
        if (strlen(run[i].name) > width)
            width = strlen(run[i].name);
    return (int)width;
}

static const char *print_step(char text[UNITS_TEXT], const struct compared *c)
{
    if (c->known && c->status.steps > 0)
        snprintf(text, UNITS_TEXT, "%llu/%llu", (unsigned long long)c->history.last_step,
                 (unsigned long long)c->status.steps);
    else
        snprintf(text, UNITS_TEXT, "%llu", (unsigned long long)c->history.last_step);
    return text;
}

static void row(const struct compared *c, int width, const struct history_metric *m,
                FILE *out)
{
    char step[UNITS_TEXT], latest[UNITS_TEXT], good[UNITS_TEXT],
        at[UNITS_TEXT] = "-", speed[UNITS_TEXT] = "-", took[UNITS_TEXT];
    const struct history *h = &c->history;
    const size_t b = history_best(h, m);
    if (b < h->n)
        snprintf(at, sizeof at, "%llu", (unsigned long long)h->step[b]);
    if (isfinite(h->tokens_per_second))
        units_print_count(speed, h->tokens_per_second);
    fprintf(out, "%-*s  %-8s  %13s  %10s  %10s  %9s  %9s  %s\n", width, c->name, state(c),
            print_step(step, c), print_value(latest, last(h)),
            print_value(good, best(h, m)), at, speed,
            units_print_duration(took, h->seconds));
}

void compare_report_table(const struct compared *run, size_t n,
                          const struct history_metric *m, FILE *out)
{
    const int width = name_width(run, n);
    fprintf(out, "%s%s%s%s: %s\n\n", m->key, *m->unit ? " (" : "", m->unit,
            *m->unit ? ")" : "", m->text);
    fprintf(out, "%-*s  %-8s  %13s  %10s  %10s  %9s  %9s  %s\n", width, "run", "state",
            "step", "last", history_wants_low(m) ? "lowest" : "highest", "at step",
            "tokens/s", "time");
    for (size_t i = 0; i < n; i++)
        row(&run[i], width, m, out);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const struct run_status *s = &run[i].status;
        if (!run[i].known || !*s->message || strcmp(s->state, "done") == 0)
            continue;
        fprintf(out, "%s%s: %s\n", any ? "" : "\n", run[i].name, s->message);
        any = true;
    }
}

/* --- for programs --- */

static json_t *text_json(const char *text)
{
    json_t *j = json_string(text);
    return j ? j : json_string("?"); /* a path that is no UTF-8 */
}

static json_t *number_json(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *run_json(const struct compared *c, const struct history_metric *m)
{
    const struct history *h = &c->history;
    const size_t b = history_best(h, m);
    return json_pack(
        "{s:o, s:o, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:f}", "name",
        text_json(c->name), "dir", text_json(c->dir), "state", state(c), "message",
        text_json(c->known ? c->status.message : ""), "step", (json_int_t)h->last_step,
        "steps", c->known ? json_integer((json_int_t)c->status.steps) : json_null(),
        "last", number_json(last(h)), "best", number_json(best(h, m)), "best_step",
        b < h->n ? json_integer((json_int_t)h->step[b]) : json_null(),
        "tokens_per_second", number_json(h->tokens_per_second), "seconds", h->seconds);
}

void compare_report_json(const struct compared *run, size_t n,
                         const struct history_metric *m, FILE *out)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(runs, run_json(&run[i], m));
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:o}", "metric", m->key, "unit", m->unit, "wanted",
                  history_wants_low(m) ? "low" : "high", "runs", runs);
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
    json_decref(root);
}

/* --- the picture --- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The finite values of a run in order of size; returns how many. */
static size_t sort(const struct history *h, double *sorted)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        if (isfinite(h->value[i]))
            sorted[n++] = h->value[i];
    qsort(sorted, n, sizeof *sorted, by_size);
    return n;
}

/* What the run with the lowest median wants to be seen: its first value, and twice its
 * median.  INFINITY: nobody wants anything. */
static double wanted_high(const struct compared *run, size_t n)
{
    double least = INFINITY, high = INFINITY;
    for (size_t i = 0; i < n; i++) {
        const struct history *h = &run[i].history;
        double *sorted = mem_alloc(mem_mul(h->n, sizeof *sorted));
        const size_t finite = sort(h, sorted);
        if (finite > 0 && sorted[finite / 2] < least) {
            least = sorted[finite / 2];
            high =
                isfinite(h->value[0]) ? fmax(2 * least, 1.02 * h->value[0]) : 2 * least;
        }
        mem_free(sorted);
    }
    return high;
}

/* Sets the ends of the axis where they are not those of all values. */
static void cut_off(struct plot_axis *y, const struct compared *run, size_t n)
{
    double low = INFINITY, high = -INFINITY;
    const double wanted = wanted_high(run, n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < run[i].history.n; k++) {
            const double value = run[i].history.value[k];
            low = isfinite(value) ? fmin(low, value) : low;
            high = isfinite(value) ? fmax(high, value) : high;
        }
    if (!(high > wanted && low < wanted))
        return;
    y->low = low - 0.04 * (wanted - low);
    y->high = wanted;
}

/* Means of the last @points values; what is not finite breaks the line and begins
 * anew. */
static void smooth(double *y, const double *value, size_t n, unsigned points)
{
    size_t since = 0;
    for (size_t i = 0; i < n; i++) {
        since = isfinite(value[i]) ? since + 1 : 0;
        const size_t of = since < points ? since : points;
        double sum = 0;
        for (size_t k = 0; k < of; k++)
            sum += value[i - k];
        y[i] = of > 0 ? sum / (double)of : NAN;
    }
}

static struct plot_series curve(const struct compared *c, unsigned points, double *x)
{
    const struct history *h = &c->history;
    double *y = x + h->n;
    for (size_t i = 0; i < h->n; i++)
        x[i] = (double)h->step[i];
    smooth(y, h->value, h->n, points);
    return (struct plot_series){.name = c->name, .x = x, .y = y, .n = h->n};
}

/* "held_out_loss": "held out loss" */
static void spell(char title[TITLE], const char *key)
{
    snprintf(title, TITLE, "%s", key);
    for (char *at = title; *at; at++)
        if (*at == '_')
            *at = ' ';
}

void compare_report_svg(const struct compared *run, size_t n,
                        const struct history_metric *m, const struct compare_picture *p,
                        FILE *out)
{
    size_t points = 0, used = 0;
    for (size_t i = 0; i < n; i++)
        points += run[i].history.n;
    double *numbers = mem_alloc(mem_mul(points, 2 * sizeof *numbers));
    struct plot_series *series = mem_alloc(mem_mul(n, sizeof *series));
    for (size_t i = 0; i < n; i++) {
        series[i] = curve(&run[i], p->smooth, numbers + used);
        used += 2 * run[i].history.n;
    }
    char title[TITLE];
    spell(title, m->key);
    struct plot plot = {.x = {.title = "step"},
                        .y = {.title = title, .unit = m->unit, .log = p->log},
                        .series = series,
                        .series_n = n};
    if (history_wants_low(m) && !p->log)
        cut_off(&plot.y, run, n);
    plot_write(&plot, out);
    mem_free(series);
    mem_free(numbers);
}
