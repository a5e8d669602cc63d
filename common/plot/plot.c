#include "plot/plot.h"

#include <assert.h>
#include <math.h>

#include "plot/path.h"
#include "plot/scale.h"
#include "plot/style.h"
#include "plot/svg.h"
#include "plot/ticks.h"

/* Pixels. */
enum {
    WIDTH = 760,
    HEIGHT = 420,
    LEFT = 68,
    RIGHT = 18,
    TOP = 14,
    BOTTOM = 50,
    TITLE = 24,
    LEGEND_ROW = 20,
    KEY = 22, /* the piece of line in the legend */
    FONT = 12,
    X_TICK = 90, /* from one number to the next, about */
    Y_TICK = 52
};

struct frame {
    const struct plot *plot;
    FILE *out;
    double width, height; /* of all */
    double left, top;     /* of the area with the lines */
    struct scale x, y;
};

/* --- pieces --- */

static void attribute(FILE *out, const char *name, double value)
{
    fprintf(out, " %s=\"", name);
    svg_number(out, value);
    fputc('"', out);
}

static void line(FILE *out, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(out, "<line class=\"%s\"", class);
    attribute(out, "x1", x1);
    attribute(out, "y1", y1);
    attribute(out, "x2", x2);
    attribute(out, "y2", y2);
    fputs("/>\n", out);
}

/* @anchor: start, middle, end */
static void text(FILE *out, const char *class, double x, double y, const char *anchor,
                 const char *words)
{
    fprintf(out, "<text class=\"%s\" text-anchor=\"%s\"", class, anchor);
    attribute(out, "x", x);
    attribute(out, "y", y);
    fputc('>', out);
    svg_escape(out, words);
    fputs("</text>\n", out);
}

static bool has_text(const char *words)
{
    return words && *words;
}

static void axis_title(FILE *out, const struct plot_axis *a, double x, double y,
                       bool upwards)
{
    if (!has_text(a->title))
        return;
    fputs("<text text-anchor=\"middle\"", out);
    attribute(out, "x", x);
    attribute(out, "y", y);
    if (upwards) {
        fputs(" transform=\"rotate(-90 ", out);
        svg_number(out, x);
        fputc(' ', out);
        svg_number(out, y);
        fputs(")\"", out);
    }
    fputc('>', out);
    svg_escape(out, a->title);
    if (has_text(a->unit)) {
        fputs(" (", out);
        svg_escape(out, a->unit);
        fputc(')', out);
    }
    fputs("</text>\n", out);
}

/* --- legend --- */

/* Calls @each for every name with its place, in rows of @width; returns the rows. */
static unsigned
legend_layout(const struct plot *p, double width,
              void (*each)(void *ctx, size_t series, double x, unsigned row), void *ctx)
{
    double x = 0;
    unsigned row = 0;
    bool any = false;
    for (size_t i = 0; i < p->series_n; i++) {
        if (!has_text(p->series[i].name))
            continue;
        const double needs = KEY + 6 + svg_text_width(p->series[i].name, FONT) + 18;
        if (x > 0 && x + needs > width) {
            x = 0;
            row++;
        }
        if (each)
            each(ctx, i, x, row);
        x += needs;
        any = true;
    }
    return any ? row + 1 : 0;
}

static void series_class(FILE *out, const struct plot *p, size_t i)
{
    fprintf(out, "class=\"line c%zu%s%s\"", i % COLOURS, i >= COLOURS ? " dashed" : "",
            p->series[i].faint ? " faint" : "");
}

static void legend_entry(void *ctx, size_t i, double x, unsigned row)
{
    const struct frame *f = ctx;
    const double rows = legend_layout(f->plot, f->x.pixels, NULL, NULL);
    const double left = f->left + x,
                 middle = f->top - 10 - LEGEND_ROW * (rows - 1 - row) - FONT / 2.0;
    fputs("<path ", f->out);
    series_class(f->out, f->plot, i);
    fputs(" d=\"M", f->out);
    svg_number(f->out, left);
    fputc(' ', f->out);
    svg_number(f->out, middle);
    fprintf(f->out, "h%d\"/>\n", KEY);
    text(f->out, "name", left + KEY + 6, middle + 4, "start", f->plot->series[i].name);
}

/* --- the area --- */

static void x_grid(const struct frame *f)
{
    struct ticks t;
    const unsigned want = (unsigned)fmax(3, f->x.pixels / X_TICK);
    (f->x.log ? ticks_log : ticks_linear)(&t, f->x.low, f->x.high, want);
    const double bottom = f->top + f->y.pixels;
    for (size_t i = 0; i < t.n; i++) {
        const double at = f->left + scale_at(&f->x, t.list[i].at);
        line(f->out, *t.list[i].text ? "grid" : "grid minor", at, f->top, at, bottom);
        if (*t.list[i].text)
            text(f->out, "tick", at, bottom + 17, "middle", t.list[i].text);
    }
}

static void y_grid(const struct frame *f)
{
    struct ticks t;
    const unsigned want = (unsigned)fmax(3, f->y.pixels / Y_TICK);
    (f->y.log ? ticks_log : ticks_linear)(&t, f->y.low, f->y.high, want);
    const double right = f->left + f->x.pixels;
    for (size_t i = 0; i < t.n; i++) {
        const double at = f->top + f->y.pixels - scale_at(&f->y, t.list[i].at);
        line(f->out, *t.list[i].text ? "grid" : "grid minor", f->left, at, right, at);
        if (*t.list[i].text)
            text(f->out, "tick", f->left - 8, at + 4, "end", t.list[i].text);
    }
}

