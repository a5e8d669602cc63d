#include "optim/clip.h"

#include <assert.h>

#include "tensor/rows.h"

size_t clip_blocks(size_t count)
{
    return (count + CLIP_BLOCK - 1) / CLIP_BLOCK;
}

double clip_block_sum(const float *g, size_t count, size_t b)
{
    const size_t first = b * CLIP_BLOCK;
    assert(first < count);
    const size_t rest = count - first;
    return rows_sum_squares(g + first, rest < CLIP_BLOCK ? rest : CLIP_BLOCK);
}

double clip_tree(double *sums, size_t n)
{
    assert(n > 0);
    for (; n > 1; n = (n + 1) / 2)
        for (size_t i = 0; i < n; i += 2)
            sums[i / 2] = i + 1 < n ? sums[i] + sums[i + 1] : sums[i];
    return sums[0];
}

double clip_sum_squares(const float *g, size_t count, double *sums)
{
    for (size_t b = 0; b < clip_blocks(count); b++)
        sums[b] = clip_block_sum(g, count, b);
    return clip_tree(sums, clip_blocks(count));
}

double clip_factor(double norm, double max_norm)
{
    return max_norm > 0 && norm > max_norm ? max_norm / norm : 1;
}
