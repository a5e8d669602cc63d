#include "coordinator/bench/bench_report.h"

#include <math.h>

#include "base/units.h"

bool bench_report_disturbed(const struct bench_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct bench_row *r = &t->row[i];
        if (r->section == BENCH_CEILINGS && r->unit == BENCH_GFLOPS && r->threads == 1 &&
            r->value.high > BENCH_SCATTER * r->value.low)
            return true;
    }
    return false;
}

static void add_time(struct bench_table *t, const char *name, unsigned threads, double s,
                     double all)
{
    const double ms = 1e3 * s;
    struct bench_row row = {.section = BENCH_STEP,
                            .threads = threads,
                            .value = {ms, ms, ms},
                            .unit = BENCH_MS,
                            .share = s / all};
    snprintf(row.name, sizeof row.name, "%s", name);
    bench_table_add(t, &row);
}

void bench_report_step(struct bench_table *t, const struct bench_costs *c)
{
    const struct bench_step s = bench_step_of(c);
    const double all = bench_step_sum(&s);
    add_time(t, "compute", c->threads, s.compute, all);
    add_time(t, "pull", 1, s.pull, all);
    add_time(t, "push", 1, s.push, all);
    add_time(t, "coordinator", 1, s.coordinator, all);
    add_time(t, "step", c->threads, all, all);
}

/* Of a step whose slices are all as large as the largest. */
static double tokens_per_second(const struct bench_report *r)
{
    const struct bench_step s = bench_step_of(&r->costs);
    return (double)r->slice_rows * r->costs.slices / bench_step_sum(&s);
}

void bench_report_text(const struct bench_report *r, FILE *out)
{
    char text[UNITS_TEXT], step[UNITS_TEXT], rate[UNITS_TEXT], verdict[BENCH_VERDICT];
    const struct bench_step s = bench_step_of(&r->costs);
    fprintf(out, "lockstep %s, kernels %s (products) and %s (rows), %u thread%s%s\n",
            LOCKSTEP_VERSION, r->products, r->rows, r->threads, r->threads > 1 ? "s" : "",
            r->quick ? "; quick: numbers scatter" : "");
    fprintf(out,
            "a model of %s parameters, vocabulary %llu; a step has %u slices, the "
            "largest %llu rows\n\n",
            units_print_count(text, (double)r->parameters),
            (unsigned long long)r->vocabulary, r->costs.slices,
            (unsigned long long)r->slice_rows);
    bench_table_print(r->table, out);
    bench_step_verdict(&r->costs, verdict);
    fprintf(
        out,
        "\nA step with one worker of %u thread%s, by %s: about %s, %s tokens/s.\n%s\n",
        r->threads, r->threads > 1 ? "s" : "", r->link,
        units_print_duration(step, bench_step_sum(&s)),
        units_print_count(rate, tokens_per_second(r)), verdict);
    if (bench_report_disturbed(r->table))
        fputs("The multiply-adds of one thread scatter: somebody else was at work, and "
              "these numbers say\nlittle; measure again on a quiet machine.\n",
              out);
}

static const char *truth(bool is)
{
    return is ? "true" : "false";
}

static void json_step(const struct bench_report *r, FILE *out)
{
    const struct bench_step s = bench_step_of(&r->costs);
    const struct {
        const char *key;
        double value;
    } fields[] = {{"seconds", bench_step_sum(&s)},
                  {"tokens_per_second", tokens_per_second(r)},
                  {"compute", s.compute},
                  {"pull", s.pull},
                  {"push", s.push},
                  {"coordinator", s.coordinator}};
    fprintf(out, "\"step\": {\"link\": \"%s\"", r->link);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        fprintf(out, ", \"%s\": ", fields[i].key);
        bench_json_number(fields[i].value, out);
    }
    fputs("},\n ", out);
}

void bench_report_json(const struct bench_report *r, FILE *out)
{
    char verdict[BENCH_VERDICT];
    bench_step_verdict(&r->costs, verdict);
    fprintf(out,
            "{\"version\": \"%s\", \"quick\": %s, \"disturbed\": %s, \"ranks\": %u,\n "
            "\"threads\": %u, \"kernels\": {\"products\": \"%s\", \"rows\": \"%s\"},\n "
            "\"model\": {\"parameters\": %llu, \"vocabulary\": %llu, \"slices\": %u, "
            "\"slice_rows\": %llu},\n \"rows\": ",
            LOCKSTEP_VERSION, truth(r->quick), truth(bench_report_disturbed(r->table)),
            r->ranks, r->threads, r->products, r->rows, (unsigned long long)r->parameters,
            (unsigned long long)r->vocabulary, r->costs.slices,
            (unsigned long long)r->slice_rows);
    bench_table_json(r->table, out);
    fputs(",\n ", out);
    json_step(r, out);
    fprintf(out, "\"verdict\": \"%s\"}\n", verdict);
}