/* In a picture of its own, which cuts off what lies outside. */
static void lines(const struct frame *f)
{
    fputs("<svg", f->out);
    attribute(f->out, "x", f->left);
    attribute(f->out, "y", f->top);
    attribute(f->out, "width", f->x.pixels);
    attribute(f->out, "height", f->y.pixels);
    fputs(">\n", f->out);
    for (size_t i = 0; i < f->plot->series_n; i++) {
        const struct plot_series *s = &f->plot->series[i];
        fputs("<path ", f->out);
        series_class(f->out, f->plot, i);
        fputs(" d=\"", f->out);
        path_write(f->out, &f->x, &f->y, s->x, s->y, s->n);
        fputs("\"/>\n", f->out);
    }
    fputs("</svg>\n", f->out);
}

/* --- marks --- */

static bool within(const struct scale *s, double value)
{
    return scale_has(s->log, value) && value >= s->low && value <= s->high;
}

static bool is_across(const struct plot_mark *m) /* a vertical line */
{
    return isnan(m->y);
}

static bool is_along(const struct plot_mark *m)
{
    return isnan(m->x);
}

static bool is_shown(const struct frame *f, const struct plot_mark *m)
{
    if (is_across(m) && is_along(m))
        return false;
    return (is_along(m) || within(&f->x, m->x)) && (is_across(m) || within(&f->y, m->y));
}

static double mark_x(const struct frame *f, const struct plot_mark *m)
{
    return f->left + (is_along(m) ? f->x.pixels : scale_at(&f->x, m->x));
}

static double mark_y(const struct frame *f, const struct plot_mark *m)
{
    return f->top + (is_across(m) ? 0 : f->y.pixels - scale_at(&f->y, m->y));
}

static void mark_shape(const struct frame *f, const struct plot_mark *m)
{
    const double x = mark_x(f, m), y = mark_y(f, m);
    if (is_across(m)) {
        line(f->out, "mark", x, f->top, x, f->top + f->y.pixels);
    } else if (is_along(m)) {
        line(f->out, "mark", f->left, y, f->left + f->x.pixels, y);
    } else {
        fputs("<circle class=\"spot\" r=\"4.5\"", f->out);
        attribute(f->out, "cx", x);
        attribute(f->out, "cy", y);
        fputs("/>\n", f->out);
    }
}

/* On the side where there is more room; those of vertical lines have a row each. */
static void mark_label(const struct frame *f, const struct plot_mark *m, unsigned *row)
{
    const double x = mark_x(f, m), y = mark_y(f, m);
    const bool to_left = x - f->left > 0.6 * f->x.pixels;
    double base = y < f->top + 24 ? y + 18 : y - 8;
    if (is_across(m))
        base = f->top + 16 + 16.0 * (*row)++;
    text(f->out, "label", to_left ? x - 7 : x + 7, base, to_left ? "end" : "start",
         m->label);
}

static void marks(const struct frame *f)
{
    const struct plot *p = f->plot;
    unsigned row = 0;
    for (size_t i = 0; i < p->marks_n; i++)
        if (is_shown(f, &p->marks[i]))
            mark_shape(f, &p->marks[i]);
    for (size_t i = 0; i < p->marks_n; i++)
        if (has_text(p->marks[i].label) && is_shown(f, &p->marks[i]))
            mark_label(f, &p->marks[i], &row);
}

static struct frame layout(const struct plot *p, FILE *out)
{
    struct frame f = {.plot = p,
                      .out = out,
                      .width = p->width ? p->width : WIDTH,
                      .height = p->height ? p->height : HEIGHT,
                      .left = LEFT,
                      .top = TOP};
    assert(f.width >= 200 && f.width <= 4000 && f.height >= 200 && f.height <= 4000);
    const double across = f.width - LEFT - RIGHT;
    if (has_text(p->title))
        f.top += TITLE;
    f.top += LEGEND_ROW * legend_layout(p, across, NULL, NULL);
    f.x = scale_of_x(p, across);
    f.y = scale_of_y(p, fmax(f.height - f.top - BOTTOM, 50));
    return f;
}

static void open_picture(const struct frame *f)
{
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\"",
          f->out);
    attribute(f->out, "width", f->width);
    attribute(f->out, "height", f->height);
    fputs(" viewBox=\"0 0 ", f->out);
    svg_number(f->out, f->width);
    fputc(' ', f->out);
    svg_number(f->out, f->height);
    fputs("\">\n", f->out);
    if (has_text(f->plot->title)) {
        fputs("<title>", f->out);
        svg_escape(f->out, f->plot->title);
        fputs("</title>\n", f->out);
    }
    fputs(style, f->out);
    fputs("<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n", f->out);
    if (has_text(f->plot->title))
        text(f->out, "title", f->left, TOP + 14, "start", f->plot->title);
}

void plot_write(const struct plot *p, FILE *out)
{
    struct frame f = layout(p, out);
    open_picture(&f);
    legend_layout(p, f.x.pixels, legend_entry, &f);
    x_grid(&f);
    y_grid(&f);
    fputs("<rect class=\"edge\"", out);
    attribute(out, "x", f.left);
    attribute(out, "y", f.top);
    attribute(out, "width", f.x.pixels);
    attribute(out, "height", f.y.pixels);
    fputs("/>\n", out);
    lines(&f);
    marks(&f);
    axis_title(out, &p->x, f.left + f.x.pixels / 2, f.height - 12, false);
    axis_title(out, &p->y, 16, f.top + f.y.pixels / 2, true);
    fputs("</svg>\n", out);
}
