/* A scaling experiment as Markdown, CSV, JSON and pictures, and read back. */
#include "support/test.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "coordinator/scale/scaling_file.h"
#include "coordinator/scale/scaling_report.h"

/* One, two and four workers on two cores; the run of eight failed. */
struct sample {
    struct scaling_config config[4];
    struct scaling_run run[3];
    struct scaling_point point[4];
    struct scaling_failure failure;
    struct machine machine;
    const char *word;
    struct scaling_report report;
};

static void fill(struct sample *s)
{
    *s = (struct sample){.machine = {"node07", 2, "AMD <EPYC>"}, .word = "data.dir=data"};
    const double rates[] = {1000, 1900, 1800};
    for (unsigned i = 0; i < 4; i++)
        s->config[i] = (struct scaling_config){SCALING_STRONG, 1u << i, 1, 16, 8, i + 1};
    for (unsigned i = 0; i < 3; i++) {
        s->run[i] = (struct scaling_run){.key = i + 1,
                                         .workers = 1u << i,
                                         .repeat = 1,
                                         .wall = 1795762972 + 10 * i,
                                         .seconds = 2.5,
                                         .tokens_per_second = rates[i],
                                         .step = {0.08, 0.01, 0.01, 4000, 4000},
                                         .flops_per_token = 1e6,
                                         .thread_flops = i == 1 ? NAN : 2e9,
                                         .most_on_host = 1u << i};
        snprintf(s->run[i].name, SCALING_NAME, "strong-n%u-r1", 1u << i);
    }
    s->run[1].slow = (struct scaling_slow){2, "node07 pid 12", 0.5};
    s->failure = (struct scaling_failure){s->config[3], 1, "exit code 69",
                                          "runs/strong-n8-r1.log"};
    s->report = (struct scaling_report){.version = "0.1.0",
                                        .wall = 1795762972,
                                        .fingerprint = 0xabcdef,
                                        .file = "run.yaml",
                                        .word = &s->word,
                                        .words = 1,
                                        .precision = "float32",
                                        .facts = {2, 1000, false},
                                        .length = {5, 30},
                                        .repeats = 1,
                                        .threads = 1,
                                        .here = s->machine,
                                        .load = 0.125,
                                        .machine = &s->machine,
                                        .machines = 1,
                                        .run = s->run,
                                        .runs = 3,
                                        .point = s->point,
                                        .points = 4,
                                        .failure = &s->failure,
                                        .failures = 1};
    scaling_points(s->point, s->config, 4, s->run, 3, &s->report.facts);
}

/* To be freed. */
static char *written(const struct scaling_report *r,
                     void (*write)(const struct scaling_report *r, FILE *out))
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    write(r, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("no '%s' in %s", piece, text);
}

static void the_page_says_what_was_measured_and_how(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    char *text = written(&s.report, scaling_report_markdown);
    has(text, "| 1 | 16 | 8 | 1 | 1000 | 1000 | 1000 | 1.00 | 1.00 | 1.00 | 100 % | 50 % "
              "| the computing of the workers |");
    has(text, "| 2 | 16 | 8 | 1 | 1900 | 1900 | 1900 | 1.90 | 1.90 | 1.90 | 95 % | 48 % "
              "| a straggler: rank 2, node07 pid 12, at 50 % of the median speed |");
    has(text, "| 4 | 16 | 8 | 1 | 1800 | 1800 | 1800 | - | - | - | - | - | more threads "
              "than cores: behaviour, not scaling |");
    has(text, "| 8 | 16 | 8 | 0 | - | - | - | - | - | - | - | - | not measured |");
    has(text, "| 1 | 100.00 | 80.00 | 10.00 | 10.00 | 3.9 KiB | 3.9 KiB | 1.000 |");
    has(text,
        "Left out: strong, 8 workers, run 1: exit code 69 (`runs/strong-n8-r1.log`)");
    has(text,
        "* measured: 2026-11-27 07:02 UTC to 2026-11-27 07:03 UTC\n* program: lockstep "
        "0.1.0\n"
        "* machine: node07, 2 cores, AMD <EPYC>; all processes on it\n"
        "* load in the minute before: 0.12\n"
        "* configuration: `run.yaml data.dir=data`, fingerprint 0000000000abcdef\n");
    has(text, "* each point: 1 run of 30 steps behind 5 that warm up and are left out; 1 "
              "compute thread in each worker\n");
    has(text, "![strong, tokens](strong-tokens.svg)");
    assert_null(strstr(text, "weak-tokens"));
    free(text);
}

