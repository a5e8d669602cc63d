/* scaling_report.h - a scaling experiment (scaling.h) for people and programs: scale.md,
 * scale.csv, scale.json and for each mode MODE-tokens.svg, MODE-efficiency.svg and
 * MODE-phases.svg. Texts are complete: nothing outside of them is needed to read them. */
#ifndef COORDINATOR_SCALING_REPORT_H
#define COORDINATOR_SCALING_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "coordinator/machine.h"
#include "coordinator/scale/scaling.h"
#include "coordinator/scale/scaling_log.h"

struct scaling_failure {
    struct scaling_config config;
    unsigned repeat;
    char why[SCALING_WHY];
    char log[128]; /* its file, in the folder of the report */
};

/* All of it; what is pointed to is borrowed. */
struct scaling_report {
    const char *version;     /* of the program */
    double wall;             /* seconds since 1970 */
    uint64_t fingerprint;    /* of the configuration, as it was given */
    const char *file;        /* it came from; NULL: none */
    const char *const *word; /* [words] of the command line, behind it */
    size_t words;
    bool pairs;            /* batches are counted in tokens, else in sequences */
    const char *precision; /* of the products: "float32", "bfloat16" */
    struct scaling_facts facts;
    struct scaling_length length;
    unsigned repeats, threads;
    bool stopped; /* on request, before all was measured */
    struct machine here;
    double load;                   /* of it, the minute before; NAN: unknown */
    bool hosts;                    /* there was a hostfile */
    const struct machine *machine; /* [machines] that computed */
    size_t machines;
    const struct scaling_run *run; /* [runs] */
    size_t runs;
    const struct scaling_point *point; /* [points] */
    size_t points;
    const struct scaling_failure *failure; /* [failures] */
    size_t failures;
    json_t *others; /* runs of scale.json that are of other settings: they stay there */
};

/* Is there a point of that mode? */
bool scaling_report_has(const struct scaling_report *r, enum scaling_mode m);

/* What stands at points that show behaviour, not scaling. */
extern const char scaling_crowded[];

void scaling_report_markdown(const struct scaling_report *r, FILE *out);
/* The tables alone. */
void scaling_report_tables(const struct scaling_report *r, FILE *out);
/* A line for each point; what is not known is empty. */
void scaling_report_csv(const struct scaling_report *r, FILE *out);
void scaling_report_json(const struct scaling_report *r, FILE *out);

/* scaling_plot.c */
void scaling_plot_tokens(const struct scaling_report *r, enum scaling_mode m, FILE *out);
void scaling_plot_efficiency(const struct scaling_report *r, enum scaling_mode m,
                             FILE *out);
void scaling_plot_phases(const struct scaling_report *r, enum scaling_mode m, FILE *out);

/* DIR/scale.json alone, so that what is measured is not measured again; or all files.
 * ERR_*, logged. */
int scaling_report_save(const struct scaling_report *r, const char *dir);
int scaling_report_files(const struct scaling_report *r, const char *dir);

#endif
