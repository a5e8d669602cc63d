#include "nn/positions.h"

#include <math.h>

/* Columns of the sine and the cosine of frequency @i, and its share of 10000's exponent. */
struct wave {
    size_t sine, cosine;
    double share;
};

static struct wave wave_at(size_t i, size_t C, bool halves)
{
    if (!halves)
        return (struct wave){2 * i, 2 * i + 1, (double)(2 * i) / (double)C};
    return (struct wave){i, i + C / 2, C > 2 ? (double)i / (double)(C / 2 - 1) : 0};
}

void positions_waves(real *waves, size_t T, size_t C, bool halves)
{
    for (size_t t = 0; t < T; t++)
        for (size_t i = 0; i < C / 2; i++) {
            const struct wave w = wave_at(i, C, halves);
            const double angle = (double)t * pow(10000, -w.share);
            waves[t * C + w.sine] = (real)sin(angle);
            waves[t * C + w.cosine] = (real)cos(angle);
        }
}

void positions_angles(real *angles, size_t T, size_t D, double theta)
{
    for (size_t t = 0; t < T; t++)
        for (size_t i = 0; i < D / 2; i++) {
            const double angle = (double)t * pow(theta, -(double)(2 * i) / (double)D);
            angles[t * D + i] = (real)cos(angle);
            angles[t * D + i + D / 2] = (real)sin(angle);
        }
}
