/* The journal, status.json and the ownership of a run directory. */
#include "unit/checkpoint/scratch.h"

#include <errno.h>
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
    assert_int_equal(journal_open(&disk_real, "run", see, &s, &j), ERR_OK);
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

/* START, three commits, synced, CHECKPOINT that says so, two commits since. */
enum { RECORD = 80, HEADER = 8, DURABLE = HEADER + 4 * RECORD, RECORDS = 7 };

static char *write_life(size_t *n)
{
    struct journal *j;
    struct seen s = {0};
    assert_int_equal(journal_open(&disk_real, "run", see, &s, &j), ERR_OK);
    static const uint32_t kinds[RECORDS] = {
        JOURNAL_START,      JOURNAL_COMMIT, JOURNAL_COMMIT, JOURNAL_COMMIT,
        JOURNAL_CHECKPOINT, JOURNAL_COMMIT, JOURNAL_COMMIT};
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct journal_record r = commit;
        r.kind = kinds[i];
        r.step = i;
        if (r.kind == JOURNAL_CHECKPOINT)
            assert_int_equal(journal_sync(j), ERR_OK);
        assert_int_equal(journal_append(j, &r), ERR_OK);
    }
    journal_close(j);
    char *good;
    assert_int_equal(file_read("run/journal", 1 << 20, &good, n), ERR_OK);
    assert_int_equal(*n, HEADER + RECORDS * RECORD);
    return good;
}

static void every_truncation_loses_only_the_torn_record(void **state)
{
    (void)state;
    size_t n;
    char *good = write_life(&n);
    unsigned within = 0, between = 0;
    for (size_t cut = 0; cut < n; cut++) {
        overwrite("run/journal", good, cut);
        struct seen s = {0};
        assert_int_equal(journal_read("run", see, &s), ERR_OK);
        assert_int_equal(s.n, cut < HEADER ? 0 : (cut - HEADER) / RECORD);
        write_journal(1); /* the tail is cut off, the journal goes on */
        struct seen again = {0};
        assert_int_equal(journal_read("run", see, &again), ERR_OK);
        assert_int_equal(again.n, s.n + 1);
        *(cut < HEADER || (cut - HEADER) % RECORD ? &within : &between) += 1;
    }
    print_message("journal of %zu bytes: %u cuts within a record, each found and cut "
                  "off; %u between two, where it reads as an earlier journal\n",
                  n, within, between);
    mem_free(good);
}

/* What had been synced is damaged; what had not may be lost, with all after it. */
static void every_flipped_byte_is_damage_or_not_yet_durable(void **state)
{
    (void)state;
    size_t n;
    char *good = write_life(&n);
    unsigned damaged = 0, lost = 0;
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            good[i] ^= (char)(1 << bit);
            overwrite("run/journal", good, n);
            good[i] ^= (char)(1 << bit);
            struct seen s = {0};
            const int err = journal_read("run", see, &s);
            if (i < DURABLE) {
                assert_int_equal(err, ERR_CORRUPT);
                damaged++;
            } else {
                assert_int_equal(err, ERR_OK);
                assert_int_equal(s.n, (i - HEADER) / RECORD);
                lost++;
            }
        }
    print_message("journal of %zu bytes: %u flipped bits in what was synced refused, %u "
                  "after it cut off\n",
                  n, damaged, lost);
    mem_free(good);
}

static int broken_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

/* Else a later record would say that what is lost had been synced. */
static void nothing_follows_a_failed_sync(void **state)
{
    (void)state;
    struct journal *j;
    struct seen s = {0};
    struct disk d = disk_real;
    assert_int_equal(journal_open(&d, "run", see, &s, &j), ERR_OK);
    assert_int_equal(journal_append(j, &commit), ERR_OK);
    d.sync = broken_sync;
    assert_int_equal(journal_sync(j), ERR_IO);
    d.sync = disk_real.sync;
    assert_int_equal(journal_append(j, &commit), ERR_IO);
    assert_int_equal(journal_sync(j), ERR_IO);
    journal_close(j);
    assert_int_equal(journal_read("run", see, &s), ERR_OK);
    assert_int_equal(s.n, 1);
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
    F(every_flipped_byte_is_damage_or_not_yet_durable), F(nothing_follows_a_failed_sync),
    F(a_status_is_read_back), F(a_run_directory_has_one_owner))
