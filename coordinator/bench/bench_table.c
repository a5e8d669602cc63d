#include "coordinator/bench/bench_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

static const struct {
    const char *name, *title;
} sections[] = {
    [BENCH_CEILINGS] = {"ceilings", "The machine's ceilings"},
    [BENCH_LINKS] = {"links", "Links, as training uses them"},
    [BENCH_PRODUCTS] = {"products",
                        "Matrix products; share of the multiply-adds of their "
                        "precision"},
    [BENCH_SLICE] = {"slice", "One slice; share of its forward and backward"},
    [BENCH_VECTOR] = {"vector", "Whole vectors; share of the memory's rate"},
    [BENCH_STEP] = {"step", "A step, as predicted from these; share of the step"},
};

static const char *const units[] = {[BENCH_GFLOPS] = "GFLOP/s",
                                    [BENCH_GBS] = "GB/s",
                                    [BENCH_US] = "us",
                                    [BENCH_US_MIB] = "us/MiB",
                                    [BENCH_MS] = "ms"};

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(double *samples, size_t n)
{
    assert(n > 0);
    qsort(samples, n, sizeof *samples, by_size);
    return (struct spread){samples[0], (samples[(n - 1) / 2] + samples[n / 2]) / 2,
                           samples[n - 1]};
}

struct spread spread_rate(struct spread seconds, double work)
{
    return (struct spread){work / seconds.high, work / seconds.median,
                           work / seconds.low};
}

struct spread spread_scaled(struct spread s, double factor)
{
    return (struct spread){s.low * factor, s.median * factor, s.high * factor};
}

void bench_table_add(struct bench_table *t, const struct bench_row *row)
{
    t->row = mem_resize(t->row, (t->n + 1) * sizeof *t->row);
    t->row[t->n++] = *row;
}

void bench_table_fini(struct bench_table *t)
{
    mem_free(t->row);
    *t = (struct bench_table){0};
}

struct spread bench_table_value(const struct bench_table *t, enum bench_section section,
                                const char *name, unsigned threads)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->row[i].section == section && t->row[i].threads == threads &&
            strcmp(t->row[i].name, name) == 0)
            return t->row[i].value;
    return (struct spread){(double)NAN, (double)NAN, (double)NAN};
}

/* --- for people --- */

/* Four digits, whatever the size. */
static void print_value(double x, FILE *out)
{
    const int decimals = x < 10 ? 3 : x < 100 ? 2 : x < 1000 ? 1 : 0;
    fprintf(out, "  %9.*f", decimals, x);
}

static void print_row(const struct bench_row *r, FILE *out)
{
    fprintf(out, "  %-38s %2u", r->name, r->threads);
    print_value(r->value.median, out);
    print_value(r->value.low, out);
    print_value(r->value.high, out);
    if (isfinite(r->share))
        fprintf(out, "  %-7s  %4.0f %%\n", units[r->unit], 100 * r->share);
    else
        fprintf(out, "  %s\n", units[r->unit]);
}

void bench_table_print(const struct bench_table *t, FILE *out)
{
    const size_t all = sizeof sections / sizeof *sections;
    fprintf(out, "  %-33s %7s  %9s  %9s  %9s  %-7s  %6s\n", "", "threads", "median",
            "lowest", "highest", "unit", "share");
    for (size_t s = 0; s < all; s++) {
        bool any = false;
        for (size_t i = 0; i < t->n; i++) {
            if (t->row[i].section != (enum bench_section)s)
                continue;
            if (!any)
                fprintf(out, "%s\n", sections[s].title);
            any = true;
            print_row(&t->row[i], out);
        }
    }
}

/* --- for programs --- */

void bench_json_number(double x, FILE *out)
{
    char text[UNITS_TEXT];
    fputs(isfinite(x) ? units_print_number(text, x) : "null", out);
}

static void json_field(const char *key, double x, FILE *out)
{
    fprintf(out, ", \"%s\": ", key);
    bench_json_number(x, out);
}

void bench_table_json(const struct bench_table *t, FILE *out)
{
    fputs("[", out);
    for (size_t i = 0; i < t->n; i++) {
        const struct bench_row *r = &t->row[i];
        fprintf(out,
                "%s\n  {\"section\": \"%s\", \"name\": \"%s\", \"threads\": %u, "
                "\"unit\": \"%s\"",
                i ? "," : "", sections[r->section].name, r->name, r->threads,
                units[r->unit]);
        json_field("median", r->value.median, out);
        json_field("low", r->value.low, out);
        json_field("high", r->value.high, out);
        json_field("share", r->share, out);
        fputs("}", out);
    }
    fputs("]", out);
}
