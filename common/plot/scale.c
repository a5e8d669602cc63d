#include "plot/scale.h"

#include <math.h>

static const double largest = 1e100, far = 1e4 /* pixels */;

bool scale_has(bool log, double value)
{
    return fabs(value) <= largest && (!log || value >= 1 / largest);
}

static double clamp(double pixels)
{
    return fmin(fmax(pixels, -far), far);
}

double scale_at(const struct scale *s, double value)
{
    const double share = s->log ? log(value / s->low) / log(s->high / s->low)
                                : (value - s->low) / (s->high - s->low);
    return clamp(share * s->pixels);
}

struct extent {
    double low, high; /* low > high: of nothing */
};

static void widen(struct extent *e, double value)
{
    e->low = fmin(e->low, value);
    e->high = fmax(e->high, value);
}

/* Of the points that can be shown. */
static struct extent extent_of(const struct plot *p, bool of_x)
{
    struct extent e = {INFINITY, -INFINITY};
    for (size_t s = 0; s < p->series_n; s++)
        for (size_t i = 0; i < p->series[s].n; i++) {
            const double x = p->series[s].x[i], y = p->series[s].y[i];
            if (scale_has(p->x.log, x) && scale_has(p->y.log, y))
                widen(&e, of_x ? x : y);
        }
    if (e.low > e.high)
        return (struct extent){1, 10};
    return e;
}

/* Some air above and below; along x lines go from edge to edge. */
static struct extent with_air(struct extent e, bool log, bool of_x)
{
    const double air = of_x ? 0 : 0.04, least = 1e-6;
    if (log) {
        const double factor = pow(e.high / e.low, air);
        e = (struct extent){e.low / factor, e.high * factor};
        if (!(e.high / e.low > 1 + least))
            e = (struct extent){e.low / 2, e.high * 2};
        return e;
    }
    const double span = e.high - e.low, size = fmax(fabs(e.low), fabs(e.high));
    if (!(span > least * size))
        return (struct extent){e.low - (size > 0 ? size / 2 : 1),
                               e.high + (size > 0 ? size / 2 : 1)};
    return (struct extent){e.low - air * span, e.high + air * span};
}

static struct scale scale_of(const struct plot *p, bool of_x, double pixels)
{
    const struct plot_axis *a = of_x ? &p->x : &p->y;
    const bool own = !(a->low >= a->high);
    struct extent e = with_air(extent_of(p, of_x), a->log, of_x);
    if (own && scale_has(a->log, a->low))
        e.low = a->low;
    if (own && scale_has(a->log, a->high))
        e.high = a->high;
    if (!(e.low < e.high)) /* all points are beyond the end that was asked for */
        e = with_air((struct extent){e.high, e.high}, a->log, of_x);
    return (struct scale){a->log, e.low, e.high, pixels};
}

struct scale scale_of_x(const struct plot *p, double pixels)
{
    return scale_of(p, true, pixels);
}

struct scale scale_of_y(const struct plot *p, double pixels)
{
    return scale_of(p, false, pixels);
}
