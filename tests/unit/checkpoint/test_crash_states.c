/* Whatever a crash leaves of a run directory, recovery finds the old or the new version,
 * whole, and a journal that agrees with it. */
#include "unit/checkpoint/scratch.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "checkpoint/journal.h"
#include "support/crash.h"

enum { RECORDS_MAX = 32 };

/* What was appended, in order; one run writes it, every state is compared with it. */
static struct journal_record written[RECORDS_MAX];
static size_t written_n;

/* --- a run -----------------------------------------------------------------------------
 */

static void append(struct journal *j, uint32_t kind, uint64_t step)
{
    assert_true(written_n < RECORDS_MAX);
    written[written_n] = (struct journal_record){.kind = kind, .term = 1, .step = step};
    assert_int_equal(journal_append(j, &written[written_n++]), ERR_OK);
}

/* Version @step has @step in all its numbers. */
static struct checkpoint_content version(uint64_t step)
{
    static float model[10], moments[10];
    for (int i = 0; i < 10; i++)
        moments[i] = -(model[i] = (float)step);
    struct checkpoint_content c = scratch_content(step);
    for (int i = 0; i < 2; i++) {
        ((struct safetensor *)(uintptr_t)c.model)[i].data = model + 8 * i;
        ((struct safetensor *)(uintptr_t)c.moments)[i].data = moments + 8 * i;
    }
    return c;
}

static const struct checkpoint_keep keep = {
    .last = 1, .best = {UINT64_MAX, UINT64_MAX}, .halfway = UINT64_MAX};

static void save(struct journal *j, uint64_t step, uint64_t before)
{
    assert_int_equal(journal_sync(j), ERR_OK);
    crash_promise(before, written_n);
    const struct checkpoint_content c = version(step);
    assert_int_equal(checkpoint_write(&crash_disk, "run", &c), ERR_OK);
    crash_promise(step, written_n);
    assert_int_equal(checkpoint_retain(&crash_disk, "run", &keep), ERR_OK);
    append(j, JOURNAL_CHECKPOINT, step);
}

/* Two checkpoints, of which the first is removed, and steps before, between and after. */
static void live(void)
{
    struct journal *j;
    written_n = 0;
    crash_record("run");
    assert_int_equal(journal_open(&crash_disk, "run", NULL, NULL, &j), ERR_OK);
    append(j, JOURNAL_START, 0);
    assert_int_equal(journal_sync(j), ERR_OK);
    crash_promise(0, 1);
    append(j, JOURNAL_COMMIT, 0);
    append(j, JOURNAL_COMMIT, 1);
    save(j, 2, 0);
    append(j, JOURNAL_COMMIT, 2);
    save(j, 3, 2);
    append(j, JOURNAL_COMMIT, 3);
    append(j, JOURNAL_COMMIT, 4);
    journal_close(j);
}

/* --- what recovery makes of it ---------------------------------------------------------
 */

static const char *check_version(const char *dir, uint64_t promised, uint64_t *found)
{
    char *path;
    *found = 0;
    const int err = checkpoint_find(dir, UINT64_MAX, &path);
    if (err == ERR_NO_FILE)
        return promised ? "no checkpoint is left" : NULL;
    if (err)
        return "there are checkpoints, but none is good";
    struct checkpoint_state s;
    float x[10];
    struct safetensor t[2] = {{"embed.weight", 2, {2, 4}, x},
                              {"norm.weight", 1, {2}, x + 8}};
    char *model = file_join(path, "model.safetensors");
    const bool read = checkpoint_read_state(path, &s) == ERR_OK &&
                      safetensors_read(model, t, 2) == ERR_OK;
    mem_free(model);
    mem_free(path);
    if (!read)
        return "a good checkpoint cannot be read";
    for (int i = 0; i < 10; i++)
        if (x[i] != (float)s.step)
            return "a checkpoint is mixed of two versions";
    *found = s.step;
    return s.step < promised ? "a checkpoint that was there to stay is lost" : NULL;
}

