#include "guard/spikes.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Anew each time, in the order of the window: a running sum would depend on what has left
 * it. */
static bool moments(const struct spikes *s, enum spikes_kind kind, uint32_t window,
                    double *mean, double *sigma)
{
    assert(window > 0 && window <= SPIKES_WINDOW_MAX);
    if (s->n < window)
        return false;
    const double *x = s->last[kind] + (s->n - window);
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < window; i++)
        sum += x[i];
    *mean = sum / window;
    for (uint32_t i = 0; i < window; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *sigma = sqrt(squares / window);
    return *sigma > 0;
}

double spikes_z(const struct spikes *s, enum spikes_kind kind, uint32_t window, double x)
{
    double mean, sigma;
    return moments(s, kind, window, &mean, &sigma) ? (x - mean) / sigma : 0;
}

double spikes_limit(const struct spikes *s, enum spikes_kind kind, uint32_t window,
                    double z)
{
    double mean, sigma;
    return z > 0 && moments(s, kind, window, &mean, &sigma) ? mean + z * sigma : INFINITY;
}

void spikes_accept(struct spikes *s, uint32_t window, double loss, double norm)
{
    assert(window > 0 && window <= SPIKES_WINDOW_MAX && s->n <= SPIKES_WINDOW_MAX);
    const uint32_t gone = s->n < window ? 0 : s->n - window + 1;
    s->n -= gone;
    for (int k = 0; k < SPIKES_KINDS; k++)
        memmove(s->last[k], s->last[k] + gone, s->n * sizeof s->last[k][0]);
    s->last[SPIKES_LOSS][s->n] = loss;
    s->last[SPIKES_NORM][s->n++] = norm;
    s->skipped = 0;
}

void spikes_skip(struct spikes *s, uint32_t window)
{
    if (++s->skipped >= window)
        s->n = s->skipped = 0;
}
