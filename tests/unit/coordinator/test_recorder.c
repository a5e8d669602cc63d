/* What a run leaves behind: terms that are never used twice, and commits that are. */
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/journal.h"
#include "coordinator/recorder.h"

static int fresh(void **state)
{
    (void)state;
    log_silence(true);
    return file_remove_tree("run") || file_make_dirs("run");
}

static void four_a_step(void *ctx, uint64_t step, uint64_t *first, uint64_t *last)
{
    (void)ctx;
    *first = 4 * step;
    *last = *first + 3;
}

/* A coordinator's life: from @version on, with the term that its checkpoint suggests. */
static struct recorder *begin(uint64_t version, uint64_t term)
{
    struct validation none;
    validation_init(&none);
    const struct recorder_options o = {.run_dir = "run",
                                       .steps = 100,
                                       .log_every = 100,
                                       .samples = four_a_step,
                                       .version = version,
                                       .term = term,
                                       .validation = &none,
                                       .held_out_bytes_per_token = 1};
    struct recorder *r;
    assert_int_equal(recorder_open(&o, &r), ERR_OK);
    return r;
}

struct last {
    uint64_t records, term, step;
    uint32_t kind;
    double loss;
};

static void keep_last(void *ctx, const struct journal_record *r)
{
    struct last *l = ctx;
    *l = (struct last){l->records + 1, r->term, r->step, r->kind, r->loss};
}

static struct last last_record(void)
{
    struct last l = {0};
    assert_int_equal(journal_read("run", keep_last, &l), ERR_OK);
    return l;
}

/* The checkpoint knows the term it was written in, the journal all: who died before he
 * wrote a checkpoint had a term, too. */
static void no_term_is_used_twice(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (int life = 0; life < 4; life++) {
        struct recorder *r = begin(0, 1);
        assert_true(recorder_term(r) > before);
        before = recorder_term(r);
        assert_int_equal(last_record().term, before); /* before anybody hears of it */
        assert_int_equal(last_record().kind, JOURNAL_START);
        recorder_close(r);
    }
    struct recorder *r = begin(5, 1000); /* a checkpoint of a later life */
    assert_int_equal(recorder_term(r), 1000);
    recorder_close(r);
}

/* Whoever is told of a commit after it finds it there. */
static void a_commit_is_in_the_journal_when_it_returns(void **state)
{
    (void)state;
    struct recorder *r = begin(0, 1);
    recorder_running(r, 1);
    for (uint64_t step = 0; step < 3; step++) {
        const uint64_t records = last_record().records;
        const struct action a = {.kind = ACTION_COMMIT,
                                 .step = step,
                                 .version = step + 1,
                                 .loss = 2.5 - (double)step,
                                 .rate = 0.1,
                                 .targets = 7};
        recorder_commit(r, &a, &(struct roofline_step){0});
        const struct last l = last_record();
        assert_int_equal(l.records, records + 1);
        assert_int_equal(l.kind, JOURNAL_COMMIT);
        assert_int_equal(l.step, step);
        assert_true(l.loss == a.loss);
    }
    recorder_close(r);
}

/* Why a step was not updated stays known: in the journal, and with its samples in the
 * log. */
static void a_skipped_step_is_recorded_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        enum skip_why why;
        uint32_t kind;
        const char *text;
    } cases[] = {
        {SKIP_NOT_FINITE, JOURNAL_SKIPPED,
         "not finite: the update of step 5 was skipped"},
        {SKIP_LOSS, JOURNAL_SPIKE_LOSS,
         "loss 9 is 7.25 standard deviations above the last: the update of step 5"},
        {SKIP_NORM, JOURNAL_SPIKE_NORM,
         "norm 3 is 7.25 standard deviations above the last: the update of step 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(fresh(state), 0);
        struct recorder *r = begin(5, 1);
        const struct action a = {.kind = ACTION_COMMIT,
                                 .step = 5,
                                 .version = 6,
                                 .data = 15,
                                 .skipped = cases[i].why,
                                 .loss = 9,
                                 .norm = 3,
                                 .z = 7.25};
        recorder_commit(r, &a, &(struct roofline_step){0});
        recorder_close(r);
        assert_int_equal(last_record().kind, cases[i].kind);
        char *log;
        size_t bytes;
        assert_int_equal(file_read("run/log.jsonl", 1 << 20, &log, &bytes), ERR_OK);
        assert_non_null(strstr(log, cases[i].text));
        assert_non_null(strstr(log, "its samples are number 60 to 63"));
        mem_free(log);
    }
}

static void commit(struct recorder *r, uint64_t step, double loss)
{
    const struct action a = {.kind = ACTION_COMMIT,
                             .step = step,
                             .version = step + 1,
                             .data = step,
                             .loss = loss,
                             .rate = 0.1};
    recorder_commit(r, &a, &(struct roofline_step){0});
}

static int terminal; /* the real one, while what is said goes to a file */

static void hear(void)
{
    const int fd = open("said", O_RDWR | O_CREAT | O_TRUNC, 0644);
    log_init("", LOG_INFO); /* what was said before may be said again */
    log_silence(false);
    terminal = dup(STDERR_FILENO);
    assert_true(fd >= 0 && terminal >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

/* Stops listening. */
static bool said(const char *text)
{
    char *all;
    size_t bytes;
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    log_silence(true);
    assert_int_equal(file_read("said", 1 << 20, &all, &bytes), ERR_OK);
    const bool found = strstr(all, text) != NULL;
    mem_free(all);
    return found;
}

/* The steps after a way back have other data, and are not compared with those that had
 * the same numbers; those before it, and those of the new way, are. */
static void steps_are_compared_with_those_of_the_same_way(void **state)
{
    (void)state;
    struct recorder *r = begin(0, 1);
    for (uint64_t step = 0; step < 6; step++)
        commit(r, step, (double)step);
    const struct action back = {.kind = ACTION_REWIND,
                                .step = 6,
                                .version = 3,
                                .data = 3,
                                .rate = 0.5,
                                .reason = "the loss diverges"};
    recorder_rewind(r, &back);
    assert_int_equal(last_record().kind, JOURNAL_REWIND);
    assert_int_equal(last_record().step, 3);
    commit(r, 3, 30);
    recorder_close(r);

    hear();
    r = begin(0, 1);
    commit(r, 0, 0);
    commit(r, 3, 30);
    commit(r, 4, 40); /* not made on this way before */
    recorder_close(r);
    assert_false(said("came out otherwise"));
    hear();
    r = begin(0, 1);
    commit(r, 3, 3); /* as on the old way */
    recorder_close(r);
    assert_true(said("step 3 was computed before and came out otherwise"));
}

#define F(fn) cmocka_unit_test_setup(fn, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {F(no_term_is_used_twice),
                                       F(a_commit_is_in_the_journal_when_it_returns),
                                       F(a_skipped_step_is_recorded_with_the_reason),
                                       F(steps_are_compared_with_those_of_the_same_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
