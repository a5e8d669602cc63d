#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/watchdog.h"

enum { LIMIT_MS = 160 };

struct scene {
    struct loop *loop;
    struct watchdog *dog;
    bool pause;
};

/* Does not come back, or only after three limits. */
static void stall(void *ctx)
{
    struct scene *s = ctx;
    if (s->pause)
        watchdog_pause(s->dog);
    for (const uint64_t end = clock_ms() + 3 * LIMIT_MS; clock_ms() < end;)
        ;
    if (s->pause)
        watchdog_resume(s->dog);
    loop_stop(s->loop);
}

static void stop(void *ctx)
{
    loop_stop(((struct scene *)ctx)->loop);
}

/* In a process of its own; its exit code. */
static int run(bool pause, loop_callback *cb, uint64_t after_ms)
{
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        struct scene s = {.loop = loop_new(), .pause = pause};
        s.dog = watchdog_start(s.loop, LIMIT_MS);
        loop_timer_new(s.loop, after_ms, 0, cb, &s);
        loop_run(s.loop);
        watchdog_stop(s.dog);
        loop_free(s.loop);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_loop_that_does_not_come_round_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(run(false, stall, 1), 70);
}

static void planned_work_and_ordinary_life_do_not(void **state)
{
    (void)state;
    assert_int_equal(run(true, stall, 1), 0);
    assert_int_equal(run(false, stop, 3 * LIMIT_MS), 0);
}

static void a_process_that_was_stopped_goes_on(void **state)
{
    (void)state;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        struct scene s = {.loop = loop_new()};
        s.dog = watchdog_start(s.loop, LIMIT_MS);
        loop_timer_new(s.loop, LIMIT_MS, 0, stop, &s);
        raise(SIGSTOP);
        loop_run(s.loop);
        watchdog_stop(s.dog);
        loop_free(s.loop);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    const struct timespec pause = {.tv_nsec = 3 * LIMIT_MS * 1000000L};
    nanosleep(&pause, NULL); /* the time is what is tested */
    kill(pid, SIGCONT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

RUN(T(a_loop_that_does_not_come_round_ends_the_process),
    T(planned_work_and_ordinary_life_do_not), T(a_process_that_was_stopped_goes_on))
