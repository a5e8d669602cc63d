/* Fail points, in a build of their own that has them (tests/CMakeLists.txt). */
#include "support/test.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"

/* What a process makes of LOCKSTEP_FAIL and three passes: its status as wait() gives it,
 * or 100 + the number of passes that were to fail, or the error of the variable. */
static int child(const char *asked, const char *name)
{
    const pid_t pid = fork();
    if (pid == 0) {
        log_silence(true);
        setenv("LOCKSTEP_FAIL", asked, 1);
        const int err = failpoint_start();
        int failed = 0;
        for (int pass = 0; !err && pass < 3; pass++)
            failed += failpoint_pass(name) == ENOSPC;
        _exit(err ? err : 100 + failed);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "no.such.place=kill",        "disk.sync",
        "disk.sync=explode",         "disk.sync=error:",
        "disk.sync=error:EFUNNY",    "disk.sync=sleep:long",
        "disk.sync=kill@0",          "commit.updated=error:EIO",
        "disk.sync=flip:1.2",        "worker.gradient=error:EIO",
        "worker.gradient=flip:1",    "worker.gradient=flip:.3",
        "worker.gradient=flip:1.",   "worker.gradient=flip:1.32",
        "worker.gradient=flip:1.2x", "disk.sync=kill;no.such.place=kill"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(child(wrong[i], "disk.open"), ERR_UNKNOWN);
    assert_int_equal(err_exit_code(ERR_UNKNOWN), 78);
}

static void it_happens_at_the_pass_that_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(child("", "disk.sync"), 100);
    assert_int_equal(child("disk.sync=error:ENOSPC", "disk.sync"), 103);
    assert_int_equal(child("disk.sync=error:ENOSPC@2", "disk.sync"), 101);
    assert_int_equal(child("disk.sync=error:ENOSPC@4", "disk.sync"), 100);
    assert_int_equal(child("disk.sync=error:ENOSPC", "disk.open"), 100);
    assert_int_equal(child("disk.sync=kill@3", "disk.sync"), -9);
    assert_int_equal(child("disk.sync=sleep:10ms", "disk.sync"), 100);
    assert_int_equal(child("disk.open=kill@4;disk.sync=error:ENOSPC@1", "disk.sync"),
                     101);
}

static void once_is_once_for_all_processes(void **state)
{
    (void)state;
    unlink("mark");
    assert_int_equal(child("journal.half=kill/once:mark", "journal.half"), -9);
    assert_int_equal(child("journal.half=kill/once:mark", "journal.half"), 100);
    unlink("mark");
    assert_int_equal(child("disk.sync=error:ENOSPC/once:mark", "disk.sync"), 101);
}

static void a_flip_turns_one_bit_of_the_next_number_that_is_not_zero(void **state)
{
    (void)state;
    setenv("LOCKSTEP_FAIL", "worker.gradient=flip:6.31@2", 1);
    assert_int_equal(failpoint_start(), ERR_OK);
    float data[4] = {0, 5, 0, 0}, nothing[2] = {0, 0};
    log_silence(true);
    assert_false(failpoint_flip("worker.gradient", data, 4));
    assert_true(data[1] == 5);                               /* not yet */
    assert_true(failpoint_flip("worker.gradient", data, 4)); /* from 6 % 4 on, round */
    assert_true(data[0] == 0 && data[1] == -5 && data[2] == 0 && data[3] == 0);
    assert_false(failpoint_flip("worker.gradient", data, 4));
    assert_true(data[1] == -5); /* once */
    setenv("LOCKSTEP_FAIL", "worker.gradient=flip:0.3", 1);
    assert_int_equal(failpoint_start(), ERR_OK);
    assert_false(failpoint_flip("worker.gradient", nothing, 2));
    log_silence(false);
}

static void half_of_something_is_done_only_at_the_pass_that_was_asked_for(void **state)
{
    (void)state;
    setenv("LOCKSTEP_FAIL", "journal.half=sleep:1ms@2", 1);
    assert_int_equal(failpoint_start(), ERR_OK);
    for (int pass = 1; pass <= 3; pass++) {
        assert_int_equal(failpoint_asked("journal.half"), pass == 2);
        failpoint_pass("journal.half");
    }
    failpoint_forget();
    unsetenv("LOCKSTEP_FAIL");
}

RUN(T(what_cannot_be_is_refused), T(it_happens_at_the_pass_that_was_asked_for),
    T(once_is_once_for_all_processes),
    T(a_flip_turns_one_bit_of_the_next_number_that_is_not_zero),
    T(half_of_something_is_done_only_at_the_pass_that_was_asked_for))