/* Nothing half made or half removed has a checkpoint's name. */
static const char *check_all(const char *dir)
{
    uint64_t *steps;
    size_t n, bad = 0;
    if (checkpoint_list(dir, &steps, &n) != ERR_OK)
        return "the checkpoints cannot be listed";
    for (size_t i = 0; i < n; i++) {
        char *path = checkpoint_path(dir, steps[i]);
        bad += checkpoint_verify(path) != ERR_OK;
        mem_free(path);
    }
    mem_free(steps);
    return bad ? "a part of a checkpoint has a checkpoint's name" : NULL;
}

struct replay {
    size_t n, commits;
    bool other;
};

static void replay(void *ctx, const struct journal_record *r)
{
    struct replay *p = ctx;
    struct journal_record was = p->n < written_n ? written[p->n] : *r;
    if (was.kind == JOURNAL_CHECKPOINT) /* journal_append() adds how much is synced */
        was.targets = r->targets;
    p->other |= p->n >= written_n || memcmp(&was, r, sizeof was) != 0;
    p->n++;
    p->commits += r->kind == JOURNAL_COMMIT;
}

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static int no_sync_dir(const char *path)
{
    (void)path;
    return 0;
}

/* Thousands of states, none of which has to last. */
static struct disk hasty(void)
{
    struct disk d = disk_real;
    d.sync = no_sync;
    d.sync_dir = no_sync_dir;
    return d;
}

static const char *check_journal(const char *dir, uint64_t promised, uint64_t step)
{
    struct journal *j;
    struct replay p = {0}, again = {0};
    const struct disk d = hasty();
    if (journal_open(&d, dir, replay, &p, &j) != ERR_OK)
        return "the journal is refused";
    const struct journal_record start = {.kind = JOURNAL_START, .term = 2};
    const int err = journal_append(j, &start);
    journal_close(j);
    if (p.other)
        return "the journal has a record that was not written there";
    if (p.n < promised)
        return "records that were there to stay are lost";
    if (p.commits < step)
        return "the journal does not know the steps of the checkpoint";
    if (err || journal_read(dir, replay, &again) != ERR_OK || again.n != p.n + 1)
        return "the journal cannot go on";
    return NULL;
}

static const char *recover(void *ctx, const char *dir, uint64_t checkpoint,
                           uint64_t records)
{
    (void)ctx;
    uint64_t step, again;
    const char *why = check_version(dir, checkpoint, &step);
    if (!why)
        why = check_all(dir);
    if (!why)
        why = check_journal(dir, records, step);
    if (!why && checkpoint_clean(dir) != ERR_OK)
        why = "drafts cannot be removed";
    if (!why)
        why = check_version(dir, step, &again);
    return why;
}

/* MANIFEST is written last, so it never stands beside files that are not yet what it
 * says, when the process was killed and the machine lives. */
static const char *manifest_is_last(void *ctx, const char *dir, uint64_t a, uint64_t b)
{
    (void)ctx;
    (void)a;
    (void)b;
    static const char *const places[] = {
        "checkpoints/tmp-step-00000002", "checkpoints/tmp-step-00000003",
        "checkpoints/step-00000002", "checkpoints/step-00000003"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *folder = file_join(dir, places[i]), *path = file_join(folder, "MANIFEST");
        char *text = NULL;
        size_t bytes = 0;
        if (file_exists(path))
            file_read(path, 1 << 20, &text, &bytes);
        const bool whole = bytes > 2 && text[0] && text[bytes - 1] == '\n';
        const bool bad = whole && checkpoint_verify(folder) != ERR_OK;
        mem_free(text);
        mem_free(path);
        mem_free(folder);
        if (bad)
            return "MANIFEST speaks of files that are not there yet";
    }
    return NULL;
}

/* --- tests -----------------------------------------------------------------------------
 */

static int fresh(void **state)
{
    (void)state;
    log_silence(true);
    return file_remove_tree("run") || file_make_dirs("run");
}

static int done(void **state)
{
    (void)state;
    crash_end();
    return 0;
}

static void every_state_recovers_to_the_old_or_the_new(void **state)
{
    (void)state;
    live();
    const struct crash_result r = crash_try("state", false, recover, NULL);
    print_message("%zu states after a crash of the machine: %s\n", r.states,
                  r.bad ? r.why : "each recovers");
    assert_int_equal(r.bad, 0);
    assert_true(r.states > 1000);
}

