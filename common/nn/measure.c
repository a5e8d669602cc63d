#include "nn/measure.h"

#include <assert.h>
#include <math.h>

enum { LANES = 8 }; /* sums that do not wait for each other */

double measure_rms(const real *x, size_t n)
{
    double s[LANES] = {0}, sum = 0;
    assert(n > 0);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            s[l] += (double)x[i + l] * (double)x[i + l];
    for (; i < n; i++)
        s[0] += (double)x[i] * (double)x[i];
    for (size_t l = 0; l < LANES; l++)
        sum += s[l];
    return sqrt(sum / (double)n);
}

/* A unit that is 0 in some rows is not in others, mostly in one of the first. */
static bool is_dead(const real *unit, size_t N, size_t F)
{
    for (size_t n = 0; n < N; n++)
        if (unit[n * F] != 0)
            return false;
    return true;
}

void measure_hidden(struct block_statistics *s, const real *hidden, size_t N, size_t F)
{
    size_t zeros = 0, dead = 0;
    for (size_t i = 0; i < N * F; i++)
        zeros += hidden[i] == 0;
    for (size_t f = 0; f < F; f++)
        dead += is_dead(hidden + f, N, F);
    s->zero = (double)zeros / (double)(N * F);
    s->dead = (double)dead / (double)F;
}

/* - sum a log a, of weights a [n] that add up to 1 */
static double entropy_of(const real *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (a[i] > 0)
            sum -= (double)a[i] * (double)real_log(a[i]);
    return sum;
}

void measure_weights(struct entropy *e, const real *a, size_t ld, size_t first, size_t T,
                     size_t S, bool causal)
{
    for (size_t t = 0; t < T; t++) {
        const size_t keys = causal ? first + t + 1 : S;
        if (keys < 2)
            continue;
        e->sum += entropy_of(a + t * ld, keys) / log((double)keys);
        e->rows++;
    }
}

double measure_entropy(const struct entropy *e)
{
    return e->rows > 0 ? e->sum / (double)e->rows : NAN;
}

static bool is_largest(const real *x, size_t target, size_t n)
{
    size_t before = 0, behind = 0; /* counted, not looked for: no branches */
    for (size_t i = 0; i < target; i++)
        before += x[i] >= x[target];
    for (size_t i = target + 1; i < n; i++)
        behind += x[i] > x[target];
    return before + behind == 0;
}

uint64_t measure_correct(const real *logits, const uint32_t *targets, size_t n, size_t V)
{
    uint64_t correct = 0;
    for (size_t i = 0; i < n; i++)
        correct += is_largest(logits + i * V, targets[i], V);
    return correct;
}
