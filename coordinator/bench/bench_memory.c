#include <assert.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/bench/bench_ceilings.h"

/* Four floats: any x86-64 has them, and they are enough to wait for memory. */
typedef float four __attribute__((vector_size(16), may_alias));
enum { FLOATS = sizeof(four) / sizeof(float), SUMS = 8, PAGE = 4096 };

static const size_t MiB = 1 << 20;
static const double giga = 1e9;

/* --- streams -------------------------------------------------------------------------
 */

struct arrays {
    float *a, *b, *c;  /* [n]; a part of them for each thread */
    size_t n, threads; /* n is a multiple of threads * FLOATS * SUMS */
    _Atomic float sink;
};

struct piece {
    four *a, *b, *c;
    size_t n;
};

static struct piece piece_of(const struct arrays *all, unsigned i)
{
    const size_t n = all->n / all->threads, at = i * n;
    return (struct piece){(four *)(void *)(all->a + at), (four *)(void *)(all->b + at),
                          (four *)(void *)(all->c + at), n / FLOATS};
}

static void read_all(void *ctx, unsigned i)
{
    struct arrays *all = ctx;
    const struct piece p = piece_of(all, i);
    four s[SUMS] = {0};
    for (size_t k = 0; k < p.n; k += SUMS)
        for (size_t j = 0; j < SUMS; j++)
            s[j] += p.a[k + j];
    for (size_t j = 1; j < SUMS; j++)
        s[0] += s[j];
    all->sink = s[0][0];
}

static void copy(void *ctx, unsigned i)
{
    const struct piece p = piece_of(ctx, i);
    memcpy(p.a, p.b, p.n * sizeof *p.a);
}

static void triad(void *ctx, unsigned i)
{
    const struct piece p = piece_of(ctx, i);
    const four s = {0.5f, 0.5f, 0.5f, 0.5f};
    for (size_t k = 0; k < p.n; k++)
        p.a[k] = p.b[k] + s * p.c[k];
}

/* Each thread its own part, so that it lies near it. */
static void touch(void *ctx, unsigned i)
{
    const struct piece p = piece_of(ctx, i);
    memset(p.a, 0, p.n * sizeof *p.a);
    memset(p.b, 0, p.n * sizeof *p.b);
    memset(p.c, 0, p.n * sizeof *p.c);
}

static const struct stream {
    const char *name;
    void (*run)(void *ctx, unsigned i);
    double bytes; /* an element */
} streams[] = {{"memory, read", read_all, 4},
               {"memory, copy", copy, 8},
               {"memory, triad", triad, 16}};
enum { STREAMS = sizeof streams / sizeof *streams };

static size_t up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Of one array, and there are three: four times the last cache as the system tells its
 * size, within bounds that keep the time of a first touch within seconds. */
static size_t array_bytes(const struct bench *b)
{
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE), pages = sysconf(_SC_PHYS_PAGES);
    const size_t least = (b->quick ? 32 : 128) * MiB, most = (b->quick ? 64 : 256) * MiB,
                 wanted = cache > 0 ? 4 * (size_t)cache : 0,
                 room = pages > 0 ? (size_t)pages / 16 * PAGE : most;
    size_t bytes = wanted > least ? wanted : least;
    bytes = bytes < most ? bytes : most;
    return bytes < room ? bytes : room;
}

static void measure_streams(struct bench *b, unsigned threads, size_t bytes)
{
    struct bench once = *b;
    once.repeats = 1;
    struct arrays all = {.threads = threads};
    all.n = up(bytes / sizeof(float), threads * (size_t)FLOATS * SUMS);
    const size_t size = all.n * sizeof(float);
    all.a = mem_slab(size);
    all.b = mem_slab(size);
    all.c = mem_slab(size);
    bench_together(&once, threads, touch, &all);
    for (size_t s = 0; s < STREAMS; s++)
        bench_say(b,
                  (struct bench_row){.section = BENCH_CEILINGS,
                                     .threads = threads,
                                     .value = spread_rate(
                                         bench_together(b, threads, streams[s].run, &all),
                                         streams[s].bytes * (double)all.n / giga),
                                     .unit = BENCH_GBS,
                                     .share = NAN},
                  "%s", streams[s].name);
    mem_slab_free(all.a, size);
    mem_slab_free(all.b, size);
    mem_slab_free(all.c, size);
}

/* --- pages ---------------------------------------------------------------------------
 */

static double touch_pages(char *p, size_t bytes)
{
    const double start = clock_seconds();
    for (size_t i = 0; i < bytes; i += PAGE)
        ((volatile char *)p)[i] = 1;
    return clock_seconds() - start;
}

static double first_touch(bool huge, size_t bytes)
{
    char *p = mem_slab(bytes);
    if (!huge)
        madvise(p, bytes, MADV_NOHUGEPAGE);
    const double seconds = touch_pages(p, bytes);
    mem_slab_free(p, bytes);
    return seconds;
}

static void measure_pages(struct bench *b, bool huge)
{
    const size_t bytes = (b->quick ? 16 : 128) * MiB;
    double samples[BENCH_REPEATS_MAX];
    for (unsigned i = 0; i < b->repeats; i++)
        samples[i] = *b->stop ? (double)NAN
                              : 1e6 * first_touch(huge, bytes) / (double)(bytes / MiB);
    bench_say(b,
              (struct bench_row){.section = BENCH_CEILINGS,
                                 .threads = 1,
                                 .value = spread_of(samples, b->repeats),
                                 .unit = BENCH_US_MIB,
                                 .share = NAN},
              "first touch, %s", huge ? "huge pages" : "pages of 4 KiB");
}

void bench_memory(struct bench *b)
{
    char size[UNITS_TEXT];
    const size_t bytes = array_bytes(b);
    log_info("measuring memory, three arrays of %s",
             units_print_size(size, (double)bytes));
    measure_streams(b, 1, bytes);
    if (b->threads > 1)
        measure_streams(b, b->threads, bytes);
    measure_pages(b, false);
    measure_pages(b, true);
}

double bench_ceiling_bytes(const struct bench *b, unsigned threads)
{
    double best = NAN;
    for (size_t s = 0; s < STREAMS; s++)
        best = fmax(
            best,
            bench_table_value(&b->table, BENCH_CEILINGS, streams[s].name, threads).high);
    return giga * best;
}
