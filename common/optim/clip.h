/* clip.h - the global norm of a gradient and its clipping (Pascanu, Mikolov, Bengio
 * 2013).
 *
 *      g *= min(1, max_norm / |g|)         |g| over the whole vector
 *
 * The sum of squares is taken in double over fixed blocks of CLIP_BLOCK elements of the
 * flat vector, and the blocks are added along a binary tree over their numbers: the same
 * bits for any division of the vector among threads or servers, as long as each block is
 * summed whole by one of them, and for any instruction set.
 *
 * Pure functions, any thread.
 */
#ifndef OPTIM_CLIP_H
#define OPTIM_CLIP_H

#include <stddef.h>

enum { CLIP_BLOCK = 65536 };

/* How many blocks; they start at multiples of CLIP_BLOCK, the last may be shorter. */
size_t clip_blocks(size_t count);
/* The sum of squares of block @b of the vector g [count]. */
double clip_block_sum(const float *g, size_t count, size_t b);
/* Along the tree; sums [n] is used up, n > 0.  Node i of a level is the sum of nodes 2i
 * and 2i + 1 of the level below; a node without a partner moves up as it is. */
double clip_tree(double *sums, size_t n);
/* All of it: |g|^2; sums [clip_blocks(count)] is scratch, count > 0. */
double clip_sum_squares(const float *g, size_t count, double *sums);

/* The factor, at most 1; 1 when @max_norm is 0 (no clipping).  A norm that is infinite or
 * not a number cannot be cured by a factor: the caller looks for that first. */
double clip_factor(double norm, double max_norm);

#endif
