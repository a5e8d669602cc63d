#include <math.h>

#include "base/log.h"
#include "base/mem.h"
#include "coordinator/bench/bench_model.h"

struct thread {
    struct workspace *w;
    real *grad;
};

struct computing {
    const struct bench_model *m;
    struct thread *thread;
};

static void compute(void *ctx, unsigned i)
{
    const struct computing *c = ctx;
    const struct bench_model *m = c->m;
    struct slice_result result;
    transformer_slice(&m->t, c->thread[i].w, m->theta, c->thread[i].grad, &m->slice,
                      &result, NULL);
}

static void compute_alone(void *ctx)
{
    compute(ctx, 0);
}

static void look_only(void *ctx)
{
    const struct computing *c = ctx;
    struct slice_result result;
    transformer_loss(&c->m->t, c->thread[0].w, c->m->theta, &c->m->slice, &result);
}

static void say(struct bench *b, const char *name, unsigned threads,
                struct spread seconds, double share)
{
    bench_say(b,
              (struct bench_row){.section = BENCH_SLICE,
                                 .threads = threads,
                                 .value = spread_scaled(seconds, 1e3),
                                 .unit = BENCH_MS,
                                 .share = share},
              "%s", name);
}

struct bench_slice bench_slice(struct bench *b, const struct bench_model *m,
                               double products)
{
    const size_t bytes = m->t.count * sizeof(real);
    struct computing c = {m, mem_alloc(b->threads * sizeof *c.thread)};
    log_info("measuring forward and backward of %zu rows", m->rows);
    for (unsigned i = 0; i < b->threads; i++)
        c.thread[i] =
            (struct thread){workspace_new(&m->t, m->rows, true), mem_slab(bytes)};
    const struct spread alone = bench_repeat(b, compute_alone, &c),
                        look = bench_repeat(b, look_only, &c);
    struct spread together = alone;
    say(b, "forward and backward", 1, alone, 1);
    if (b->threads > 1) {
        together = bench_together(b, b->threads, compute, &c);
        say(b, "forward and backward", b->threads, together, NAN);
    }
    say(b, "forward", 1, look, look.median / alone.median);
    say(b, "products", 1, (struct spread){products, products, products},
        products / alone.median);
    for (unsigned i = 0; i < b->threads; i++) {
        workspace_free(c.thread[i].w);
        mem_slab_free(c.thread[i].grad, bytes);
    }
    mem_free(c.thread);
    return (struct bench_slice){alone.median, together.median};
}
