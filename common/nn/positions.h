/* positions.h - tables of waves, computed once per workspace.
 *
 *   sinusoidal   waves[t, 2i] = sin(t / 10000^(2i/C)), waves[t, 2i+1] = cos of the same
 *                (Vaswani 2017, section 3.5)
 *     halves     waves[t, i] = sin(t / 10000^(i/(C/2-1))), waves[t, i + C/2] = cos of the
 *                same, i < C/2 (tensor2tensor, fairseq)
 *   rotary       angles[t, i] = cos(t / theta^(2i/D)), angles[t, i + D/2] = sin of the
 *                same, i < D/2 (Su 2021); as rows_rotate() wants them
 *
 * Computed in double, rounded once.
 */
#ifndef NN_POSITIONS_H
#define NN_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/real.h"

void positions_waves(real *waves, size_t T, size_t C, bool halves);    /* [T,C] */
void positions_angles(real *angles, size_t T, size_t D, double theta); /* [T,D] */

#endif