static void hosts_are_listed_and_a_stop_is_said(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    s.report.hosts = true;
    s.report.stopped = true;
    char *text = written(&s.report, scaling_report_markdown);
    has(text, "* host 1: node07, 2 cores, AMD <EPYC>; the coordinator is on it\n");
    has(text, "The experiment was stopped before all was measured.");
    free(text);
}

/* Those that no quotes are around. */
static size_t commas(const char *from, const char *to)
{
    size_t n = 0;
    bool quoted = false;
    for (; from < to; from++) {
        quoted ^= *from == '"';
        n += *from == ',' && !quoted;
    }
    return n;
}

static void every_line_of_the_table_has_all_columns(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    char *text = written(&s.report, scaling_report_csv);
    const char *line = text, *end;
    size_t lines = 0;
    for (; (end = strchr(line, '\n')); line = end + 1, lines++)
        assert_int_equal(commas(line, end), 24);
    assert_int_equal(lines, 5);
    assert_int_equal(*line, '\0');
    has(text,
        "strong,2,1,16,8,1,1900,1900,1900,1.9,1.9,1.9,0.95,0.475,0.1,0.08,0.01,0.01,"
        "4000,8000,4000,8000,straggler,node07 pid 12,\n");
    has(text, "strong,4,1,16,8,1,1800,1800,1800,,,,,,0.1,0.08,0.01,0.01,4000,16000,4000,"
              "16000,cores,,\"more threads than cores: behaviour, not scaling\"\n");
    has(text, "strong,8,1,16,8,0,,,,");
    free(text);
}

static void programs_get_null_where_there_is_nothing(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    char *text = written(&s.report, scaling_report_json);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    const json_t *points = json_object_get(json, "points"),
                 *two = json_array_get(points, 1), *four = json_array_get(points, 2),
                 *eight = json_array_get(points, 3);
    assert_int_equal(json_array_size(points), 4);
    assert_true(json_is_false(json_object_get(two, "crowded")));
    assert_true(json_number_value(json_object_get(two, "efficiency")) == 0.95);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(two, "straggler"), "rank")),
        2);
    assert_true(json_is_true(json_object_get(four, "crowded")));
    assert_true(json_is_null(json_object_get(four, "efficiency")));
    assert_true(
        json_is_null(json_object_get(json_object_get(four, "speed_up"), "median")));
    assert_string_equal(json_string_value(json_object_get(four, "note")),
                        scaling_crowded);
    assert_null(json_object_get(eight, "tokens_per_second"));
    assert_int_equal(json_array_size(json_object_get(json, "failures")), 1);
    json_decref(json);
    free(text);
}

static void pictures_mark_what_is_not_scaling(void **state)
{
    (void)state;
    static void (*const plots[])(const struct scaling_report *r, enum scaling_mode m,
                                 FILE *out) = {
        scaling_plot_tokens, scaling_plot_efficiency, scaling_plot_phases};
    struct sample s;
    fill(&s);
    for (size_t i = 0; i < sizeof plots / sizeof *plots; i++) {
        char *text = NULL;
        size_t bytes;
        FILE *out = open_memstream(&text, &bytes);
        plots[i](&s.report, SCALING_STRONG, out);
        fclose(out);
        has(text, "<svg xmlns");
        has(text, ">more threads than cores: behaviour, not scaling</text>");
        free(text);
    }
}

static void a_picture_of_nothing_is_a_picture(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    s.report.points = 0;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    scaling_plot_tokens(&s.report, SCALING_WEAK, out);
    scaling_plot_efficiency(&s.report, SCALING_WEAK, out);
    fclose(out);
    has(text, "</svg>");
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    free(text);
}

/* --- read back --- */

static bool all_but_the_third(void *ctx, const struct scaling_run *run)
{
    ++*(int *)ctx;
    return run->key != 3;
}

