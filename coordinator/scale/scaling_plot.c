/* scaling_plot.c - a scaling experiment as pictures. */
#include <math.h>

#include "base/mem.h"
#include "coordinator/scale/scaling_report.h"
#include "plot/plot.h"

/* A line, or spots that no line joins. */
struct curve {
    double *x, *y; /* [room] */
    size_t n, room;
};

static void add(struct curve *c, double x, double y)
{
    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 16;
        c->x = mem_resize(c->x, c->room * sizeof *c->x);
        c->y = mem_resize(c->y, c->room * sizeof *c->y);
    }
    c->x[c->n] = x;
    c->y[c->n++] = y;
}

static void curve_fini(struct curve *c)
{
    mem_free(c->x);
    mem_free(c->y);
}

static struct plot_series series(const char *name, const struct curve *c, bool faint)
{
    return (struct plot_series){c->n > 0 ? name : NULL, c->x, c->y, c->n, faint};
}

/* A picture that is being put together; all counts of one mode. */
struct picture {
    const struct scaling_report *r;
    enum scaling_mode mode;
    double fewest, most; /* workers */
    struct plot_mark *mark;
    size_t marks;
    bool said_crowded;
};

static bool is_measured(const struct picture *p, const struct scaling_point *point)
{
    return point->config.mode == p->mode && point->rate.n > 0;
}

static struct picture picture_of(const struct scaling_report *r, enum scaling_mode m)
{
    struct picture p = {.r = r, .mode = m, .fewest = INFINITY, .most = 0};
    p.mark = mem_alloc((2 * r->points + 1) * sizeof *p.mark);
    for (size_t i = 0; i < r->points; i++)
        if (is_measured(&p, &r->point[i])) {
            p.fewest = fmin(p.fewest, r->point[i].config.workers);
            p.most = fmax(p.most, r->point[i].config.workers);
        }
    return p;
}

static bool is_wide(const struct picture *p)
{
    return p->most > 8 * p->fewest;
}

static struct plot_axis workers_axis(const struct picture *p)
{
    return (struct plot_axis){.title = "workers",
                              .log = is_wide(p),
                              .low = is_wide(p) ? NAN : fmax(0, p->fewest - 0.5),
                              .high = is_wide(p) ? NAN : p->most + 0.5};
}

/* Once with words, then the line alone. */
static void mark_crowded(struct picture *p, const struct scaling_point *point)
{
    if (!point->crowded)
        return;
    const char *label = p->said_crowded ? NULL : scaling_crowded;
    p->mark[p->marks++] = (struct plot_mark){point->config.workers, NAN, label};
    p->said_crowded = true;
}

static void spot(struct picture *p, double x, double y)
{
    p->mark[p->marks++] = (struct plot_mark){x, y, NULL};
}

static void draw(const struct picture *p, const char *title, struct plot_axis y,
                 const struct plot_series *list, size_t n, FILE *out)
{
    const struct plot plot = {.title = title,
                              .x = workers_axis(p),
                              .y = y,
                              .series = list,
                              .series_n = n,
                              .marks = p->mark,
                              .marks_n = p->marks};
    plot_write(&plot, out);
}

/* --- tokens/s --- */

struct tokens {
    double unit; /* tokens/s, so that numbers are short */
    struct curve median, crowded, spread, ideal;
};

static double unit_of(const struct picture *p)
{
    double most = 0;
    for (size_t i = 0; i < p->r->points; i++)
        if (is_measured(p, &p->r->point[i]))
            most = fmax(most, p->r->point[i].rate.high);
    return most >= 2e7 ? 1e6 : most >= 2e4 ? 1e3 : 1;
}

static const char *unit_name(double unit)
{
    return unit > 1e3 ? "million tokens/s" : unit > 1 ? "thousand tokens/s" : "tokens/s";
}

/* A bar from least to most, with ends that a spot on it does not hide. */
static void add_bar(const struct picture *p, struct tokens *t, double n,
                    const struct scaling_spread *s)
{
    const double half = 0.012, left = is_wide(p) ? n * (1 - half) : n - half * p->most,
                 right = is_wide(p) ? n * (1 + half) : n + half * p->most,
                 low = s->low / t->unit, high = s->high / t->unit;
    const double x[] = {left, right, n, n, left, right, n},
                 y[] = {low, low, low, high, high, high, NAN};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        add(&t->spread, x[i], y[i]);
}

