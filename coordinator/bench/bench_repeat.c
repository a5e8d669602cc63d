#include "coordinator/bench/bench_repeat.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tensor/rows.h"

static const struct spread nothing = {(double)NAN, (double)NAN, (double)NAN};

/* Seconds of one of @calls; they are never 0. */
static double timed(void (*call)(void *ctx), void *ctx, size_t calls)
{
    const double start = clock_seconds(), least = 1e-9;
    for (size_t i = 0; i < calls; i++)
        call(ctx);
    return fmax(clock_seconds() - start, least) / (double)calls;
}

struct spread bench_repeat(const struct bench *b, void (*call)(void *ctx), void *ctx)
{
    double samples[BENCH_REPEATS_MAX];
    assert(b->repeats > 0 && b->repeats <= BENCH_REPEATS_MAX);
    if (*b->stop)
        return nothing;
    timed(call, ctx, 1); /* touches memory */
    const size_t calls = 1 + (size_t)(b->seconds / timed(call, ctx, 1));
    for (unsigned i = 0; i < b->repeats; i++) {
        if (*b->stop)
            return nothing;
        samples[i] = timed(call, ctx, calls);
    }
    return spread_of(samples, b->repeats);
}

/* --- several threads --- */

struct together {
    pthread_barrier_t start;
    void (*work)(void *ctx, unsigned i);
    void *ctx;
};

struct one_of_them {
    struct together *all;
    unsigned number;
    pthread_t id;
};

static void *run(void *arg)
{
    struct one_of_them *me = arg;
    rows_thread_start();
    pthread_barrier_wait(&me->all->start);
    me->all->work(me->all->ctx, me->number);
    return NULL;
}

/* This thread only waits. */
static double run_all(struct together *t, struct one_of_them *them, unsigned threads)
{
    pthread_barrier_init(&t->start, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        them[i] = (struct one_of_them){.all = t, .number = i};
        if (pthread_create(&them[i].id, NULL, run, &them[i]))
            abort();
    }
    const double start = clock_seconds(); /* before the last may start */
    pthread_barrier_wait(&t->start);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(them[i].id, NULL);
    pthread_barrier_destroy(&t->start);
    return clock_seconds() - start;
}

struct spread bench_together(const struct bench *b, unsigned threads,
                             void (*work)(void *ctx, unsigned i), void *ctx)
{
    double samples[BENCH_REPEATS_MAX];
    struct together t = {.work = work, .ctx = ctx};
    struct one_of_them *them = mem_alloc(threads * sizeof *them);
    bool whole = !*b->stop;
    if (whole)
        run_all(&t, them, threads); /* warms up */
    for (unsigned i = 0; i < b->repeats && whole; i++) {
        samples[i] = run_all(&t, them, threads);
        whole = !*b->stop;
    }
    mem_free(them);
    return whole ? spread_of(samples, b->repeats) : nothing;
}

void bench_say(struct bench *b, struct bench_row row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row.name, sizeof row.name, format, arguments);
    va_end(arguments);
    bench_table_add(&b->table, &row);
}