static void runs_come_back_and_strangers_stay(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    mkdir("out", 0755);
    assert_int_equal(scaling_report_files(&s.report, "out"), ERR_OK);
    static const char *const names[] = {
        "out/scale.md",          "out/scale.csv",         "out/scale.json",
        "out/strong-tokens.svg", "out/strong-phases.svg", "out/strong-efficiency.svg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(file_exists(names[i]));
    struct scaling_run *run;
    size_t n;
    json_t *others;
    int asked = 0;
    assert_int_equal(
        scaling_file_read("out/scale.json", all_but_the_third, &asked, &run, &n, &others),
        ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(asked, 3);
    assert_int_equal(json_array_size(others), 1);
    assert_true(run[1].key == 2 && run[1].workers == 2 && run[1].repeat == 1);
    assert_true(run[1].tokens_per_second == 1900 && run[1].step.computing == 0.08);
    assert_true(isnan(run[1].thread_flops) && run[0].thread_flops == 2e9);
    assert_string_equal(run[1].name, "strong-n2-r1");
    assert_string_equal(run[1].slow.host, "node07 pid 12");
    /* and what is not ours is written again */
    s.report.others = others;
    s.report.runs = 2;
    char *text = written(&s.report, scaling_report_json);
    has(text, "strong-n4-r1");
    free(text);
    json_decref(others);
    mem_free(run);
}

static int read_text(const char *text, size_t bytes)
{
    struct scaling_run *run;
    size_t n;
    json_t *others;
    int asked = 0;
    assert_int_equal(file_replace("damaged.json", text, bytes), ERR_OK);
    const int err =
        scaling_file_read("damaged.json", all_but_the_third, &asked, &run, &n, &others);
    mem_free(run);
    json_decref(others);
    return err;
}

static void a_file_that_was_cut_is_refused(void **state)
{
    (void)state;
    struct sample s;
    fill(&s);
    char *text = written(&s.report, scaling_report_json);
    const size_t bytes = strlen(text);
    assert_int_equal(read_text(text, bytes), ERR_OK);
    for (size_t cut = 0; cut + 2 < bytes; cut += 7)
        assert_int_equal(read_text(text, cut), ERR_DATA);
    free(text);
}

static void a_run_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char good[] =
        "{\"format\": 1, \"runs\": [{\"key\": \"00000000000000ff\", \"workers\": 2, "
        "\"repeat\": 1, \"name\": \"a\", \"most_on_host\": 1, \"time\": 1, \"seconds\": "
        "1, "
        "\"tokens_per_second\": 5, \"computing\": 1, \"gathering\": 1, \"updating\": 1, "
        "\"received\": 1, \"sent\": 1, \"flops_per_token\": 1, \"thread_flops\": null}]}";
    static const struct {
        const char *from, *to;
    } cases[] = {{"\"format\": 1", "\"format\": 2"},
                 {"\"runs\": [", "\"rums\": ["},
                 {"00000000000000ff", "00000000000000fg"},
                 {"00000000000000ff", "00000000000000f"},
                 {"\"workers\": 2", "\"workers\": 0"},
                 {"\"workers\": 2", "\"workers\": 5000"},
                 {"\"workers\": 2", "\"workers\": \"2\""},
                 {"\"tokens_per_second\": 5", "\"tokens_per_second\": null"},
                 {"\"tokens_per_second\": 5", "\"tokens_per_second\": 0"},
                 {"\"computing\": 1", "\"computing\": -1"},
                 {"\"sent\": 1, ", ""},
                 {"\"name\": \"a\"", "\"name\": \"\\u001b\""}};
    assert_int_equal(read_text(good, strlen(good)), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        const char *at = strstr(good, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, cases[i].to,
                 at + strlen(cases[i].from));
        if (read_text(text, strlen(text)) != ERR_DATA)
            fail_msg("case %zu is taken: %s", i, text);
    }
}

static void no_file_is_no_runs(void **state)
{
    (void)state;
    struct scaling_run *run;
    size_t n;
    json_t *others;
    unlink("none.json");
    assert_int_equal(
        scaling_file_read("none.json", all_but_the_third, NULL, &run, &n, &others),
        ERR_OK);
    assert_int_equal(n, 0);
    json_decref(others);
    mem_free(run);
}

RUN(T(the_page_says_what_was_measured_and_how), T(hosts_are_listed_and_a_stop_is_said),
    T(every_line_of_the_table_has_all_columns),
    T(programs_get_null_where_there_is_nothing), T(pictures_mark_what_is_not_scaling),
    T(a_picture_of_nothing_is_a_picture), T(runs_come_back_and_strangers_stay),
    T(a_file_that_was_cut_is_refused), T(a_run_that_cannot_be_is_refused),
    T(no_file_is_no_runs))
