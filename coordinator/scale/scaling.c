#include "coordinator/scale/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const double MUCH = 0.2; /* as roofline_limit() has it */

const char *scaling_mode_name(enum scaling_mode m)
{
    static const char *const names[SCALING_MODES] = {"strong", "weak"};
    return names[m];
}

const char *scaling_limit_name(enum scaling_limit l)
{
    static const char *const names[SCALING_LIMITS] = {
        "compute", "slices", "link", "shared", "coordinator", "straggler", "cores"};
    return names[l];
}

size_t scaling_counts(unsigned slots, unsigned count[SCALING_COUNTS])
{
    size_t n = 0;
    for (uint64_t power = 1; power < slots; power *= 2)
        count[n++] = (unsigned)power;
    count[n++] = slots;
    return n;
}

/* --- statistics --- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scaling_spread scaling_spread(double *value, size_t n)
{
    if (n == 0)
        return (struct scaling_spread){0, NAN, NAN, NAN};
    qsort(value, n, sizeof *value, by_value);
    return (struct scaling_spread){n, (value[(n - 1) / 2] + value[n / 2]) / 2, value[0],
                                   value[n - 1]};
}

double scaling_thread_flops(const struct scaling_run *run, size_t runs)
{
    double best = NAN;
    for (size_t i = 0; i < runs; i++)
        best = fmax(best, run[i].thread_flops);
    return best;
}

/* --- the runs of a point --- */

struct gathering {
    const struct scaling_run **run; /* [n], borrowed */
    size_t n;
    double *room; /* [n] */
};

static void gather(struct gathering *g, uint64_t key, const struct scaling_run *run,
                   size_t runs)
{
    g->n = 0;
    for (size_t i = 0; i < runs; i++)
        if (run[i].key == key)
            g->run[g->n++] = &run[i];
}

/* The median of a double of theirs, which lies @offset bytes from their begin. */
static struct scaling_spread spread_at(const struct gathering *g, size_t offset)
{
    for (size_t i = 0; i < g->n; i++)
        memcpy(&g->room[i], (const char *)g->run[i] + offset, sizeof *g->room);
    return scaling_spread(g->room, g->n);
}

#define SPREAD(g, field) spread_at((g), offsetof(struct scaling_run, field))

static struct roofline_step median_step(const struct gathering *g)
{
    return (struct roofline_step){.computing = SPREAD(g, step.computing).median,
                                  .gathering = SPREAD(g, step.gathering).median,
                                  .updating = SPREAD(g, step.updating).median,
                                  .received = SPREAD(g, step.received).median,
                                  .sent = SPREAD(g, step.sent).median};
}

static bool is_crowded(const struct gathering *g, unsigned threads, unsigned cores)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->run[i]->most_on_host * threads > cores)
            return true;
    return false;
}

/* The worker that is much slower than the others in most of the runs, if one is. */
static struct scaling_slow straggler(const struct gathering *g)
{
    const double slow = 0.8; /* members_cut() takes speeds within a quarter as equal */
    for (size_t i = 0; i < g->n; i++) {
        const struct scaling_slow *s = &g->run[i]->slow;
        size_t same = 0;
        for (size_t j = 0; j < g->n; j++)
            same += g->run[j]->slow.worker == s->worker && g->run[j]->slow.share < slow;
        if (s->worker && s->share < slow && 2 * same > g->n)
            return *s;
    }
    return (struct scaling_slow){0};
}

static struct scaling_point measured(const struct scaling_config *c,
                                     const struct gathering *g, double thread_flops,
                                     const struct scaling_facts *f)
{
    const double threads = (double)c->workers * c->threads,
                 busy = fmin(c->workers, (double)c->slices);
    struct scaling_point p = {
        .config = *c,
        .rate = SPREAD(g, tokens_per_second),
        .crowded = is_crowded(g, c->threads, f->cores),
        .speed_up = {0, NAN, NAN, NAN},
        .efficiency = NAN,
        .flops_share = NAN,
        .step = median_step(g),
        .received_least = busy * (double)wire_bytes(f->wire, (size_t)f->parameters),
        .sent_least = busy * f->parameters * 4,
        .slow = straggler(g)};
    if (!p.crowded)
        p.flops_share =
            p.rate.median * SPREAD(g, flops_per_token).median / (thread_flops * threads);
    return p;
}

