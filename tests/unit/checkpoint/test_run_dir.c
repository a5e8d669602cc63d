/* The journal, status.json and the ownership of a run directory. */
#include "unit/checkpoint/scratch.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "checkpoint/journal.h"
#include "checkpoint/run_dir.h"

static int quiet(void **state)
{
    (void)state;
    log_silence(true);
    return file_remove_tree("run") || file_make_dirs("run");
}

struct seen {
    size_t n;
    struct journal_record last;
};

static void see(void *ctx, const struct journal_record *r)
{
    struct seen *s = ctx;
    s->n++;
    s->last = *r;
}

static const struct journal_record commit = {.kind = JOURNAL_COMMIT,
                                             .term = 2,
                                             .step = 41,
                                             .targets = 768,
                                             .wall = 1e9,
                                             .loss = 1.25,
                                             .rate = 1e-3,
                                             .norm = 0.5,
                                             .clip = 1};

static void write_journal(int records)
{
    struct journal *j;
    struct seen s = {0};
    assert_int_equal(journal_open("run", see, &s, &j), ERR_OK);
    for (int i = 0; i < records; i++) {
        struct journal_record r = commit;
        r.step += (uint64_t)i;
        assert_int_equal(journal_append(j, &r), ERR_OK);
    }
    assert_int_equal(journal_sync(j), ERR_OK);
    journal_close(j);
}

static void records_are_read_back_and_appended_to(void **state)
{
    (void)state;
    write_journal(2);
    write_journal(1);
    struct seen s = {0};
    assert_int_equal(journal_read("run", see, &s), ERR_OK);
    assert_int_equal(s.n, 3);
    assert_memory_equal(&s.last, &commit, sizeof commit);
}

static void every_truncation_loses_only_the_torn_record(void **state)
{
    (void)state;
    write_journal(3);
    char *good;
    size_t n;
    assert_int_equal(file_read("run/journal", 1 << 20, &good, &n), ERR_OK);
    const size_t record = (n - 8) / 3;
    for (size_t cut = 0; cut < n; cut++) {
        overwrite("run/journal", good, cut);
        struct seen s = {0};
        assert_int_equal(journal_read("run", see, &s), ERR_OK);
        assert_int_equal(s.n, cut < 8 ? 0 : (cut - 8) / record);
        write_journal(1); /* the tail is cut off, the journal goes on */
        struct seen again = {0};
        assert_int_equal(journal_read("run", see, &again), ERR_OK);
        assert_int_equal(again.n, s.n + 1);
    }
    mem_free(good);
}

static void every_flipped_byte_is_damage_or_at_the_end_a_torn_record(void **state)
{
    (void)state;
    write_journal(3);
    char *good;
    size_t n;
    assert_int_equal(file_read("run/journal", 1 << 20, &good, &n), ERR_OK);
    const size_t record = (n - 8) / 3;
    for (size_t i = 0; i < n; i++) {
        good[i] ^= 0x20;
        overwrite("run/journal", good, n);
        good[i] ^= 0x20;
        struct seen s = {0};
        const int err = journal_read("run", see, &s);
        if (i < n - record)
            assert_int_equal(err, ERR_CORRUPT);
        else
            assert_true(err == ERR_OK && s.n == 2);
    }
    mem_free(good);
}

static void a_status_is_read_back(void **state)
{
    (void)state;
    struct run_status s = {.state = "running",
                           .step = 7,
                           .steps = 20,
                           .loss = 2.5,
                           .held_out_loss = NAN,
                           .best_held_out_loss = 2.75,
                           .workers = 3,
                           .exit_code = 75,
                           .message = "a \"quoted\" word",
                           .pid = 99},
                      t;
    assert_int_equal(run_status_read("run", &t), ERR_NO_FILE);
    assert_int_equal(run_status_write("run", &s), ERR_OK);
    assert_int_equal(run_status_read("run", &t), ERR_OK);
    assert_string_equal(t.state, "running");
    assert_string_equal(t.message, s.message);
    assert_true(t.step == 7 && t.steps == 20 && t.loss == 2.5 && isnan(t.held_out_loss));
    assert_true(t.best_held_out_loss == 2.75 && t.workers == 3 && t.exit_code == 75);
    overwrite("run/status.json", "{", 1);
    assert_int_equal(run_status_read("run", &t), ERR_DATA);
}

static void a_run_directory_has_one_owner(void **state)
{
    (void)state;
    struct run_dir mine;
    assert_int_equal(run_dir_open(&mine, "run/deep/er"), ERR_OK);
    const pid_t other = fork();
    if (other == 0) {
        struct run_dir theirs;
        _exit(run_dir_open(&theirs, "run/deep/er") == ERR_BUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    run_dir_close(&mine);
    assert_int_equal(run_dir_open(&mine, "run/deep/er"), ERR_OK);
    run_dir_close(&mine);
}

#define F(fn) cmocka_unit_test_setup(fn, quiet)
RUN(F(records_are_read_back_and_appended_to),
    F(every_truncation_loses_only_the_torn_record),
    F(every_flipped_byte_is_damage_or_at_the_end_a_torn_record), F(a_status_is_read_back),
    F(a_run_directory_has_one_owner))
