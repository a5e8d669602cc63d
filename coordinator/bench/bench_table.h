/* bench_table.h - what `lockstep bench` has measured: rows, as a table for people and as
 * JSON for programs.
 *
 *      bench_table_add(&table, &(struct bench_row){...});
 *      bench_table_print(&table, stdout);
 *
 * Pure functions: no clock.  Starts as {0}; its rows are freed by bench_table_fini().
 */
#ifndef COORDINATOR_BENCH_TABLE_H
#define COORDINATOR_BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a section's shares are of is in bench_table.c. */
enum bench_section {
    BENCH_CEILINGS, /* what the machine can do */
    BENCH_LINKS,    /* what the transports carry */
    BENCH_PRODUCTS, /* of the model's shapes, one thread */
    BENCH_SLICE,    /* forward and backward of one slice */
    BENCH_VECTOR,   /* what is done to whole vectors, by coordinator and worker */
    BENCH_STEP      /* a step, as predicted from the rest */
};

enum bench_unit { BENCH_GFLOPS, BENCH_GBS, BENCH_US, BENCH_US_MIB, BENCH_MS };

/* Of several repeats, in the unit of their row. */
struct spread {
    double low, median, high;
};

/* Of samples [n], n > 0, which are sorted. */
struct spread spread_of(double *samples, size_t n);
/* Of @work / seconds: the longest time is the lowest rate. */
struct spread spread_rate(struct spread seconds, double work);
/* Times @factor. */
struct spread spread_scaled(struct spread s, double factor);

enum { BENCH_NAME = 64 };

struct bench_row {
    enum bench_section section;
    char name[BENCH_NAME];
    unsigned threads;
    struct spread value;
    enum bench_unit unit;
    double share; /* of what the section says, 1: all of it; NAN: of nothing */
};

struct bench_table {
    struct bench_row *row;
    size_t n;
};

void bench_table_add(struct bench_table *t, const struct bench_row *row);
void bench_table_fini(struct bench_table *t);

/* What a row says, in its unit; NANs: there is none. */
struct spread bench_table_value(const struct bench_table *t, enum bench_section section,
                                const char *name, unsigned threads);

/* Sections that have rows, each below its title. */
void bench_table_print(const struct bench_table *t, FILE *out);

/* An array of
 *   {"section": "ceilings", "name": "multiply-adds, float32", "threads": 1,
 *    "unit": "GFLOP/s", "median": 148.2, "low": 147.9, "high": 148.4, "share": null}
 * where what is not finite is null. */
void bench_table_json(const struct bench_table *t, FILE *out);

/* A number, or null for one that is not finite. */
void bench_json_number(double x, FILE *out);

#endif
