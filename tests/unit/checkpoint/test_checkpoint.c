#include "unit/checkpoint/scratch.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "checkpoint/state.h"

static int quiet(void **state)
{
    (void)state;
    log_silence(true); /* what is damaged here is said thousands of times */
    return file_remove_tree("run");
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    scratch_write("run", 1200);
    char *dir;
    assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_OK);
    assert_string_equal(dir, "run/checkpoints/step-00001200");
    struct checkpoint_state s;
    assert_int_equal(checkpoint_read_state(dir, &s), ERR_OK);
    assert_true(s.step == 1200 && s.term == 3 && s.fingerprint == 0xfedcba9876543210u);
    const struct validation_mark *m = &s.validation.mark[VALIDATION_HELD_OUT_LOSS];
    assert_true(m->last == 1.875 && isnan(m->best) && m->best_step == UINT64_MAX);
    assert_true(m->stale == 4 && s.validation.step == 1100 && s.vocab == 65);

    float read[10] = {0};
    struct safetensor t[2] = {{"norm.weight", 1, {2}, read + 8},
                              {"embed.weight", 2, {2, 4}, read}};
    char *path = file_join(dir, "model.safetensors");
    assert_int_equal(safetensors_read(path, t, 2), ERR_OK);
    assert_memory_equal(read, scratch_model, sizeof read);
    t[0].dims[0] = 1;
    assert_int_equal(safetensors_read(path, t, 2), ERR_DATA); /* another shape */
    t[0].dims[0] = 2;
    assert_int_equal(safetensors_read(path, t + 1, 1), ERR_DATA); /* it has more */
    t[1].name = "other";
    assert_int_equal(safetensors_read(path, t, 2), ERR_DATA);
    mem_free(path);
    mem_free(dir);
}

/* What decides about later steps must be the same to the bit; and a checkpoint of a
 * program that did not know of it has nothing. */
static void what_guards_a_run_is_read_back_to_the_bit(void **state)
{
    (void)state;
    struct checkpoint_state s = scratch_content(9).state, read;
    s.guard.trend = (struct trend){UINT64_MAX, 1.0 / 3, 2.1, 1e-17};
    assert_true(turns_add(&s.guard.turns, (struct turn){200, 113, 1.0 / 7}));
    assert_true(turns_add(&s.guard.turns, (struct turn){150, UINT64_MAX, 0.1}));
    for (int i = 0; i < SPIKES_WINDOW_MAX; i++)
        spikes_accept(&s.guard.spikes, SPIKES_WINDOW_MAX, 1 / (i + 3.0), sqrt(i));
    spikes_skip(&s.guard.spikes, SPIKES_WINDOW_MAX);
    char *text = state_pack(&s);
    assert_int_equal(state_unpack("p", text, strlen(text), &read), ERR_OK);
    assert_memory_equal(&read.guard.spikes, &s.guard.spikes, sizeof s.guard.spikes);
    assert_memory_equal(&read.guard.trend, &s.guard.trend, sizeof s.guard.trend);
    assert_int_equal(read.guard.turns.n, 2);
    assert_memory_equal(read.guard.turns.list, s.guard.turns.list,
                        2 * sizeof s.guard.turns.list[0]);
    char *guard = strstr(text, "\"guard\"");
    assert_non_null(guard);
    guard[1] = 'G'; /* unknown, so none is there */
    assert_int_equal(state_unpack("p", text, strlen(text), &read), ERR_OK);
    assert_true(read.guard.spikes.n == 0 && read.guard.trend.n == 0 &&
                read.guard.turns.n == 0);
    mem_free(text);
}

