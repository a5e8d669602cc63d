/* ema.h - the exponential moving average of the parameters (Polyak, Juditsky 1992).
 *
 *      mean <- d * mean + (1 - d) * theta        after each update
 *      d     = min(decay, (1 + s) / (10 + s))    s = 0 for the first
 *
 * The average begins as the parameters do; the second term of d lets it forget them soon,
 * however long the average is to be.  It is kept in float, like what it averages: what
 * differs from it by less than 2^-24 / (1 - d) of its size stays unnoticed, 6e-5 of it
 * for a decay of 0.999.
 *
 * An element's new value depends on that element alone, bit for bit.  Pure functions.
 */
#ifndef OPTIM_EMA_H
#define OPTIM_EMA_H

#include <stddef.h>
#include <stdint.h>

/* d, from 0 to @decay. */
double ema_decay(double decay, uint64_t s);

/* @mean [n] moves towards @theta [n]. */
void ema_step(float *mean, const float *theta, size_t n, double decay, uint64_t s);

#endif
