#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/page.h"
#include "plot/plot.h"

/* Columns of numbers of which the lines of one picture are made. */
struct column {
    double *at; /* [n] */
    size_t n;
};

static struct column column_new(size_t n)
{
    return (struct column){mem_alloc(mem_mul(n, sizeof(double))), n};
}

static struct plot_series line(const char *name, struct column x, struct column y)
{
    return (struct plot_series){.name = name, .x = x.at, .y = y.at, .n = x.n};
}

static void draw(const char *title, const char *unit, bool log,
                 const struct plot_series *series, size_t n, FILE *out)
{
    const struct plot p = {.title = title,
                           .x = {.title = "step"},
                           .y = {.title = unit, .log = log},
                           .series = series,
                           .series_n = n,
                           .height = 320};
    plot_write(&p, out);
}

/* --- of steps ------------------------------------------------------------------------
 */

static void loss(const struct patient *p, struct column step, struct column y, FILE *out)
{
    const struct course *c = p->course;
    struct column at = column_new(c->evaluations), held = column_new(c->evaluations);
    for (size_t i = 0; i < step.n; i++)
        y.at[i] = c->step[i].loss;
    for (size_t i = 0; i < at.n; i++) {
        at.at[i] = (double)c->evaluation[i].step;
        held.at[i] = c->evaluation[i].loss;
    }
    struct plot_series series[] = {
        line("each step", step, y),
        {.name = "smoothed", .x = step.at, .y = p->signs->smooth, .n = step.n},
        line("held out", at, held)};
    series[0].faint = true;
    draw("Loss", "nats per token", false, series, at.n ? 3 : 2, out);
    mem_free(at.at);
    mem_free(held.at);
}

static void steps(const struct patient *p, FILE *out)
{
    const struct course *c = p->course;
    struct column step = column_new(c->steps), y = column_new(c->steps);
    for (size_t i = 0; i < step.n; i++)
        step.at[i] = (double)c->step[i].step;
    loss(p, step, y, out);
    const struct {
        const char *title, *unit;
        size_t field;
        bool log;
    } rows[] = {
        {"Learning rate", "", offsetof(struct course_step, rate), false},
        {"Gradient", "norm, before clipping", offsetof(struct course_step, norm), true},
        {"Clipping", "factor; 1: none", offsetof(struct course_step, clip), false}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        for (size_t i = 0; i < step.n; i++)
            memcpy(&y.at[i], (const char *)&c->step[i] + rows[k].field, sizeof *y.at);
        const struct plot_series series = line(NULL, step, y);
        draw(rows[k].title, rows[k].unit, rows[k].log, &series, 1, out);
    }
    mem_free(step.at);
    mem_free(y.at);
}

/* --- of blocks -----------------------------------------------------------------------
 */

/* The update of a block's tensors over their weights, all of them together. */
static double ratio_of(const struct course *c, const struct course_statistics *s,
                       size_t block)
{
    const struct course_block *b = &c->at[block];
    double weight = 0, update = 0;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%slayers.%llu.",
             strcmp(b->stack, "encoder") == 0 ? "encoder." : "",
             (unsigned long long)b->number);
    for (size_t i = 0; i < c->tensors; i++) {
        if (strncmp(c->name[i], prefix, strlen(prefix)) != 0 ||
            !isfinite(s->tensor[i].update) || !isfinite(s->tensor[i].weight))
            continue;
        weight += s->tensor[i].weight * s->tensor[i].weight;
        update += s->tensor[i].update * s->tensor[i].update;
    }
    return weight > 0 ? sqrt(update / weight) : NAN;
}

static double stream_of(const struct course *c, const struct course_statistics *s,
                        size_t block)
{
    (void)c;
    return s->block ? s->block[block].stream : NAN;
}

static double gradient_of(const struct course *c, const struct course_statistics *s,
                          size_t block)
{
    (void)c;
    return s->block ? s->block[block].gradient : NAN;
}

struct picture {
    const char *title, *unit;
    double (*of)(const struct course *c, const struct course_statistics *s, size_t block);
};

static const struct picture pictures[] = {
    {"Residual stream at the output of each block", "rms", stream_of},
    {"Gradient by that stream, of one slice", "rms", gradient_of},
    {"Update / weight", "rms / rms", ratio_of}};

static bool any(struct column y)
{
    for (size_t i = 0; i < y.n; i++)
        if (isfinite(y.at[i]) && y.at[i] > 0)
            return true;
    return false;
}

/* Of the blocks [first, first + n): up to PAGE_LINES of them, evenly. */
static void blocks(const struct course *c, const struct picture *what, size_t first,
                   size_t n, FILE *out)
{
    const size_t lines = n < PAGE_LINES ? n : PAGE_LINES;
    struct plot_series series[PAGE_LINES];
    char name[PAGE_LINES][32], title[100];
    struct column x = column_new(c->examined), y[PAGE_LINES];
    bool shown = false;
    for (size_t i = 0; i < x.n; i++)
        x.at[i] = (double)c->statistics[i].step;
    for (size_t k = 0; k < lines; k++) {
        const size_t block = first + (lines > 1 ? k * (n - 1) / (lines - 1) : 0);
        y[k] = column_new(x.n);
        for (size_t i = 0; i < x.n; i++)
            y[k].at[i] = what->of(c, &c->statistics[i], block);
        shown = shown || any(y[k]);
        snprintf(name[k], sizeof name[k], "block %llu",
                 (unsigned long long)c->at[block].number);
        series[k] = line(name[k], x, y[k]);
    }
    snprintf(title, sizeof title, "%s: %s", what->title, c->at[first].stack);
    if (shown)
        draw(title, what->unit, true, series, lines, out);
    for (size_t k = 0; k < lines; k++)
        mem_free(y[k].at);
    mem_free(x.at);
}

void page_pictures(const struct patient *p, FILE *out)
{
    const struct course *c = p->course;
    if (c->steps > 0)
        steps(p, out);
    for (size_t k = 0; k < sizeof pictures / sizeof *pictures && c->examined > 0; k++)
        for (size_t first = 0, end; first < c->blocks; first = end) {
            for (end = first + 1;
                 end < c->blocks && strcmp(c->at[end].stack, c->at[first].stack) == 0;)
                end++;
            blocks(c, &pictures[k], first, end - first, out);
        }
}