static void an_impossible_guard_is_refused(void **state)
{
    (void)state;
    static const char good[] = "{\"version\":\"1\",\"offset\":\"5\",\"rate\":1}";
    const struct {
        const char *turns, *variance, *norms;
        int err;
    } cases[] = {
        {good, "0.5", "[1]", ERR_OK},
        {"{\"version\":\"1\",\"offset\":\"5\"}", "0.5", "[1]", ERR_DATA},
        {"{\"version\":\"1\",\"offset\":\"0\",\"rate\":1}", "0.5", "[1]", ERR_DATA},
        {good, "-1", "[1]", ERR_DATA},
        {good, "null", "[1]", ERR_DATA},
        {good, "0.5", "[]", ERR_DATA},
        {good, "0.5", "[1,2]", ERR_DATA},
        {good, "0.5", "[null]", ERR_DATA},
        {good, "0.5", "1", ERR_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        struct checkpoint_state s;
        snprintf(text, sizeof text,
                 "{\"step\":\"1\",\"term\":\"1\",\"fingerprint\":\"1\",\"vocab\":2,"
                 "\"held_out_loss\":1,\"best_held_out_loss\":1,\"best_step\":\"1\","
                 "\"version\":\"1\",\"guard\":{\"turns\":[%s],\"trend\":{\"steps\":\"3\","
                 "\"fast\":1,\"slow\":1,\"variance\":%s},\"spikes\":{\"skipped\":0,"
                 "\"losses\":[2],\"norms\":%s}}}",
                 cases[i].turns, cases[i].variance, cases[i].norms);
        assert_int_equal(state_unpack("p", text, strlen(text), &s), cases[i].err);
    }
}

/* The same content makes the same bytes: files can be compared by their SHA-256. */
static void bytes_are_a_function_of_the_content(void **state)
{
    (void)state;
    char *first, *second;
    size_t n, m;
    scratch_write("run", 7);
    file_read("run/checkpoints/step-00000007/model.safetensors", 1 << 20, &first, &n);
    scratch_write("run", 7); /* once more, over the old one */
    file_read("run/checkpoints/step-00000007/model.safetensors", 1 << 20, &second, &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    mem_free(first);
    mem_free(second);
}

static void every_truncation_and_every_flipped_byte_is_detected(void **state)
{
    (void)state;
    static const char *const files[] = {
        "model.safetensors", "optimizer.safetensors", "state.json", "tokenizer.json",
        "run.yaml",          "ema.safetensors",       "MANIFEST"};
    const struct checkpoint_content c = scratch_content_ema(7);
    assert_int_equal(checkpoint_write(&disk_real, "run", &c), ERR_OK);
    const char *dir = "run/checkpoints/step-00000007";
    size_t bytes = 0;
    assert_int_equal(checkpoint_verify(dir), ERR_OK);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char *path = file_join(dir, files[f]), *good;
        size_t n;
        assert_int_equal(file_read(path, 1 << 20, &good, &n), ERR_OK);
        for (size_t i = 0; i < n; i++) {
            for (int bit = 0; bit < 8; bit++) {
                good[i] ^= (char)(1 << bit);
                overwrite(path, good, n);
                if (checkpoint_verify(dir) == ERR_OK)
                    fail_msg("%s: bit %d of byte %zu of %zu flipped", files[f], bit, i,
                             n);
                good[i] ^= (char)(1 << bit);
            }
            overwrite(path, good, i);
            if (checkpoint_verify(dir) == ERR_OK)
                fail_msg("%s: cut to %zu of %zu bytes", files[f], i, n);
        }
        bytes += n;
        overwrite(path, good, n);
        assert_int_equal(checkpoint_verify(dir), ERR_OK);
        assert_int_equal(unlink(path), 0);
        assert_int_not_equal(checkpoint_verify(dir), ERR_OK);
        overwrite(path, good, n);
        mem_free(good);
        mem_free(path);
    }
    print_message("checkpoint of %zu bytes in 7 files: %zu truncations and %zu flipped "
                  "bits, each found\n",
                  bytes, bytes, 8 * bytes);
}

static void the_newest_good_one_is_found_and_none_is_never_zero(void **state)
{
    (void)state;
    char *dir;
    assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_NO_FILE);
    scratch_write("run", 100);
    scratch_write("run", 20);
    scratch_write("run", 3);
    assert_int_equal(truncate("run/checkpoints/step-00000100/model.safetensors", 5), 0);
    assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_OK);
    assert_string_equal(dir, "run/checkpoints/step-00000020");
    mem_free(dir);
    assert_int_equal(checkpoint_find("run", 3, &dir), ERR_OK);
    mem_free(dir);
    assert_int_equal(checkpoint_find("run", 100, &dir), ERR_NO_VALID);
    assert_int_equal(unlink("run/checkpoints/step-00000020/MANIFEST"), 0);
    assert_int_equal(unlink("run/checkpoints/step-00000003/MANIFEST"), 0);
    assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_NO_VALID);
}

