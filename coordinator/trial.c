#include "coordinator/trial.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { WORDS_OF_OURS = 8, POLL_MS = 50 };

static volatile sig_atomic_t asked;

static void on_signal(int signum)
{
    (void)signum;
    asked++;
}

void trial_take_signals(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
}

unsigned trial_asked(void)
{
    return (unsigned)asked;
}

/* --- the child --- */

/* In the child: this very program.  Ctrl-C reaches its parent alone; what it would draw
 * on a terminal its parent draws; what it would print is no result. */
static void become(const char **words, const char *log, pid_t parent)
{
    const int out = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
    if (out >= 0)
        dup2(out, STDERR_FILENO);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    setenv("TERM", "dumb", 1);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv("/proc/self/exe", (char *const *)words);
    _exit(127);
}

static void compose(const struct trial_options *o, char workers[16], const char **words)
{
    size_t n = 0;
    words[n++] = "lockstep";
    words[n++] = o->workers || o->hostfile ? "launch" : "train";
    if (o->workers) {
        snprintf(workers, 16, "%u", o->workers);
        words[n++] = "-n";
        words[n++] = workers;
    }
    if (o->hostfile) {
        words[n++] = "--hostfile";
        words[n++] = o->hostfile;
    }
    for (size_t i = 0; i < o->launch_n; i++)
        words[n++] = o->launch[i];
    if (o->file)
        words[n++] = o->file;
    for (size_t i = 0; i < o->n; i++)
        words[n++] = o->words[i];
    assert(n < o->launch_n + o->n + WORDS_OF_OURS);
    words[n] = NULL;
}

int trial_start(struct trial *t, const struct trial_options *o)
{
    char workers[16];
    const char **words = mem_alloc((o->launch_n + o->n + WORDS_OF_OURS) * sizeof *words);
    compose(o, workers, words);
    *t = (struct trial){.launched = o->workers || o->hostfile, .run_dir = o->run_dir};
    fflush(NULL);
    const pid_t self = getpid(), pid = fork();
    if (pid == 0)
        become(words, o->log, self);
    mem_free(words);
    if (pid < 0) {
        log_error("could not start a training: %s", strerror(errno));
        return ERR_IO;
    }
    t->pid = pid;
    return ERR_OK;
}

/* *code: its exit code. */
static bool ended(struct trial *t, int *code)
{
    int status;
    assert(t->pid > 0);
    const pid_t pid = waitpid(t->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    t->pid = 0;
    *code =
        pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : err_exit_code(ERR_CLOSED);
    return true;
}

/* Finish the step and leave; when asked again, at once. */
static void stop(struct trial *t)
{
    if (t->pid <= 0)
        return;
    /* launch ends its job when it is told a second time; one process has nothing to end
     */
    kill(t->pid, t->asked++ == 0 || t->launched ? SIGTERM : SIGKILL);
}

int trial_wait(struct trial *t, bool (*look)(void *ctx), void *ctx)
{
    int code = 0;
    unsigned told = 0;
    bool wanted = true;
    while (!ended(t, &code)) {
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        if (!look(ctx) && wanted) {
            wanted = false;
            stop(t);
        }
        for (; told < trial_asked(); told++)
            stop(t);
    }
    look(ctx);
    return code;
}

struct reading {
    struct trial *t;
    void (*each)(void *ctx, const struct journal_record *step);
    void *ctx;
};

static void take(void *ctx, const struct journal_record *r)
{
    const struct reading *reading = ctx;
    const bool step = r->kind == JOURNAL_COMMIT || r->kind == JOURNAL_SKIPPED;
    if (!step || r->step < reading->t->seen)
        return;
    reading->t->seen = r->step + 1;
    reading->each(reading->ctx, r);
}

int trial_steps(struct trial *t,
                void (*each)(void *ctx, const struct journal_record *step), void *ctx)
{
    struct reading reading = {t, each, ctx};
    char *path = file_join(t->run_dir, "journal");
    const bool there = file_exists(path);
    mem_free(path);
    return there ? journal_read(t->run_dir, take, &reading) : ERR_OK;
}
