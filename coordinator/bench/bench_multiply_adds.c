#include <math.h>

#include "base/log.h"
#include "base/mem.h"
#include "coordinator/bench/bench_ceilings.h"
#include "tensor/gemm.h"

static const double giga = 1e9;

struct bursts {
    struct gemm *gemm; /* [threads] */
    size_t rounds;
    double flops; /* of one burst */
};

static void burst(void *ctx, unsigned i)
{
    const struct bursts *all = ctx;
    gemm_burst(&all->gemm[i], all->rounds);
}

static void burst_alone(void *ctx)
{
    burst(ctx, 0);
}

static const char *name_of(bool bfloat16)
{
    return bfloat16 ? "multiply-adds, bfloat16" : "multiply-adds, float32";
}

static void say(struct bench *b, bool bfloat16, unsigned threads, struct spread seconds,
                double flops)
{
    bench_say(b,
              (struct bench_row){.section = BENCH_CEILINGS,
                                 .threads = threads,
                                 .value = spread_rate(seconds, flops / giga),
                                 .unit = BENCH_GFLOPS,
                                 .share = NAN},
              "%s", name_of(bfloat16));
}

static void measure(struct bench *b, bool bfloat16)
{
    struct bursts all = {.gemm = mem_alloc(b->threads * sizeof *all.gemm),
                         .rounds = 20000};
    for (unsigned i = 0; i < b->threads; i++)
        all.gemm[i] = gemm_new(bfloat16 ? GEMM_BFLOAT16 : GEMM_REAL);
    all.flops = gemm_burst(&all.gemm[0], all.rounds);
    const struct spread one = bench_repeat(b, burst_alone, &all);
    say(b, bfloat16, 1, one, all.flops);
    if (b->threads > 1) { /* as long as a repeat of one */
        const double bursts = 1 + b->seconds / one.median;
        all.rounds = (size_t)((double)all.rounds * (bursts > 1 ? bursts : 1));
        all.flops = gemm_burst(&all.gemm[0], all.rounds);
        say(b, bfloat16, b->threads, bench_together(b, b->threads, burst, &all),
            all.flops * b->threads);
    }
    for (unsigned i = 0; i < b->threads; i++)
        gemm_free(&all.gemm[i]);
    mem_free(all.gemm);
}

void bench_multiply_adds(struct bench *b)
{
    log_info("measuring multiply-adds in registers");
    measure(b, false);
    measure(b, true);
}

double bench_ceiling_flops(const struct bench *b, bool bfloat16)
{
    return giga * bench_table_value(&b->table, BENCH_CEILINGS, name_of(bfloat16), 1).high;
}