/* --- the n-th system call fails
 * ------------------------------------------------------------ */

static int calls_left;

static int fails(void)
{
    if (--calls_left != 0)
        return 0;
    errno = ENOSPC;
    return 1;
}

static int bad_open(const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : disk_real.open(path, flags, mode);
}
static ssize_t bad_write(int fd, const void *data, size_t bytes, off_t at)
{
    return fails() ? -1 : pwrite(fd, data, bytes, at);
}
static int bad_truncate(int fd, off_t bytes)
{
    return fails() ? -1 : ftruncate(fd, bytes);
}
static int bad_sync(int fd)
{
    return fails() ? -1 : fsync(fd);
}
static int bad_close(int fd)
{
    const int failed = fails();
    const int e = close(fd);
    if (failed)
        errno = ENOSPC;
    return failed ? -1 : e;
}
static int bad_mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : mkdir(path, mode);
}
static int bad_rename(const char *from, const char *to)
{
    return fails() ? -1 : rename(from, to);
}
static int bad_remove(const char *path)
{
    return fails() ? -1 : remove(path);
}
static int bad_sync_dir(const char *path)
{
    return fails() ? -1 : disk_real.sync_dir(path);
}
static int bad_reserve(int fd, off_t bytes)
{
    (void)fd;
    (void)bytes;
    return fails() ? ENOSPC : 0;
}

static const struct disk failing = {bad_open,   bad_reserve, bad_write, bad_truncate,
                                    bad_sync,   bad_close,   bad_mkdir, bad_rename,
                                    bad_remove, bad_sync_dir};

static void a_failure_at_any_call_leaves_the_older_ones_and_no_half_one(void **state)
{
    (void)state;
    scratch_write("run", 1);
    const struct checkpoint_content c = scratch_content_ema(2);
    int n = 1;
    for (int err = -1; err != ERR_OK; n++) {
        assert_true(n < 500);
        calls_left = n;
        err = checkpoint_write(&failing, "run", &c);
        assert_true(err == ERR_OK || err == ERR_NO_SPACE);
        char *dir;
        assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_OK);
        const bool new_one = strcmp(dir, "run/checkpoints/step-00000002") == 0;
        /* after the rename only the folder's sync can fail: then it is there, and whole
         */
        assert_true(err == ERR_OK ? new_one : true);
        mem_free(dir);
        assert_false(file_exists("run/checkpoints/tmp-step-00000002"));
    }
    print_message("%d calls, each failed once\n", n - 2);
    assert_true(n > 20);
}

static void the_newest_the_best_and_every_kth_are_kept(void **state)
{
    (void)state;
    for (uint64_t step = 10; step <= 100; step += 10)
        scratch_write("run", step);
    struct checkpoint_keep keep = {
        .last = 2, .every = 40, .best = {30, 70}, .halfway = UINT64_MAX};
    assert_int_equal(checkpoint_retain(&disk_real, "run", &keep), ERR_OK);
    uint64_t *steps;
    size_t n;
    assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
    const uint64_t kept[] = {30, 40, 70, 80, 90, 100};
    assert_int_equal(n, 6);
    assert_memory_equal(steps, kept, sizeof kept);
    mem_free(steps);
    keep =
        (struct checkpoint_keep){.best = {UINT64_MAX, UINT64_MAX}, .halfway = UINT64_MAX};
    assert_int_equal(checkpoint_retain(&disk_real, "run", &keep), ERR_OK);
    assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
    assert_true(n == 1 && steps[0] == 100); /* the newest is never removed */
    mem_free(steps);
}

/* What is there after each checkpoint of a run that keeps two, and one half-way between.
 */
static void what_a_run_may_go_back_to_is_kept(void **state)
{
    (void)state;
    for (uint64_t step = 10; step <= 100; step += 5)
        scratch_write("run", step);
    const struct checkpoint_keep keep = {.last = 1,
                                         .back = 25,
                                         .stride = 20,
                                         .best = {UINT64_MAX, UINT64_MAX},
                                         .halfway = UINT64_MAX};
    assert_int_equal(checkpoint_retain(&disk_real, "run", &keep), ERR_OK);
    uint64_t *steps;
    size_t n;
    assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_true(steps[0] == 60 && steps[1] == 80 && steps[2] == 100);
    mem_free(steps);
}

