#include "coordinator/bench/bench_step.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double rounds(const struct bench_costs *c)
{
    return ceil((double)c->slices / c->threads);
}

struct bench_step bench_step_of(const struct bench_costs *c)
{
    assert(c->slices > 0 && c->threads > 0);
    const double part = c->partial / c->parameters; /* of what float32 takes */
    return (struct bench_step){.compute =
                                   rounds(c) * c->together + (c->slices - 1) * c->add,
                               .pull = c->parameters / c->link + 2 * c->checksum,
                               .push = c->partial / c->link + c->norm + c->pack +
                                       c->unpack + 2 * part * c->checksum,
                               .coordinator = c->update};
}

double bench_step_sum(const struct bench_step *s)
{
    return s->compute + s->pull + s->push + s->coordinator;
}

/* --- in words ------------------------------------------------------------------------
 */

struct words {
    char *text;
    size_t n;
};

static void say(struct words *w, const char *text)
{
    w->n += (size_t)snprintf(w->text + w->n, BENCH_VERDICT - w->n, "%s", text);
    assert(w->n < BENCH_VERDICT);
}

/* Where computing limits: the first that is true. */
static void advise_computing(const struct bench_costs *c, struct words *w)
{
    const double idle = 0.15, crowded = 1.3, worth = 1.2, low = 0.6;
    char text[160];
    const double lost = 1 - c->slices / (rounds(c) * c->threads);
    if (lost > idle)
        snprintf(
            text, sizeof text,
            "%u slices on %u threads leave %.0f %% of them idle: make train.slices a "
            "multiple of the threads.",
            c->slices, c->threads, 100 * lost);
    else if (c->together > crowded * c->alone)
        snprintf(text, sizeof text,
                 "A slice takes %.1f times as long when all threads compute: they share "
                 "cores, memory or power; try a smaller cluster.threads.",
                 c->together / c->alone);
    else if (!c->compute_bfloat16 && c->bfloat16_faster > worth)
        snprintf(text, sizeof text,
                 "train.compute=bfloat16 would make products %.1f times as fast.",
                 c->bfloat16_faster);
    else if (c->flops_share < low)
        snprintf(text, sizeof text,
                 "Products reach %.0f %% of the multiply-adds: fewer train.slices have "
                 "more rows each.",
                 100 * c->flops_share);
    else
        snprintf(text, sizeof text, "More workers make it faster.");
    say(w, text);
}

static void advise_link(const struct bench_costs *c, struct words *w)
{
    static const char *const less[WIRES] = {
        "cluster.wire=bfloat16 halves what is pushed, int8 quarters it; ",
        "cluster.wire=int8 halves what is pushed; ", ""};
    say(w, less[c->wire]);
    say(w, "a larger train.batch has more to compute for the same traffic.");
}

void bench_step_verdict(const struct bench_costs *c, char text[BENCH_VERDICT])
{
    const struct bench_step s = bench_step_of(c);
    const double all = bench_step_sum(&s), much = 0.2, link = (s.pull + s.push) / all,
                 coordinator = s.coordinator / all;
    struct words w = {text, 0};
    char first[160];
    if (link > much && link >= coordinator) {
        snprintf(first, sizeof first,
                 "Moving parameters and gradients limits: %.0f %% of "
                 "a step. ",
                 100 * link);
        say(&w, first);
        advise_link(c, &w);
    } else if (coordinator > much) {
        snprintf(first, sizeof first, "The coordinator limits: %.0f %% of a step. ",
                 100 * coordinator);
        say(&w, first);
        say(&w, "A larger train.batch has fewer updates for the same text.");
    } else {
        snprintf(first, sizeof first,
                 "Computing limits: %.0f %% of a step, %.0f %% of a slice in products at "
                 "%.0f %% of the multiply-adds. ",
                 100 * s.compute / all, 100 * c->products / c->alone,
                 100 * c->flops_share);
        say(&w, first);
        advise_computing(c, &w);
    }
}