/* --- points compared --- */

/* The measured point of the fewest workers, which is not crowded; NULL: there is none. */
static const struct scaling_point *base_of(const struct scaling_point *point, size_t n,
                                           enum scaling_mode mode)
{
    const struct scaling_point *base = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct scaling_point *p = &point[i];
        if (p->config.mode == mode && p->rate.n > 0 && !p->crowded &&
            (!base || p->config.workers < base->config.workers))
            base = p;
    }
    return base;
}

static double rate_of(const struct scaling_run *run, size_t runs, uint64_t key,
                      unsigned repeat)
{
    for (size_t i = 0; i < runs; i++)
        if (run[i].key == key && run[i].repeat == repeat)
            return run[i].tokens_per_second;
    return NAN;
}

static struct scaling_spread speed_up(const struct gathering *g, uint64_t base,
                                      const struct scaling_run *run, size_t runs)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const double ratio =
            g->run[i]->tokens_per_second / rate_of(run, runs, base, g->run[i]->repeat);
        if (isfinite(ratio))
            g->room[n++] = ratio;
    }
    return scaling_spread(g->room, n);
}

/* Slices that the busiest thread computes, one behind the other. */
static double rounds(const struct scaling_config *c)
{
    return ceil((double)c->slices / ((double)c->workers * c->threads));
}

static enum scaling_limit limit_of(const struct scaling_point *p,
                                   const struct scaling_point *base)
{
    const struct roofline_step *s = &p->step;
    const double all = s->computing + s->gathering + s->updating,
                 wanted =
                     base->step.computing * rounds(&p->config) / rounds(&base->config),
                 places = rounds(&p->config) * p->config.workers * p->config.threads;
    const enum roofline_limit limit = roofline_limit(s);
    if (p->slow.worker)
        return SCALING_STRAGGLER;
    if (limit != LIMIT_WORKERS)
        return limit == LIMIT_LINK ? SCALING_LINK : SCALING_COORDINATOR;
    if ((double)p->config.slices < (1 - MUCH) * places)
        return SCALING_SLICES;
    return s->computing - wanted > MUCH * all ? SCALING_SHARED : SCALING_COMPUTE;
}

static void compare(struct scaling_point *p, const struct scaling_point *base,
                    const struct gathering *g, const struct scaling_run *run, size_t runs)
{
    if (p->crowded) {
        p->limit = SCALING_CORES;
        return;
    }
    p->over = base->config.workers;
    p->speed_up = speed_up(g, base->config.key, run, runs);
    p->efficiency = p->speed_up.median * p->over / p->config.workers;
    p->limit = limit_of(p, base);
}

void scaling_points(struct scaling_point *point, const struct scaling_config *config,
                    size_t n, const struct scaling_run *run, size_t runs,
                    const struct scaling_facts *facts)
{
    struct gathering g = {.run = mem_alloc((runs + 1) * sizeof(void *)),
                          .room = mem_alloc((runs + 1) * sizeof(double))};
    const double thread_flops = scaling_thread_flops(run, runs);
    for (size_t i = 0; i < n; i++) {
        gather(&g, config[i].key, run, runs);
        point[i] = measured(&config[i], &g, thread_flops, facts);
    }
    for (size_t i = 0; i < n; i++) {
        const struct scaling_point *base = base_of(point, n, config[i].mode);
        gather(&g, config[i].key, run, runs);
        if (g.n > 0 && (base || point[i].crowded))
            compare(&point[i], base, &g, run, runs);
    }
    mem_free(g.run);
    mem_free(g.room);
}
