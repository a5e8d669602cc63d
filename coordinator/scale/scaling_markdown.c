/* scaling_markdown.c - a scaling experiment for people. */
#include <math.h>
#include <time.h>

#include "base/units.h"
#include "coordinator/scale/scaling_report.h"

/* --- Markdown: numbers --- */

static void cell(FILE *out, const char *format, double x)
{
    fputs(" ", out);
    if (isfinite(x))
        fprintf(out, format, x);
    else
        fputs("-", out);
    fputs(" |", out);
}

static void rate_cell(FILE *out, double x)
{
    cell(out, x < 100 ? "%.3g" : "%.0f", x);
}

static void size_cell(FILE *out, double bytes)
{
    char text[UNITS_TEXT];
    fprintf(out, " %s |", isfinite(bytes) ? units_print_size(text, bytes) : "-");
}

/* What limits a point, in a few words. */
static void limit_text(const struct scaling_point *p, FILE *out)
{
    const struct scaling_config *c = &p->config;
    static const char *const texts[SCALING_LIMITS] = {
        [SCALING_COMPUTE] = "the computing of the workers",
        [SCALING_LINK] = "the link: partials on their way in",
        [SCALING_SHARED] = "what workers share: memory, cores that others use, too, or "
                           "the link that parameters leave by",
        [SCALING_COORDINATOR] = "the coordinator's update",
        [SCALING_CORES] = scaling_crowded};
    if (p->limit == SCALING_SLICES)
        fprintf(out, "too few slices: %llu for %u threads", (unsigned long long)c->slices,
                c->workers * c->threads);
    else if (p->limit == SCALING_STRAGGLER)
        fprintf(out, "a straggler: rank %u, %s, at %.0f %% of the median speed",
                p->slow.worker, p->slow.host, 100 * p->slow.share);
    else
        fputs(texts[p->limit], out);
}

/* --- Markdown: tables --- */

