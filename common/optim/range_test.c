#include "optim/range_test.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"

enum { SPANS = 20, POINTS_MIN = 10 };

static const double share_of_the_fall = 0.7, diverged_at = 4;
static const double least_fall = 8 /* standard deviations of a smoothed loss */,
                    least_share = 1e-3;

void range_test_init(struct range_test *t, size_t steps)
{
    assert(steps > 0);
    const double span = fmax(2, (double)steps / SPANS);
    *t = (struct range_test){.keep = 1 - 1 / span, .smallest = INFINITY};
}

void range_test_fini(struct range_test *t)
{
    mem_free(t->point);
    *t = (struct range_test){0};
}

static double smooth(struct range_test *t, double loss)
{
    t->mean = t->keep * t->mean + (1 - t->keep) * loss;
    t->weight = t->keep * t->weight + (1 - t->keep);
    return t->mean / t->weight;
}

bool range_test_add(struct range_test *t, double rate, double loss)
{
    assert(rate > 0 && !t->diverged);
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->point = mem_resize(t->point, t->room * sizeof *t->point);
    }
    const double smoothed = smooth(t, loss);
    t->point[t->n++] = (struct range_point){rate, loss, smoothed};
    t->smallest = fmin(t->smallest, smoothed);
    t->diverged = !isfinite(smoothed) || smoothed > diverged_at * t->smallest;
    return !t->diverged;
}

/* Points before the one at which it was over. */
static size_t usable(const struct range_test *t)
{
    return t->diverged ? t->n - 1 : t->n;
}

static size_t smallest(const struct range_point *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        if (p[i].smoothed < p[at].smoothed)
            at = i;
    return at;
}

/* The largest fall per factor of the rate, seen over some points on either side, since
 * single steps scatter. */
static size_t steepest(const struct range_point *p, size_t end, size_t n)
{
    const size_t around = n / 50 + 1;
    double best = INFINITY;
    size_t at = 0;
    for (size_t i = around; i <= end && i + around < n; i++) {
        const struct range_point *a = &p[i - around], *b = &p[i + around];
        const double slope = (b->smoothed - a->smoothed) / log(b->rate / a->rate);
        if (slope < best) {
            best = slope;
            at = i;
        }
    }
    return at;
}

/* The standard deviation of a smoothed loss, from how far apart neighbours are: half the
 * mean square of their difference is the variance of one, and the average over a span has
 * (1 - b) / (1 + b) of it. */
static double scatter(const struct range_test *t, size_t end)
{
    double squares = 0;
    for (size_t i = 1; i <= end; i++) {
        const double d = t->point[i].loss - t->point[i - 1].loss;
        squares += d * d;
    }
    const double variance = end > 0 ? squares / (2 * (double)end) : 0;
    return sqrt(variance * (1 - t->keep) / (1 + t->keep));
}

static double two_digits(double x)
{
    const double unit = pow(10, floor(log10(x)) - 1);
    return unit < 1 ? round(x / unit) / round(1 / unit) : round(x / unit) * unit;
}

void range_test_propose(const struct range_test *t, struct range_proposal *out)
{
    const size_t n = usable(t);
    const struct range_point *p = t->point;
    *out = (struct range_proposal){.verdict = RANGE_SHORT};
    if (n < POINTS_MIN)
        return;
    struct range_proposal r = {.smallest = smallest(p, n)};
    const size_t span = (size_t)(1 / (1 - t->keep) + 0.5);
    /* not the very first, which scatters more */
    const double first = p[span - 1 < r.smallest ? span - 1 : r.smallest].smoothed;
    const double fall = first - p[r.smallest].smoothed;
    out->verdict = RANGE_FLAT;
    if (!(fall > fmax(least_fall * scatter(t, r.smallest), least_share * fabs(first))))
        return;
    while (p[r.at].smoothed > first - share_of_the_fall * fall)
        r.at++;
    r.steepest = steepest(p, r.smallest, n);
    r.rate = two_digits(p[r.at].rate);
    r.verdict = !t->diverged && r.smallest + span / 2 >= n ? RANGE_OPEN : RANGE_FOUND;
    *out = r;
}

bool range_test_proposes(const struct range_proposal *p)
{
    return p->verdict == RANGE_FOUND || p->verdict == RANGE_OPEN;
}
