/* cmd_compare.c - `lockstep compare`: several runs side by side, by their log.jsonl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/units.h"
#include "coordinator/command.h"
#include "coordinator/compare_report.h"

enum { MOST_METRICS = 64, MOST_SMOOTH = 1000000 };

struct comparing {
    const struct history_metric *metric;
    const char *svg;
    bool json;
    struct compare_picture picture;
    char *names; /* a copy of --names, cut at its commas; NULL: not given */
    const char **dir;
    size_t n;
    struct compared *run;
    size_t read; /* of run, with a history */
};

enum { SVG = 256, SMOOTH, LOG };

static const struct argp_option options[] = {
    {"metric", 'm', "NAME", 0,
     "what is compared, by its name in log.jsonl: held_out_loss, loss, gradient_norm, "
     "learning_rate, tokens_per_second, ... (default: held_out_loss)",
     0},
    {"names", 'n', "A,B,...", 0, "what the runs are called (default: their folders)", 0},
    {"svg", SVG, "FILE", 0, "draw the metric over the steps", 0},
    {"smooth", SMOOTH, "N", 0, "draw means of N values (default: 1)", 0},
    {"log", LOG, 0, 0, "draw the metric on a logarithmic axis", 0},
    {"json", 'j', 0, 0, "print one JSON object instead of the table", 0},
    {0}};

static const struct history_metric *take_metric(struct argp_state *state,
                                                const char *name)
{
    const struct history_metric *m = history_metric(name);
    if (m)
        return m;
    const char *names[MOST_METRICS];
    char all[1024] = "";
    size_t n = 0;
    for (; n < history_metrics_n && n < MOST_METRICS; n++) {
        names[n] = history_metrics[n].key;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n ? ", " : "",
                 names[n]);
    }
    const char *near = nearest(name, names, n);
    argp_error(state, "--metric %s: expected one of %s%s%s%s", name, all,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static unsigned take_smooth(struct argp_state *state, const char *text)
{
    double n = 0;
    if (units_parse_count(text, &n) != ERR_OK || n < 1 || n > MOST_SMOOTH)
        argp_error(state, "--smooth %s: expected a number from 1 to %d", text,
                   MOST_SMOOTH);
    return (unsigned)n;
}

static size_t count_names(const char *names)
{
    size_t n = 1;
    for (; *names; names++)
        n += *names == ',';
    return n;
}

static void check(struct argp_state *state, const struct comparing *c)
{
    if (c->n == 0)
        argp_error(state, "no RUN is given");
    if (c->names && count_names(c->names) != c->n)
        argp_error(state, "--names %s: %zu names for %zu runs", c->names,
                   count_names(c->names), c->n);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct comparing *c = state->input;
    switch (key) {
    case 'm':
        c->metric = take_metric(state, argument);
        return 0;
    case 'n':
        mem_free(c->names);
        c->names = mem_strdup(argument);
        return 0;
    case SVG:
        c->svg = argument;
        return 0;
    case SMOOTH:
        c->picture.smooth = take_smooth(state, argument);
        return 0;
    case LOG:
        c->picture.log = true;
        return 0;
    case 'j':
        c->json = true;
        return 0;
    case ARGP_KEY_ARG:
        c->dir = mem_resize(c->dir, (c->n + 1) * sizeof *c->dir);
        c->dir[c->n++] = argument;
        return 0;
    case ARGP_KEY_END:
        check(state, c);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "RUN...",
    "Compares runs, finished or not, by one metric: where each is, its last and its best "
    "value, its speed, and as a picture the metric over the steps.\v"
    "RUN is a run directory. Its log.jsonl is read as far as it is written; steps that "
    "were computed again after a restart count once. A run that says it is running and "
    "has not been heard of for ten seconds is called silent.\n\n"
    "Examples:\n"
    "  lockstep compare run/a run/b\n"
    "  lockstep compare run/* --metric loss --smooth 20 --svg loss.svg\n"
    "  lockstep compare run/a run/b --names plain,dropout --svg out.svg\n"
    "  lockstep compare run/a --metric gradient_norm --log --svg norm.svg\n",
    0,
    0,
    0};

/* --- reading --- */

static int read_run(struct compared *run, const char *dir, const struct history_metric *m)
{
    *run = (struct compared){.dir = dir};
    char *path = file_join(dir, "log.jsonl");
    int err = history_read(&run->history, path, m);
    if (!err && run->history.bad > 0)
        log_warn("%s: %llu lines say nothing that can be read, the first is line %llu; "
                 "they are left out",
                 path, (unsigned long long)run->history.bad,
                 (unsigned long long)run->history.first_bad);
    mem_free(path);
    TRY(err);
    err = run_status_read(dir, &run->status);
    run->known = err == ERR_OK; /* a status that is damaged was logged; the log counts */
    return ERR_OK;
}

/* Folder names while they differ, else paths as given. */
static const char *folder_name(const struct comparing *c, const char *dir)
{
    const char *name = strrchr(dir, '/') ? strrchr(dir, '/') + 1 : dir;
    size_t same = 0;
    for (size_t i = 0; i < c->n; i++) {
        const char *slash = strrchr(c->dir[i], '/');
        same += strcmp(slash ? slash + 1 : c->dir[i], name) == 0;
    }
    return same > 1 || !*name ? dir : name;
}

static void give_names(struct comparing *c)
{
    char *rest = c->names;
    for (size_t i = 0; i < c->n; i++)
        c->run[i].name = rest ? strsep(&rest, ",") : folder_name(c, c->dir[i]);
}

static int read_all(struct comparing *c)
{
    c->run = mem_zalloc(mem_mul(c->n, sizeof *c->run));
    for (; c->read < c->n; c->read++)
        TRY(read_run(&c->run[c->read], c->dir[c->read], c->metric));
    give_names(c);
    for (size_t i = 0; i < c->n; i++)
        if (c->run[i].history.n == 0)
            log_warn("%s/log.jsonl has no %s yet", c->dir[i], c->metric->key);
    return ERR_OK;
}

/* --- writing --- */

static int draw(const struct comparing *c)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        abort(); /* out of memory */
    compare_report_svg(c->run, c->n, c->metric, &c->picture, out);
    fclose(out);
    const int err = file_write_atomic(c->svg, text, bytes);
    free(text);
    return err;
}

static int compare(struct comparing *c)
{
    TRY(read_all(c));
    (c->json ? compare_report_json : compare_report_table)(c->run, c->n, c->metric,
                                                           stdout);
    return c->svg ? draw(c) : ERR_OK;
}

int command_compare(int argc, char **argv)
{
    struct comparing c = {.metric = history_metric("held_out_loss"),
                          .picture = {.smooth = 1}};
    int code = command_parse(&argp, argc, argv, 0, &c);
    if (!code)
        code = err_exit_code(compare(&c));
    for (size_t i = 0; i < c.read; i++)
        history_fini(&c.run[i].history);
    mem_free(c.run);
    mem_free(c.dir);
    mem_free(c.names);
    return code;
}
