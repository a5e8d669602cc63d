#include "plot/path.h"

#include <math.h>

#include "plot/svg.h"

struct point {
    double x, y; /* pixels, y downwards */
    size_t at;   /* its number in the series */
};

struct column { /* points that follow each other in it */
    size_t n;
    double number;
    struct point first, low, high, last;
};

static void write_point(FILE *out, const struct point *p, bool *begun)
{
    fputc(*begun ? 'L' : 'M', out);
    svg_number(out, p->x);
    fputc(' ', out);
    svg_number(out, p->y);
    *begun = true;
}

/* Its points in their order, each once. */
static void flush(FILE *out, struct column *c, bool *begun)
{
    if (c->n == 0)
        return;
    const bool low_first = c->low.at < c->high.at;
    const struct point *const all[] = {&c->first, low_first ? &c->low : &c->high,
                                       low_first ? &c->high : &c->low, &c->last};
    size_t written = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (i == 0 || all[i]->at > written) {
            write_point(out, all[i], begun);
            written = all[i]->at;
        }
    c->n = 0;
}

static void take(struct column *c, struct point p)
{
    if (c->n == 0)
        *c = (struct column){0, floor(p.x), p, p, p, p};
    c->n++;
    if (p.y > c->low.y)
        c->low = p;
    if (p.y < c->high.y)
        c->high = p;
    c->last = p;
}

void path_write(FILE *out, const struct scale *x, const struct scale *y, const double *xs,
                const double *ys, size_t n)
{
    struct column c = {0};
    bool begun = false;
    size_t together = 0; /* points since the last gap */
    for (size_t i = 0; i <= n; i++) {
        if (i == n || !scale_has(x->log, xs[i]) || !scale_has(y->log, ys[i])) {
            flush(out, &c, &begun);
            if (together == 1)
                fputs("h0", out); /* with round ends: a dot */
            begun = false;
            together = 0;
            continue;
        }
        const struct point p = {scale_at(x, xs[i]), y->pixels - scale_at(y, ys[i]), i};
        if (c.n > 0 && floor(p.x) != c.number)
            flush(out, &c, &begun);
        take(&c, p);
        together++;
    }
}