static void a_killed_process_leaves_what_recovers_too(void **state)
{
    (void)state;
    live();
    const struct crash_result r = crash_try("state", true, recover, NULL);
    print_message("%zu states after a kill of the process: %s\n", r.states,
                  r.bad ? r.why : "each recovers");
    assert_int_equal(r.bad, 0);
    const struct crash_result m = crash_try("state", true, manifest_is_last, NULL);
    assert_int_equal(m.bad, 0);
}

/* A second life, on what a first one left: the torn end of a journal, a draft. */
static void a_crash_during_recovery_recovers(void **state)
{
    (void)state;
    live();
    crash_end();
    overwrite("run/journal.end", "torn", 4);
    assert_int_equal(system("cat run/journal.end >> run/journal && rm run/journal.end"),
                     0);
    assert_int_equal(file_make_dirs("run/checkpoints/tmp-step-00000005"), ERR_OK);
    overwrite("run/checkpoints/tmp-step-00000005/state.json", "{", 1);
    crash_record("run");
    crash_promise(3, written_n);
    struct journal *j;
    assert_int_equal(journal_open(&crash_disk, "run", NULL, NULL, &j), ERR_OK);
    append(j, JOURNAL_START, 3);
    assert_int_equal(journal_sync(j), ERR_OK);
    crash_promise(3, written_n);
    append(j, JOURNAL_COMMIT, 3);
    save(j, 4, 3);
    append(j, JOURNAL_COMMIT, 4);
    journal_close(j);
    const struct crash_result r = crash_try("state", false, recover, NULL);
    print_message("%zu states of a second life: %s\n", r.states,
                  r.bad ? r.why : "each recovers");
    assert_int_equal(r.bad, 0);
}

/* What this test is worth: each mistake must be seen. */
static void planted(const char *what, bool killed, crash_check *check)
{
    const struct crash_result r = crash_try("state", killed, check, NULL);
    print_message("%-28s %s (state %zu)\n", what, r.bad ? r.why : "NOT SEEN", r.states);
    assert_int_equal(r.bad, 1);
}

static void files_that_are_not_synced_are_seen(void **state)
{
    (void)state;
    live();
    crash_forget(CRASH_SYNC, SIZE_MAX);
    planted("no file is synced", false, recover);
}

static void folders_that_are_not_synced_are_seen(void **state)
{
    (void)state;
    live();
    crash_forget(CRASH_SYNC_DIR, SIZE_MAX);
    planted("no folder is synced", false, recover);
}

static void a_manifest_that_comes_first_is_seen(void **state)
{
    (void)state;
    live();
    crash_hurry("MANIFEST");
    planted("MANIFEST is written first", true, manifest_is_last);
}

/* Any single sync left out is seen, but for three of RUN: a new RUN/checkpoints is synced
 * when it is made and after each checkpoint, because who made it may have been killed in
 * between.  In one life the two stand in for each other. */
static void every_single_sync_is_needed(void **state)
{
    size_t seen = 0, all = 0;
    for (int k = CRASH_SYNC; k <= CRASH_SYNC_DIR; k++)
        for (size_t i = 0, n = 1; i < n; i++, all++) {
            fresh(state);
            live();
            n = crash_count((enum crash_kind)k);
            crash_forget((enum crash_kind)k, i);
            seen += crash_try("state", false, recover, NULL).bad;
            crash_end();
        }
    print_message("%zu of %zu syncs, left out alone, are seen\n", seen, all);
    assert_int_equal(seen, all - 3);
}

/* Thousands of small files: in memory where that is possible, for nothing here needs a
 * real disk. */
static char scratch[] = "/dev/shm/lockstep-crash-XXXXXX";

static int enter(void **state)
{
    (void)state;
    if (mkdtemp(scratch) && chdir(scratch) != 0)
        return 1;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") || (scratch[5] && file_remove_tree(scratch));
}

#define F(fn) cmocka_unit_test_setup_teardown(fn, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {F(every_state_recovers_to_the_old_or_the_new),
                                       F(a_killed_process_leaves_what_recovers_too),
                                       F(a_crash_during_recovery_recovers),
                                       F(files_that_are_not_synced_are_seen),
                                       F(folders_that_are_not_synced_are_seen),
                                       F(a_manifest_that_comes_first_is_seen),
                                       cmocka_unit_test(every_single_sync_is_needed)};
    return cmocka_run_group_tests(tests, enter, leave);
}