static void take_tokens(struct picture *p, struct tokens *t,
                        const struct scaling_point *point)
{
    const double n = point->config.workers, rate = point->rate.median / t->unit;
    add(point->crowded ? &t->crowded : &t->median, n, rate);
    spot(p, n, rate);
    mark_crowded(p, point);
    add_bar(p, t, n, &point->rate);
}

/* In proportion to the workers, through the fewest. */
static void ideal(struct tokens *t)
{
    if (t->median.n == 0)
        return;
    const double each = t->median.y[0] / t->median.x[0];
    for (size_t i = 0; i < t->median.n; i++)
        add(&t->ideal, t->median.x[i], each * t->median.x[i]);
}

void scaling_plot_tokens(const struct scaling_report *r, enum scaling_mode m, FILE *out)
{
    struct picture p = picture_of(r, m);
    struct tokens t = {.unit = unit_of(&p)};
    for (size_t i = 0; i < r->points; i++)
        if (is_measured(&p, &r->point[i]))
            take_tokens(&p, &t, &r->point[i]);
    ideal(&t);
    const struct plot_series list[] = {series("median of the runs", &t.median, false),
                                       series(scaling_crowded, &t.crowded, true),
                                       series("ideal", &t.ideal, true),
                                       series("least to most", &t.spread, false)};
    const double low = is_wide(&p) ? NAN : 0;
    draw(&p, m == SCALING_STRONG ? "Strong scaling: speed" : "Weak scaling: speed",
         (struct plot_axis){
             .title = unit_name(t.unit), .log = is_wide(&p), .low = low, .high = NAN},
         list, sizeof list / sizeof *list, out);
    curve_fini(&t.median);
    curve_fini(&t.crowded);
    curve_fini(&t.spread);
    curve_fini(&t.ideal);
    mem_free(p.mark);
}

/* --- efficiency --- */

void scaling_plot_efficiency(const struct scaling_report *r, enum scaling_mode m,
                             FILE *out)
{
    struct picture p = picture_of(r, m);
    struct curve measured = {0}, whole = {0};
    for (size_t i = 0; i < r->points; i++) {
        const struct scaling_point *point = &r->point[i];
        if (!is_measured(&p, point))
            continue;
        mark_crowded(&p, point);
        if (!isfinite(point->efficiency))
            continue;
        add(&measured, point->config.workers, 100 * point->efficiency);
        spot(&p, point->config.workers, 100 * point->efficiency);
    }
    add(&whole, p.fewest, 100);
    add(&whole, p.most, 100);
    const struct plot_series list[] = {series("measured", &measured, false),
                                       series("ideal", &whole, true)};
    draw(&p,
         m == SCALING_STRONG ? "Strong scaling: efficiency" : "Weak scaling: efficiency",
         (struct plot_axis){.title = "efficiency", .unit = "%", .low = 0, .high = NAN},
         list, sizeof list / sizeof *list, out);
    curve_fini(&measured);
    curve_fini(&whole);
    mem_free(p.mark);
}

/* --- phases --- */

void scaling_plot_phases(const struct scaling_report *r, enum scaling_mode m, FILE *out)
{
    struct picture p = picture_of(r, m);
    struct curve computing = {0}, gathering = {0}, updating = {0};
    for (size_t i = 0; i < r->points; i++) {
        const struct scaling_point *point = &r->point[i];
        const struct roofline_step *s = &point->step;
        const double n = point->config.workers;
        if (!is_measured(&p, point))
            continue;
        add(&computing, n, 1e3 * s->computing);
        add(&gathering, n, 1e3 * s->gathering);
        add(&updating, n, 1e3 * s->updating);
        mark_crowded(&p, point);
    }
    const struct plot_series list[] = {series("computing", &computing, false),
                                       series("gathering", &gathering, false),
                                       series("updating", &updating, false)};
    draw(&p,
         m == SCALING_STRONG ? "Strong scaling: where a step's time goes"
                             : "Weak scaling: where a step's time goes",
         (struct plot_axis){
             .title = "time of a step", .unit = "ms", .low = 0, .high = NAN},
         list, sizeof list / sizeof *list, out);
    curve_fini(&computing);
    curve_fini(&gathering);
    curve_fini(&updating);
    mem_free(p.mark);
}
