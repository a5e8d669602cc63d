/* bench_rows.c - how fast are the row kernels?
 *
 *      bench_rows [v2|v3|v4]
 *
 * One thread.  Per kernel the best of ROUNDS runs: elements per ns, bytes read and
 * written per ns (GB/s), and how many times faster than the definition in double.  The
 * block has the size of one layer's activations in a small model and stays in the second
 * cache; the updates run over vectors far larger than all caches, at memory speed.  The
 * ratio of norm_backward is large because its definition multiplies the whole Jacobian.
 * Elements of the products of attention are multiply-adds; their bytes are not counted.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/rows_reference.h"
#include "tensor/gemm.h"

enum { N = 64, C = 768, BLOCK = N * C, T = 256, V = 8192, ROUNDS = 9 };
enum { HALF = T * (T + 1) / 2, LARGE = 1 << 24 };
enum { SHORT = 32, D = 32, HEAD = SHORT * (SHORT + 1) / 2 * D }; /* multiply-adds */

static real x[BLOCK], x2[BLOCK], y[BLOCK], y2[BLOCK], gain[C], bias[C], mean[N], rstd[N];
static real scores[T * T], dscores[T * T], logits[16 * V], angles[64];
static real exact[SHORT * SHORT];
static uint32_t targets[16];
static uint16_t packed[BLOCK];
static double want[16 * V], want_gain[C], want_bias[C];
static float *theta, *moment1, *moment2, *gradient;
static double *wide_theta, *wide_moment1, *wide_moment2;
static volatile double sink;

static const struct rows_dropout_site site = {.key = {{1, 2}}, .site = 3, .step = 4};
static const struct rows_adam adam_fast = {.rate = 1e-4f,
                                           .rest1 = 0.1f,
                                           .rest2 = 0.001f,
                                           .eps = 1e-8f,
                                           .correction1 = 0.5f,
                                           .correction2 = 0.5f,
                                           .decay = 0.1f,
                                           .scale = 1};
static const struct reference_adam adam_slow = {
    .rate = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .scale = 1, .t = 7};

