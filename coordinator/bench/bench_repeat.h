/* bench_repeat.h - how `lockstep bench` takes a time: the call is made once to warm up
 * and to learn how many calls make a repeat of the wanted length; then come the repeats.
 *
 * Asked to stop, everything that measures returns at once and its numbers are NAN: the
 * command looks at `stop` before it reports anything.  One thread, but where others work
 * together.
 */
#ifndef COORDINATOR_BENCH_REPEAT_H
#define COORDINATOR_BENCH_REPEAT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "coordinator/bench/bench_table.h"

enum { BENCH_REPEATS_MAX = 15 };

struct bench {
    bool quick;       /* a few seconds in all: smaller arrays, too */
    unsigned repeats; /* up to BENCH_REPEATS_MAX */
    double seconds;   /* of a repeat, at least */
    unsigned threads; /* "all" of them: those of one worker on this machine */
    const volatile sig_atomic_t *stop;
    struct bench_table table;
};

/* Seconds of one call on this thread. */
struct spread bench_repeat(const struct bench *b, void (*call)(void *ctx), void *ctx);

/* Seconds from the start of all @threads until the last is done with its one call
 * work(ctx, i); numerics are set for each (rows_thread_start). */
struct spread bench_together(const struct bench *b, unsigned threads,
                             void (*work)(void *ctx, unsigned i), void *ctx);

/* A row of b->table; printf's format makes its name. */
void bench_say(struct bench *b, struct bench_row row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
