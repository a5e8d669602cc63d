/* cmd_doctor.c - `lockstep doctor`: what is wrong with a run, in words. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_dir.h"
#include "coordinator/command.h"
#include "coordinator/doctor_probe.h"
#include "doctor/page.h"

enum { EXIT_SEVERE = 1 }; /* with --check */

struct consulting {
    const char *run, *data, *html;
    bool json, check;
    /* what there is */
    struct conf conf;
    struct course course;
    struct signs signs;
    struct survey survey;
    struct probe probe;
    struct run_status status;
    struct patient patient;
    struct findings findings;
};

enum { CHECK = 256, HTML };

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "the data set (default: data.dir of the run)", 0},
    {"json", 'j', 0, 0, "as JSON, with the numbers that the rules go by", 0},
    {"html", HTML, "FILE", 0,
     "also a page with the findings and pictures of the run, which needs no other file",
     0},
    {"check", CHECK, 0, 0, "exit code 1 when a finding is severe", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct consulting *c = state->input;
    switch (key) {
    case 'd':
        c->data = argument;
        return 0;
    case 'j':
        c->json = true;
        return 0;
    case HTML:
        c->html = argument;
        return 0;
    case CHECK:
        c->check = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "two runs, %s and %s; expected one", c->run, argument);
        c->run = argument;
        return 0;
    case ARGP_KEY_END:
        if (!c->run)
            argp_error(state, "no RUN is given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "RUN",
    "Says what is wrong with a run that goes on, failed or has ended: what was seen, why "
    "it is a problem, which option to change to which value, and the source of the "
    "rule.\v"
    "Looks at log.jsonl (train.stats_every has it say how layers do), run.yaml, the data "
    "when it is there, and the newest checkpoint of a translator.  Changes nothing.\n\n"
    "Exit codes: 0 looked at, 1 with --check when a finding is severe, 64 usage, 65 not "
    "readable, 66 no such run, 78 its configuration is not one of this program.\n\n"
    "Examples:\n"
    "  lockstep doctor run\n"
    "  lockstep doctor run --json\n"
    "  lockstep doctor run --html run.html\n"
    "  lockstep doctor run --check --data data/held-back\n",
    0,
    0,
    0};

/* --- what there is --- */

static int load_conf(struct consulting *c)
{
    char *path = file_join(c->run, "run.yaml");
    conf_init(&c->conf);
    int err = conf_load_file(&c->conf, path);
    if (!err)
        err = conf_check(&c->conf);
    mem_free(path);
    return err;
}

static int load_course(struct consulting *c)
{
    char *path = file_join(c->run, "log.jsonl");
    const int err = course_read(&c->course, path);
    mem_free(path);
    TRY(err);
    signs_take(&c->signs, &c->course);
    return ERR_OK;
}

/* Data that is not there is no error: a run may be looked at elsewhere. */
static void look_at_data(struct consulting *c)
{
    const char *dir = c->data ? c->data : c->conf.data.dir;
    struct dataset data;
    char *tokenizer = file_join(dir, DATASET_TOKENIZER);
    const bool there = file_exists(tokenizer);
    mem_free(tokenizer);
    if (!there) {
        log_info("%s: no data set; name it with --data to have it looked at", dir);
        return;
    }
    if (dataset_open(&data, dir) != ERR_OK)
        return;
    survey_take(&c->survey, &data);
    c->patient.survey = &c->survey;
    c->patient.vocab = (double)c->survey.vocab;
    if (c->conf.model.encoder_layers > 0 &&
        doctor_probe(&c->probe, c->run, &data) == ERR_OK)
        c->patient.probe = &c->probe;
    dataset_close(&data);
}

static int look(struct consulting *c)
{
    TRY(load_conf(c));
    TRY(load_course(c));
    if (run_status_read(c->run, &c->status) != ERR_OK)
        c->status.state[0] = '\0';
    c->patient = (struct patient){
        .course = &c->course, .signs = &c->signs, .conf = &c->conf, .vocab = NAN};
    look_at_data(c);
    rules_apply(&c->findings, &c->patient);
    return ERR_OK;
}

/* --- what is said --- */

static bool is_severe(const struct findings *f)
{
    return f->n > 0 && f->list[0].severity == SEVERITY_SEVERE;
}

static int write_page(const struct report *r, const char *path)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        abort(); /* out of memory */
    page_html(r, out);
    fclose(out);
    const int err = file_write_atomic(path, text, bytes);
    free(text);
    return err;
}

static int report(const struct consulting *c)
{
    const struct report r = {.run = c->run,
                             .state = c->status.state,
                             .patient = &c->patient,
                             .findings = &c->findings};
    const int err = c->html ? write_page(&r, c->html) : ERR_OK;
    if (err)
        return err_exit_code(err);
    (c->json ? report_json : report_text)(&r, stdout);
    if (fflush(stdout) != 0) {
        log_error("could not write to standard output: %s", strerror(errno));
        return err_exit_code(ERR_IO);
    }
    return c->check && is_severe(&c->findings) ? EXIT_SEVERE : 0;
}

int command_doctor(int argc, char **argv)
{
    static struct consulting c;
    int code = command_parse(&argp, argc, argv, 0, &c);
    if (code)
        return code;
    const int err = look(&c);
    code = err ? err_exit_code(err) : report(&c);
    signs_fini(&c.signs);
    course_fini(&c.course);
    return code;
}
