#include "base/ramp.h"

#include <assert.h>

__extension__ typedef unsigned __int128 wide;

uint32_t ramp_slices(struct ramp r, uint32_t V, uint64_t step)
{
    if (step >= r.steps)
        return V;
    assert(r.from >= 1 && r.from <= V && r.steps <= RAMP_STEPS_MAX);
    return r.from + (uint32_t)((uint64_t)(V - r.from) * step / r.steps);
}

/* sum of floor(a i / m) for i from 0 to n - 1, by Euclid's algorithm: the points below a
 * line are counted by columns, or by rows. */
static wide floor_sum(wide n, wide m, wide a, wide b)
{
    wide sum = 0;
    for (;;) {
        sum += n * (n - 1) / 2 * (a / m) + n * (b / m);
        a %= m;
        b %= m;
        const wide top = a * n + b;
        if (top < m)
            return sum;
        n = top / m;
        b = top % m;
        const wide other = m;
        m = a;
        a = other;
    }
}

uint64_t ramp_before(struct ramp r, uint32_t V, uint64_t step)
{
    const uint64_t in = step < r.steps ? step : r.steps;
    if (in == 0)
        return step * V;
    return in * r.from + (uint64_t)floor_sum(in, r.steps, V - r.from, 0) +
           (step - in) * V;
}

double ramp_steps(struct ramp r, uint32_t V, double full)
{
    if (r.steps == 0)
        return full;
    const double slices = full * V, all = (double)ramp_before(r, V, r.steps);
    if (slices >= all)
        return (double)r.steps + (slices - all) / V;
    uint64_t low = 0, high = r.steps; /* before(low) < slices <= before(high) */
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        *((double)ramp_before(r, V, middle) < slices ? &low : &high) = middle;
    }
    return (double)high;
}