/* BENCH(name, elements, bytes moved per element, kernel, elements, definition) */
#define BENCHES(BENCH)                                                                   \
    BENCH(add, BLOCK, 12, rows_add(y, x, BLOCK), BLOCK, for_each(plus, BLOCK))           \
    BENCH(scale, BLOCK, 8, rows_scale(y, 1, BLOCK), BLOCK, for_each(same, BLOCK))        \
    BENCH(add_bias, BLOCK, 8, rows_add_bias(y, bias, N, C), BLOCK,                       \
          for_each(plus, BLOCK))                                                         \
    BENCH(sum, BLOCK, 4, rows_sum(bias, x, N, C), BLOCK, for_each(plus, BLOCK))          \
    BENCH(norm, BLOCK, 8, rows_norm(y, mean, rstd, x, gain, bias, N, C, 1e-5f, false),   \
          BLOCK, reference_norm(want, x, gain, bias, N, C, 1e-5, false))                 \
    BENCH(norm rms, BLOCK, 8,                                                            \
          rows_norm(y, mean, rstd, x, gain, NULL, N, C, 1e-5f, true), BLOCK,             \
          reference_norm(want, x, gain, NULL, N, C, 1e-5, true))                         \
    BENCH(norm_backward, BLOCK, 12,                                                      \
          rows_norm_backward(y, gain, bias, x2, x, gain, mean, rstd, N, C, false), C,    \
          reference_norm_backward(want, want_gain, want_bias, x2, x, gain, 1, C, 1e-5,   \
                                  false))                                                \
    BENCH(gelu, BLOCK, 8, rows_gelu(y, x, BLOCK), BLOCK,                                 \
          for_each(reference_gelu, BLOCK))                                               \
    BENCH(gelu_backward, BLOCK, 12, rows_gelu_backward(y, x2, x, BLOCK), BLOCK,          \
          for_each(reference_gelu_slope, BLOCK))                                         \
    BENCH(gelu_tanh, BLOCK, 8, rows_gelu_tanh(y, x, BLOCK), BLOCK,                       \
          for_each(reference_gelu_tanh, BLOCK))                                          \
    BENCH(gelu_tanh_backward, BLOCK, 12, rows_gelu_tanh_backward(y, x2, x, BLOCK),       \
          BLOCK, for_each(reference_gelu_tanh_slope, BLOCK))                             \
    BENCH(relu, BLOCK, 8, rows_relu(y, x, BLOCK), BLOCK,                                 \
          for_each(reference_relu, BLOCK))                                               \
    BENCH(relu_backward, BLOCK, 12, rows_relu_backward(y, x2, x, BLOCK), BLOCK,          \
          for_each(reference_relu_slope, BLOCK))                                         \
    BENCH(swiglu, BLOCK, 12, rows_swiglu(y, x, x2, BLOCK), BLOCK,                        \
          for_each(reference_silu, BLOCK))                                               \
    BENCH(swiglu_backward, BLOCK, 20, rows_swiglu_backward(y, y2, x, x2, x, BLOCK),      \
          BLOCK, for_each(reference_silu_slope, BLOCK))                                  \
    BENCH(softmax_causal, HALF, 8, rows_softmax(scores, T, 0, T, T, true, 0.125f), HALF, \
          reference_softmax(want, scores, T, 0, T, T, true, 0.125))                      \
    BENCH(softmax_causal_backward, HALF, 12,                                             \
          rows_softmax_backward(dscores, scores, T, 0, T, T, true, 0.125f), HALF,        \
          reference_softmax_backward(want, dscores, scores, T, 0, T, T, true, 0.125))    \
    BENCH(dropout, BLOCK, 8, rows_dropout(y, x, BLOCK, 0.1f, site), BLOCK,               \
          reference_dropout(want, x, 0, BLOCK, 0.1f, site))                              \
    BENCH(cross_entropy, 16 * V, 8,                                                      \
          sink = rows_cross_entropy(logits, V, targets, 16, V, 0, true), 16 * V,         \
          sink = reference_cross_entropy(want, logits, V, targets, 16, V, 0))            \
    BENCH(scores_causal, HEAD, 0,                                                        \
          rows_scores(scores, SHORT, x, D, x2, D, SHORT, SHORT, D, true), 2 * HEAD,      \
          gemm_reference_nt(exact, SHORT, x, D, x2, D, SHORT, SHORT, D, false))          \
    BENCH(mix_causal, HEAD, 0,                                                           \
          rows_mix(y, D, scores, SHORT, x, D, SHORT, SHORT, D, true), 2 * HEAD,          \
          gemm_reference_nn(exact, D, scores, SHORT, x, D, SHORT, D, SHORT, false))      \
    BENCH(mix_transposed_causal, HEAD, 0,                                                \
          rows_mix_transposed(y, D, scores, SHORT, x, D, SHORT, SHORT, D, true, false),  \
          2 * HEAD,                                                                      \
          gemm_reference_tn(exact, D, scores, SHORT, x, D, SHORT, D, SHORT, false))      \
    BENCH(rotate, BLOCK, 8, rotate_all(), BLOCK,                                         \
          reference_rotate(want, x, x2, BLOCK, false))                                   \
    BENCH(round_bfloat16, BLOCK, 8, rows_round_bfloat16((float *)y, BLOCK), BLOCK,       \
          round_all())                                                                   \
    BENCH(pack_bfloat16, BLOCK, 6, rows_pack_bfloat16(packed, (float *)x, BLOCK), BLOCK, \
          round_all())                                                                   \
    BENCH(unpack_bfloat16, BLOCK, 6, rows_unpack_bfloat16((float *)y, packed, BLOCK),    \
          BLOCK, for_each(same, BLOCK))                                                  \
    BENCH(round_int8, BLOCK, 8, rows_round_int8((float *)y, BLOCK), BLOCK,               \
          reference_int8(want, (float *)x, BLOCK))                                       \
    BENCH(pack_int8, BLOCK, 5, rows_pack_int8((uint8_t *)packed, (float *)x, BLOCK),     \
          BLOCK, reference_int8(want, (float *)x, BLOCK))                                \
    BENCH(unpack_int8, BLOCK, 5, rows_unpack_int8((float *)y, (uint8_t *)packed, BLOCK), \
          BLOCK, for_each(same, BLOCK))                                                  \
    BENCH(adam, LARGE, 28,                                                               \
          rows_adam(theta, moment1, moment2, gradient, LARGE, adam_fast), LARGE / 16,    \
          reference_adam(wide_theta, wide_moment1, wide_moment2, gradient, LARGE / 16,   \
                         adam_slow))                                                     \
    BENCH(sgd, LARGE, 20,                                                                \
          rows_sgd(theta, moment1, gradient, LARGE, 1e-4f, 0.9f, 0.1f, 1), LARGE / 16,   \
          reference_sgd(wide_theta, wide_moment1, gradient, LARGE / 16, 1e-4, 0.9, 0.1,  \
                        1))                                                              \
    BENCH(sum_squares, LARGE, 4, sink = rows_sum_squares(gradient, LARGE), LARGE,        \
          squares())

