#include "coordinator/range_report.h"
#include "coordinator/text_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "plot/plot.h"

enum { ROWS = 12 };

static const char *verdict_name(enum range_verdict v)
{
    static const char *const names[] = {"found", "open", "flat", "short"};
    return names[v];
}

/* --- for people --- */

static void row(const struct range_test *t, size_t i, FILE *out)
{
    const struct range_point *p = &t->point[i];
    fprintf(out, "%6zu  %9.2e  %8.4f  %8.4f\n", i + 1, p->rate, p->loss, p->smoothed);
}

static void rate_line(const char *what, double rate, FILE *out)
{
    fprintf(out, "%-32s %.2e\n", what, rate);
}

static void why_nothing(const struct range_proposal *p, FILE *out)
{
    if (p->verdict == RANGE_FLAT)
        fputs("nothing is proposed: at no rate does the loss fall by more than it "
              "scatters; "
              "try other\n--from and --to, a larger train.batch or more --steps\n",
              out);
    else
        fputs("nothing is proposed: the loss was not finite, or four times the smallest, "
              "after a few\nsteps; try a smaller --from\n",
              out);
}

void range_report_table(const struct range_test *t, const struct range_proposal *p,
                        FILE *out)
{
    fprintf(out, "%6s  %9s  %8s  %8s\n", "step", "rate", "loss", "smoothed");
    const size_t rows = t->n < ROWS ? t->n : ROWS;
    for (size_t i = 0; i < rows; i++)
        row(t, rows > 1 ? i * (t->n - 1) / (rows - 1) : 0, out);
    fputc('\n', out);
    if (!range_test_proposes(p)) {
        why_nothing(p, out);
        return;
    }
    char value[UNITS_TEXT];
    rate_line("steepest fall at", t->point[p->steepest].rate, out);
    rate_line("smallest smoothed loss at", t->point[p->smallest].rate, out);
    fprintf(out, "%-32s optim.lr=%s\n", "70 % of the fall, proposed",
            units_print_number(value, p->rate));
    if (p->verdict == RANGE_OPEN)
        fputs("the loss still fell at the last rate: a larger --to may propose more\n",
              out);
}

/* --- for programs --- */

static void json_number(const char *key, double x, FILE *out)
{
    char text[UNITS_TEXT];
    fprintf(out, "\"%s\": %s", key, isfinite(x) ? units_print_number(text, x) : "null");
}

void range_report_json(const struct range_test *t, const struct range_proposal *p,
                       FILE *out)
{
    const bool any = range_test_proposes(p);
    fprintf(out, "{\"verdict\": \"%s\", \"option\": \"optim.lr\", ",
            verdict_name(p->verdict));
    json_number("value", any ? p->rate : NAN, out);
    fputs(", ", out);
    json_number("steepest", any ? t->point[p->steepest].rate : NAN, out);
    fputs(", ", out);
    json_number("smallest", any ? t->point[p->smallest].rate : NAN, out);
    fprintf(out, ", \"steps\": %zu, \"diverged\": %s}\n", t->n,
            t->diverged ? "true" : "false");
}

static void write_lines(const struct range_test *t, FILE *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct range_point *p = &t->point[i];
        fprintf(out, "{\"step\": %zu, ", i + 1);
        json_number("rate", p->rate, out);
        fputs(", ", out);
        json_number("loss", p->loss, out);
        fputs(", ", out);
        json_number("smoothed", p->smoothed, out);
        fputs("}\n", out);
    }
}

/* --- the curve --- */

/* What happens far above the first loss is of no interest: a quarter more is shown. */
static double highest_shown(const struct range_test *t)
{
    const double head = 1.25, first = t->n > 0 ? t->point[0].loss : NAN;
    double highest = -INFINITY;
    for (size_t i = 0; i < t->n; i++)
        if (isfinite(t->point[i].loss))
            highest = fmax(highest, t->point[i].loss);
    return highest > head * first ? head * first : NAN;
}

static void draw(const struct range_test *t, const struct range_proposal *p, FILE *out)
{
    double *rate = mem_alloc(3 * t->n * sizeof *rate), *loss = rate + t->n,
           *smoothed = loss + t->n;
    for (size_t i = 0; i < t->n; i++) {
        rate[i] = t->point[i].rate;
        loss[i] = t->point[i].loss;
        smoothed[i] = t->point[i].smoothed;
    }
    const struct plot_series series[] = {{"loss of the step", rate, loss, t->n, true},
                                         {"smoothed", rate, smoothed, t->n, false}};
    char label[64], value[UNITS_TEXT];
    snprintf(label, sizeof label, "proposed: optim.lr=%s",
             units_print_number(value, p->rate));
    struct plot_mark marks[3];
    if (range_test_proposes(p)) {
        const struct range_point *least = &t->point[p->smallest],
                                 *steep = &t->point[p->steepest];
        marks[0] = (struct plot_mark){p->rate, NAN, label};
        marks[1] = (struct plot_mark){steep->rate, steep->smoothed, "steepest"};
        marks[2] = (struct plot_mark){least->rate, least->smoothed, "smallest"};
    }
    const struct plot plot = {.title = "Learning-rate range test",
                              .x = {.title = "learning rate", .log = true},
                              .y = {.title = "loss",
                                    .unit = "nats/token",
                                    .low = NAN,
                                    .high = highest_shown(t)},
                              .series = series,
                              .series_n = 2,
                              .marks = marks,
                              .marks_n = range_test_proposes(p) ? 3 : 0};
    plot_write(&plot, out);
    mem_free(rate);
}

/* --- files --- */

int range_report_files(const char *dir, const struct range_test *t,
                       const struct range_proposal *p)
{
    struct text_file lines, curve;
    text_file_open(&lines);
    write_lines(t, lines.out);
    TRY(text_file_write(&lines, dir, "lr.jsonl"));
    text_file_open(&curve);
    draw(t, p, curve.out);
    return text_file_write(&curve, dir, "lr.svg");
}
