#include "nn/loss.h"

#include "tensor/rows.h"

enum { BLOCK_BYTES = 2 << 20, LARGE_BYTES = 24 << 20, ROWS_GOOD = 512, ROWS_MIN = 128 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t rows_in(size_t bytes, size_t V)
{
    return bytes / sizeof(real) / V / ROWS_MIN * ROWS_MIN;
}

/* Blocks of 2 MiB stay in the cache from the product to the gradients.  At least 512 rows
 * though while that is below 24 MiB, and 128 in any case (25.7 MB of logits for GPT-2):
 * each block packs all of `output` twice and reads its gradient once, so small blocks
 * wait for memory.  Measured on GPT-2 124M, forward and backward of 256 rows in blocks of
 * 64, 128, 256: 2173, 2087, 2085 ms; on Transformer-Tiny with 10,000 words in blocks of
 * 128, 256, 512: 1.04, 1.01, 1. */
size_t head_rows(size_t V)
{
    const size_t small = rows_in(BLOCK_BYTES, V),
                 rows = small >= ROWS_GOOD ? small
                                           : least(rows_in(LARGE_BYTES, V), ROWS_GOOD);
    return rows > ROWS_MIN ? rows : ROWS_MIN;
}

/* What is multiplied with `output`. */
static const real *normalized(struct head_cache cache, const real *x, struct head w,
                              const struct pass *pass)
{
    if (!w.norm.gain)
        return x;
    norm_forward(cache.normed, cache.norm, x, w.norm, pass->conf, pass->N, pass->s.C);
    return cache.normed;
}

double head_loss(struct head_cache cache, const real *x, const uint32_t *targets,
                 struct head w, const struct pass *pass)
{
    const size_t N = pass->N, C = pass->s.C, V = pass->s.V, R = head_rows(V);
    const real *y = normalized(cache, x, w, pass);
    double loss = 0;
    for (size_t n = 0; n < N; n += R) {
        const size_t rows = least(R, N - n);
        gemm_nt(pass->gemm, cache.logits, V, y + n * C, C, w.output, C, rows, V, C,
                false);
        loss += rows_cross_entropy(cache.logits, V, targets + n, rows, V, pass->smoothing,
                                   false);
    }
    return loss;
}

double head_backward(real *dx, struct head dw, struct head_cache cache, const real *x,
                     const uint32_t *targets, struct head w, const struct pass *pass)
{
    const size_t N = pass->N, C = pass->s.C, V = pass->s.V, R = head_rows(V);
    const real *y = normalized(cache, x, w, pass);
    real *dy = w.norm.gain ? cache.dnormed : dx;
    double loss = 0;
    uint64_t correct = 0;
    for (size_t n = 0; n < N; n += R) {
        const size_t rows = least(R, N - n);
        const real *y_n = y + n * C;
        real *dlogits = cache.logits; /* the loss turns one into the other in place */
        gemm_nt(pass->gemm, cache.logits, V, y_n, C, w.output, C, rows, V, C, false);
        if (pass->statistics)
            correct += measure_correct(cache.logits, targets + n, rows, V);
        loss += rows_cross_entropy(cache.logits, V, targets + n, rows, V, pass->smoothing,
                                   true);
        /* logits = y * output^T */
        gemm_nn(pass->gemm, dy + n * C, C, dlogits, V, w.output, C, rows, C, V, false);
        gemm_tn(pass->gemm, dw.output, C, dlogits, V, y_n, C, V, C, rows, n > 0);
    }
    if (w.norm.gain)
        norm_backward(dx, dw.norm, dy, cache.norm, x, w.norm, pass->conf, N, C);
    if (pass->statistics)
        pass->statistics->correct = correct;
    return loss;
}

void head_logits(real *logits, struct head_cache cache, const real *x, struct head w,
                 const struct pass *pass)
{
    const size_t N = pass->N, C = pass->s.C, V = pass->s.V;
    gemm_nt(pass->gemm, logits, V, normalized(cache, x, w, pass), C, w.output, C, N, V, C,
            false);
}
