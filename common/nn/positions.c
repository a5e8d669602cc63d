#include "nn/positions.h"

#include <math.h>

void positions_waves(real *waves, size_t T, size_t C)
{
    for (size_t t = 0; t < T; t++)
        for (size_t c = 0; c < C; c++) {
            const size_t pair = c / 2 * 2;
            const double angle = (double)t * pow(10000, -(double)pair / (double)C);
            waves[t * C + c] = (real)(c == pair ? sin(angle) : cos(angle));
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
