/* What a log says of a run's speed, and which runs do not count. */
#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "coordinator/scale/scaling_log.h"

static const char path[] = "log.jsonl";

static void event(FILE *out, const char *kind, unsigned step, const char *text)
{
    fprintf(out, "{\"time\": 1, \"event\": \"%s\", \"step\": %u, \"text\": \"%s\"}\n",
            kind, step, text);
}

/* Takes @ms of computing, and half of that each of gathering and updating. */
static void step(FILE *out, unsigned number, double ms)
{
    fprintf(out,
            "{\"time\": 1, \"event\": \"step\", \"step\": %u, \"tokens\": 200, "
            "\"computing\": %g, \"gathering\": %g, \"updating\": %g, "
            "\"received\": 8000, \"sent\": 9000, \"tokens_per_second\": 500, "
            "\"flops\": 5e9, \"flops_share\": 0.25}\n",
            number, ms / 1e3, ms / 2e3, ms / 2e3);
}

static void begin(FILE *out)
{
    event(out, "member", 0, "worker 1 (node07 pid 11) joined");
    event(out, "member", 0, "worker 2 (node08 pid 12) joined");
    event(out, "start", 0, "2 workers");
}

static void steps(FILE *out, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        step(out, i, i <= 2 ? 1000 : 50);
}

/* Two to warm up and four behind them. */
static int read_log(struct scaling_run *run, char why[SCALING_WHY])
{
    *run = (struct scaling_run){.workers = 2};
    return scaling_log_read(path, (struct scaling_length){2, 4}, 2, run, why);
}

static void steps_behind_the_warm_up_are_measured(void **state)
{
    (void)state;
    struct scaling_run run;
    char why[SCALING_WHY];
    FILE *out = fopen(path, "w");
    begin(out);
    event(out, "member", 1,
          "worker 1 (node07 pid 11) is slow: 1 slices/s, the median is 3");
    steps(out, 1, 6);
    event(out, "member", 6,
          "worker 1 (node07 pid 11) computed at 20 slices/s, the median is 20");
    event(out, "member", 6,
          "worker 2 (node08 pid 12) computed at 12 slices/s, the median is 20");
    event(out, "member", 6, "worker 2 (node08 pid 12) left");
    event(out, "end", 6, "all steps are done");
    fclose(out);
    assert_int_equal(read_log(&run, why), ERR_OK);
    assert_true(fabs(run.tokens_per_second - 2000) < 1e-9);
    assert_true(fabs(run.step.computing - 0.05) < 1e-12);
    assert_true(fabs(run.step.updating - 0.025) < 1e-12);
    assert_true(run.step.received == 8000 && run.step.sent == 9000);
    assert_true(fabs(run.flops_per_token - 1e7) < 1);
    assert_true(fabs(run.thread_flops - 5e9) < 1); /* 20e9 of two times two threads */
    assert_int_equal(run.most_on_host, 1);
    assert_int_equal(run.slow.worker, 2);
    assert_string_equal(run.slow.host, "node08 pid 12");
    assert_true(fabs(run.slow.share - 0.6) < 1e-12);
}

static void workers_of_one_host_are_counted(void **state)
{
    (void)state;
    struct scaling_run run;
    char why[SCALING_WHY];
    FILE *out = fopen(path, "w");
    event(out, "member", 0, "worker 1 (node07 pid 11) joined");
    event(out, "member", 0, "worker 2 (node07 pid 12) joined");
    event(out, "start", 0, "2 workers");
    steps(out, 1, 6);
    fclose(out);
    assert_int_equal(read_log(&run, why), ERR_OK);
    assert_int_equal(run.most_on_host, 2);
    assert_int_equal(run.slow.worker, 0); /* nobody said how fast they were */
}

/* A log that begins well, and then has @break_it. */
static void expect_refused(void (*break_it)(FILE *out), const char *expected)
{
    struct scaling_run run;
    char why[SCALING_WHY];
    FILE *out = fopen(path, "w");
    break_it(out);
    fclose(out);
    assert_int_equal(read_log(&run, why), ERR_DATA);
    if (!strstr(why, expected))
        fail_msg("'%s', expected '%s'", why, expected);
}

static void too_few(FILE *out)
{
    begin(out);
    steps(out, 1, 5);
}

static void too_many(FILE *out)
{
    begin(out);
    steps(out, 1, 7);
}

static void nothing(FILE *out)
{
    fputs("garbage\n", out);
}

static void without_one(FILE *out)
{
    event(out, "start", 0, "1 workers");
    steps(out, 1, 6);
}

static void twice(FILE *out)
{
    begin(out);
    steps(out, 1, 3);
    begin(out);
    steps(out, 4, 6);
}

static void again(FILE *out)
{
    begin(out);
    steps(out, 1, 3);
    steps(out, 3, 6);
}

static void lost(FILE *out)
{
    begin(out);
    steps(out, 1, 3);
    event(out, "member", 3, "worker 2 (node08 pid 12) connection closed");
    steps(out, 4, 6);
}

static void backwards(FILE *out)
{
    begin(out);
    steps(out, 1, 5);
    step(out, 6, -50);
}

static void without_time(FILE *out)
{
    begin(out);
    for (unsigned i = 1; i <= 6; i++)
        step(out, i, 0);
}

static void a_run_that_was_disturbed_does_not_count(void **state)
{
    (void)state;
    expect_refused(too_few, "not made all of its steps");
    expect_refused(too_many, "not made all of its steps");
    expect_refused(nothing, "who its workers were");
    expect_refused(without_one, "began with 1 of 2 workers");
    expect_refused(twice, "started again");
    expect_refused(again, "do not follow each other");
    expect_refused(lost, "node08 pid 12) connection closed");
    expect_refused(backwards, "do not follow each other");
    expect_refused(without_time, "not made all of its steps");
}

static void a_name_that_would_break_a_table_does_not(void **state)
{
    (void)state;
    struct scaling_run run;
    char why[SCALING_WHY];
    FILE *out = fopen(path, "w");
    begin(out);
    steps(out, 1, 6);
    event(out, "member", 6,
          "worker 2 (a,b|c pid 12) computed at 1 slices/s, the median is 2");
    fclose(out);
    assert_int_equal(read_log(&run, why), ERR_OK);
    assert_string_equal(run.slow.host, "a?b?c pid 12");
}

static void a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct scaling_run run;
    char why[SCALING_WHY];
    unlink(path);
    assert_int_equal(read_log(&run, why), ERR_NO_FILE);
}

RUN(T(steps_behind_the_warm_up_are_measured), T(workers_of_one_host_are_counted),
    T(a_run_that_was_disturbed_does_not_count),
    T(a_name_that_would_break_a_table_does_not), T(a_log_that_is_not_there_is_an_error))