static void speed_table(const struct scaling_report *r, enum scaling_mode m, FILE *out)
{
    fprintf(
        out,
        "| workers | batch | slices | runs | tokens/s | least | most | speed-up | least "
        "| most | efficiency | share of peak | what limits |\n"
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n");
    for (size_t i = 0; i < r->points; i++) {
        const struct scaling_point *p = &r->point[i];
        const struct scaling_config *c = &p->config;
        if (c->mode != m)
            continue;
        fprintf(out, "| %u | %llu | %llu | %zu |", c->workers,
                (unsigned long long)c->batch, (unsigned long long)c->slices, p->rate.n);
        rate_cell(out, p->rate.median);
        rate_cell(out, p->rate.low);
        rate_cell(out, p->rate.high);
        cell(out, "%.2f", p->speed_up.median);
        cell(out, "%.2f", p->speed_up.low);
        cell(out, "%.2f", p->speed_up.high);
        cell(out, "%.0f %%", 100 * p->efficiency);
        cell(out, "%.0f %%", 100 * p->flops_share);
        fputs(" ", out);
        if (p->rate.n > 0)
            limit_text(p, out);
        else
            fputs("not measured", out);
        fputs(" |\n", out);
    }
}

static void step_table(const struct scaling_report *r, enum scaling_mode m, FILE *out)
{
    fputs(
        "| workers | step, ms | computing | gathering | updating | received | the least "
        "| times | sent | the least | times |\n"
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        out);
    for (size_t i = 0; i < r->points; i++) {
        const struct scaling_point *p = &r->point[i];
        const struct roofline_step *s = &p->step;
        if (p->config.mode != m || p->rate.n == 0)
            continue;
        fprintf(out, "| %u |", p->config.workers);
        cell(out, "%.2f", 1e3 * (s->computing + s->gathering + s->updating));
        cell(out, "%.2f", 1e3 * s->computing);
        cell(out, "%.2f", 1e3 * s->gathering);
        cell(out, "%.2f", 1e3 * s->updating);
        size_cell(out, s->received);
        size_cell(out, p->received_least);
        cell(out, "%.3f", s->received / p->received_least);
        size_cell(out, s->sent);
        size_cell(out, p->sent_least);
        cell(out, "%.3f", s->sent / p->sent_least);
        fputs("\n", out);
    }
}

static void mode_tables(const struct scaling_report *r, enum scaling_mode m, FILE *out)
{
    fprintf(out, "## %s\n\n",
            m == SCALING_STRONG ? "Strong scaling: the batch is the same for all counts"
                                : "Weak scaling: batch and slices grow with the workers");
    speed_table(r, m, out);
    fputs("\nA step, median over the runs:\n\n", out);
    step_table(r, m, out);
    fputs("\n", out);
}

static bool has_crowded(const struct scaling_report *r)
{
    for (size_t i = 0; i < r->points; i++)
        if (r->point[i].crowded)
            return true;
    return false;
}

static void failures(const struct scaling_report *r, FILE *out)
{
    for (size_t i = 0; i < r->failures; i++) {
        const struct scaling_failure *f = &r->failure[i];
        fprintf(out, "Left out: %s, %u worker%s, run %u: %s (`%s`).\n\n",
                scaling_mode_name(f->config.mode), f->config.workers,
                f->config.workers > 1 ? "s" : "", f->repeat, f->why, f->log);
    }
}

void scaling_report_tables(const struct scaling_report *r, FILE *out)
{
    for (int m = 0; m < SCALING_MODES; m++)
        if (scaling_report_has(r, m))
            mode_tables(r, m, out);
    if (has_crowded(r))
        fprintf(
            out,
            "Where it says \"%s\", the compute threads of the workers on a host are "
            "more than its cores; such a point has no speed-up and no efficiency.\n\n",
            scaling_crowded);
    failures(r, out);
    if (r->stopped)
        fputs("The experiment was stopped before all was measured.\n\n", out);
}

/* --- Markdown: how it was measured --- */

static void date(double wall, FILE *out)
{
    struct tm tm;
    char text[32];
    const time_t seconds = (time_t)wall;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", gmtime_r(&seconds, &tm));
    fputs(text, out);
}

static void dates(const struct scaling_report *r, FILE *out)
{
    double first = INFINITY, last = 0;
    for (size_t i = 0; i < r->runs; i++) {
        first = fmin(first, r->run[i].wall);
        last = fmax(last, r->run[i].wall + r->run[i].seconds);
    }
    fputs("* measured: ", out);
    date(r->runs ? first : r->wall, out);
    fputs(" to ", out);
    date(r->runs ? last : r->wall, out);
    fputs("\n", out);
}

static void machine_line(const struct machine *m, FILE *out)
{
    fprintf(out, "%s, %u core%s, %s", m->name, m->cores, m->cores == 1 ? "" : "s",
            *m->cpu ? m->cpu : "a CPU without a name");
}

static void machines(const struct scaling_report *r, FILE *out)
{
    if (!r->hosts) {
        fputs("* machine: ", out);
        machine_line(&r->here, out);
        fputs("; all processes on it\n", out);
        if (isfinite(r->load))
            fprintf(out, "* load in the minute before: %.2f\n", r->load);
    }
    for (size_t i = 0; r->hosts && i < r->machines; i++) {
        fprintf(out, "* host %zu: ", i + 1);
        machine_line(&r->machine[i], out);
        fputs(i == 0 ? "; the coordinator is on it\n" : "\n", out);
    }
}

static void command(const struct scaling_report *r, FILE *out)
{
    fprintf(out, "* configuration: `%s", r->file ? r->file : "the defaults");
    for (size_t i = 0; i < r->words; i++)
        fprintf(out, " %s", r->word[i]);
    fprintf(out, "`, fingerprint %016llx\n", (unsigned long long)r->fingerprint);
}

static void how(const struct scaling_report *r, FILE *out)
{
    char count[UNITS_TEXT];
    fputs("## How it was measured\n\n", out);
    dates(r, out);
    fprintf(out, "* program: lockstep %s\n", r->version);
    machines(r, out);
    command(r, out);
    fprintf(out,
            "* model: %s parameters; batches in %s; products in %s; partials travel "
            "as %s\n",
            units_print_count(count, r->facts.parameters),
            r->pairs ? "tokens" : "sequences", r->precision, wire_name(r->facts.wire));
    fprintf(out,
            "* each point: %u run%s of %llu steps behind %llu that warm up and are left "
            "out; %u compute thread%s in each worker\n",
            r->repeats, r->repeats == 1 ? "" : "s", (unsigned long long)r->length.steps,
            (unsigned long long)r->length.warm_up, r->threads,
            r->threads == 1 ? "" : "s");
    const double thread = scaling_thread_flops(r->run, r->runs);
    if (isfinite(thread))
        fprintf(
            out,
            "* share of peak: the FLOP of the model, forward and backward, over those "
            "of float32 products on all compute threads at once: %.1f GFLOP/s a "
            "thread, the best that a run measured at its start on the coordinator's "
            "host (1024 x 1024 x 1024, one thread)\n",
            thread / 1e9);
    fputc('\n', out);
}

static const char explanation[] =
    "The runs of the counts take turns, so that a machine that becomes slower or "
    "faster does so for all. Tokens/s are the tokens of the steps over their time, "
    "from commit to commit on the coordinator's clock: median, least and most of the "
    "runs. A speed-up is the median of the ratios of a run and the run of the same "
    "number with the fewest workers; efficiency is the speed-up over the ratio of the "
    "workers. Nothing is evaluated, examined or saved meanwhile.\n\n"
    "Computing is the time from a commit until the last partial is announced, in "
    "which workers also pull the parameters; gathering until all partials are there "
    "and added; updating until the commit. Received are partials, sent are "
    "parameters, both by the coordinator, without the words about them; the least is "
    "what an exact synchronous parameter server must move: the parameters once to "
    "each worker that has a slice to compute, one partial from each. A worker that "
    "others leave nothing to do in a step moves nothing, one whose slices do not lie "
    "side by side gives several partials.\n\n"
    "What limits is what takes a fifth of a step or more: gathering (the link), "
    "updating (the coordinator), threads without a slice, computing that takes longer "
    "than the slices of a thread took with the fewest workers (what is shared); a "
    "straggler is a worker that in most runs had less than 4/5 of the median speed; "
    "else it is the computing.\n\n"
    "Cores are what a host's system counts: two hardware threads of a core are two; "
    "where hosts differ, those of the host that has the fewest. Compute threads are "
    "counted against them, those of the coordinator are none: it sleeps while workers "
    "compute, and they wait while it updates.\n";

static void pictures(const struct scaling_report *r, FILE *out)
{
    static const char *const kinds[] = {"tokens", "efficiency", "phases"};
    for (int m = 0; m < SCALING_MODES; m++)
        for (size_t i = 0; scaling_report_has(r, m) && i < sizeof kinds / sizeof *kinds;
             i++)
            fprintf(out, "![%s, %s](%s-%s.svg)\n", scaling_mode_name(m), kinds[i],
                    scaling_mode_name(m), kinds[i]);
    fputs("\n", out);
}

void scaling_report_markdown(const struct scaling_report *r, FILE *out)
{
    fputs("# How the training scales\n\n", out);
    scaling_report_tables(r, out);
    pictures(r, out);
    how(r, out);
    fputs(explanation, out);
}