/* Back from 45 to 20: 30 is of the old way, 40 of the new one; of 50 nobody knows. */
static void what_a_turn_left_behind_is_removed(void **state)
{
    (void)state;
    struct turns turns = {0};
    assert_true(turns_add(&turns, (struct turn){20, 25, 1}));
    for (uint64_t step = 10; step <= 50; step += 10) {
        struct checkpoint_content c = scratch_content(step);
        if (step >= 40)
            c.state.guard.turns = turns;
        assert_int_equal(checkpoint_write(&disk_real, "run", &c), ERR_OK);
    }
    overwrite("run/checkpoints/step-00000050/state.json", "{", 1);
    assert_int_equal(checkpoint_abandon(&disk_real, "run", &turns), ERR_OK);
    uint64_t *steps;
    size_t n;
    assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
    assert_int_equal(n, 4);
    assert_true(steps[0] == 10 && steps[1] == 20 && steps[2] == 40 && steps[3] == 50);
    mem_free(steps);
    assert_true(turns_add(&turns, (struct turn){10, 60, 1}));
    assert_int_equal(checkpoint_abandon(&disk_real, "run", &turns), ERR_OK);
    char *dir;
    assert_int_equal(checkpoint_find("run", UINT64_MAX, &dir), ERR_OK);
    assert_string_equal(dir, "run/checkpoints/step-00000010");
    mem_free(dir);
}

static void one_half_way_stays_until_the_next_and_counts_for_nothing(void **state)
{
    (void)state;
    static const struct {
        uint64_t step, halfway, kept[4];
        size_t n;
    } cases[] = {
        {5, 5, {5}, 1},        {10, 5, {10}, 1},          {15, 15, {10, 15}, 2},
        {20, 15, {10, 20}, 2}, {25, 25, {10, 20, 25}, 3}, {30, 25, {20, 30}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct checkpoint_keep keep = {
            .last = 2, .best = {UINT64_MAX, UINT64_MAX}, .halfway = cases[i].halfway};
        scratch_write("run", cases[i].step);
        assert_int_equal(checkpoint_retain(&disk_real, "run", &keep), ERR_OK);
        uint64_t *steps;
        size_t n;
        assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
        assert_int_equal(n, cases[i].n);
        assert_memory_equal(steps, cases[i].kept, n * sizeof *steps);
        mem_free(steps);
    }
}

static void one_half_way_that_is_the_best_stays(void **state)
{
    (void)state;
    const struct checkpoint_keep keep = {
        .last = 1, .best = {5, UINT64_MAX}, .halfway = 5};
    scratch_write("run", 5);
    scratch_write("run", 10);
    assert_int_equal(checkpoint_retain(&disk_real, "run", &keep), ERR_OK);
    assert_true(file_exists("run/checkpoints/step-00000005/MANIFEST"));
}

static void what_a_killed_writer_left_is_cleaned(void **state)
{
    (void)state;
    scratch_write("run", 4);
    assert_int_equal(file_make_dirs("run/checkpoints/tmp-step-00000005"), ERR_OK);
    overwrite("run/checkpoints/tmp-step-00000005/model.safetensors", "half", 4);
    assert_int_equal(checkpoint_clean("run"), ERR_OK);
    assert_false(file_exists("run/checkpoints/tmp-step-00000005"));
    assert_true(file_exists("run/checkpoints/step-00000004/MANIFEST"));
}

#define F(fn) cmocka_unit_test_setup(fn, quiet)
RUN(F(what_is_written_is_read_back), F(what_guards_a_run_is_read_back_to_the_bit),
    F(an_impossible_guard_is_refused), F(bytes_are_a_function_of_the_content),
    F(every_truncation_and_every_flipped_byte_is_detected),
    F(the_newest_good_one_is_found_and_none_is_never_zero),
    F(a_failure_at_any_call_leaves_the_older_ones_and_no_half_one),
    F(the_newest_the_best_and_every_kth_are_kept), F(what_a_run_may_go_back_to_is_kept),
    F(what_a_turn_left_behind_is_removed),
    F(one_half_way_stays_until_the_next_and_counts_for_nothing),
    F(one_half_way_that_is_the_best_stays), F(what_a_killed_writer_left_is_cleaned))