static double plus(double a)
{
    return a + 1;
}

static double same(double a)
{
    return a;
}

static void for_each(double (*f)(double), size_t n)
{
    for (size_t i = 0; i < n; i++)
        want[i] = f((double)x[i]);
}

static void rotate_all(void)
{
    for (size_t i = 0; i < BLOCK; i += 64)
        rows_rotate(x2 + i, angles, 64, false);
}

static void round_all(void)
{
    for (size_t i = 0; i < BLOCK; i++)
        packed[i] = reference_bfloat16((float)x[i]);
}

static void squares(void)
{
    double sum = 0;
    for (size_t i = 0; i < LARGE; i++)
        sum += (double)gradient[i] * (double)gradient[i];
    sink = sum;
}

static void fill(void)
{
    for (size_t i = 0; i < BLOCK; i++) {
        x[i] = (real)(i * 2654435761u % 8192) / 1024 - 4;
        x2[i] = (real)(i * 40503u % 4096) / 2048 - 1;
    }
    for (size_t i = 0; i < C; i++)
        gain[i] = 1;
    for (size_t i = 0; i < 32; i++)
        angles[i] = 1; /* cos, and sin 0: sizes stay as they are */
    for (size_t i = 0; i < 16 * V; i++)
        logits[i] = (real)(i % 97) / 32;
    theta = mem_slab(LARGE * sizeof *theta);
    moment1 = mem_slab(LARGE * sizeof *theta);
    moment2 = mem_slab(LARGE * sizeof *theta);
    gradient = mem_slab(LARGE * sizeof *theta);
    wide_theta = mem_zalloc(LARGE / 16 * sizeof *wide_theta);
    wide_moment1 = mem_zalloc(LARGE / 16 * sizeof *wide_theta);
    wide_moment2 = mem_zalloc(LARGE / 16 * sizeof *wide_theta);
    for (size_t i = 0; i < LARGE; i++)
        gradient[i] = (float)(i % 1000) / 1000 - 0.5f;
}

/* Best time of one call in ns. */
#define TIME(best, call)                                                                 \
    for (int round = 0; round < ROUNDS; round++) {                                       \
        const double start = clock_seconds();                                            \
        int calls = 0;                                                                   \
        do {                                                                             \
            call;                                                                        \
            calls++;                                                                     \
        } while (clock_seconds() - start < 0.002);                                       \
        const double ns = (clock_seconds() - start) * 1e9 / calls;                       \
        best = round == 0 || ns < best ? ns : best;                                      \
    }

#define PRINT(name, elements, bytes, kernel, slow_elements, definition)                  \
    {                                                                                    \
        double fast = 0, slow = 0;                                                       \
        TIME(fast, kernel)                                                               \
        TIME(slow, definition)                                                           \
        const double rate = (double)(elements) / fast;                                   \
        printf("%-24s %8.2f elements/ns %8.1f GB/s %8.1f x reference\n", #name, rate,    \
               rate *bytes, slow / (double)(slow_elements)*rate);                        \
    }

int main(int argc, char **argv)
{
    const char *set, *library;
    if (gemm_start(NULL, &library) || rows_start(argc > 1 ? argv[1] : NULL, &set))
        return EXIT_FAILURE;
    rows_thread_start();
    fill();
    printf("kernels %s, real of %zu bytes\n", set, sizeof(real));
    BENCHES(PRINT)
    printf("%-24s %8.1f GFLOP/s %s\n", "gemm", gemm_peak_flops() / 1e9, library);
    return EXIT_SUCCESS;
}
