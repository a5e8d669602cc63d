#include "coordinator/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { MOST_WORDS = 64, NOWHERE = -1, ANSWER = 1024 };

/* Batch mode: a question for a password would wait for ever.  Keep-alive: the end of a
 * host is noticed. */
const char probe_agent[] =
    "ssh -x -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=5";

static const struct timespec poll_time = {.tv_nsec = 10000000};

static bool is_here(const char *name)
{
    char here[256] = "";
    gethostname(here, sizeof here - 1);
    return strcmp(name, here) == 0 || strcmp(name, "localhost") == 0;
}

/* Appends the words of @text, which it cuts, to @list of room MOST_WORDS. */
static size_t split(char *text, const char **list, size_t n)
{
    for (char *word; n < MOST_WORDS && (word = strtok_r(text, " ", &text));)
        list[n++] = word;
    return n;
}

/* In the child.  What the remote shell has to say is not what the person asked for; its
 * output goes to @out, or nowhere. */
static void ask(const char *agent, const char *host, const char *command, int out)
{
    const char *list[MOST_WORDS + 1];
    size_t n = split(mem_strdup(agent), list, 0);
    n = split(mem_strdup(host), list, n);
    list[split(mem_strdup(command), list, n)] = NULL;
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    if (out != NOWHERE)
        dup2(out, STDOUT_FILENO);
    setpgid(0, 0);
    execvp(list[0], (char *const *)list);
    _exit(127);
}

static pid_t start(const char *agent, const char *host, const char *command, int out)
{
    const pid_t pid = fork();
    if (pid == 0)
        ask(agent, host, command, out);
    return pid;
}

/* Waits for @n children, by @pid, PROBE_S long; who is late is ended.  pid[i] 0: none.
 * answered[i]: it ended with success. */
static void collect(pid_t *pid, bool *answered, size_t n)
{
    const double end = clock_seconds() + PROBE_S;
    for (size_t left = 1; left > 0; nanosleep(&poll_time, NULL)) {
        left = 0;
        for (size_t i = 0; i < n; i++) {
            int status = 1;
            if (pid[i] <= 0)
                continue;
            if (waitpid(pid[i], &status, WNOHANG) == 0) {
                left++;
                if (clock_seconds() < end)
                    continue;
                kill(-pid[i], SIGKILL);
                kill(pid[i], SIGKILL); /* before it had a group of its own */
                continue;
            }
            pid[i] = 0;
            answered[i] = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
    }
}

bool probe_process(const char *host, const char *agent, long pid)
{
    char command[48] = "true";
    if (is_here(host))
        return pid == 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH;
    if (pid != 0)
        snprintf(command, sizeof command, "test -d /proc/%ld", pid);
    pid_t child = start(agent, host, command, NOWHERE);
    bool answered = false;
    collect(&child, &answered, 1);
    return answered;
}

void probe_hosts(struct hosts *h, const char *agent)
{
    pid_t *pid = mem_zalloc(h->n * sizeof *pid);
    bool *answered = mem_zalloc(h->n * sizeof *answered);
    for (size_t i = 0; i < h->n; i++) {
        answered[i] = is_here(h->list[i].name);
        if (!answered[i])
            pid[i] = start(agent, h->list[i].name, "true", NOWHERE);
    }
    collect(pid, answered, h->n);
    for (size_t i = 0; i < h->n; i++) {
        h->list[i].silent = !answered[i];
        if (!answered[i])
            log_warn("host %s does not answer '%s %s true'; it is left out",
                     h->list[i].name, agent, h->list[i].name);
    }
    mem_free(answered);
    mem_free(pid);
}

/* Its answer is read when all have ended: it fits into a pipe. */
static void take_answer(int from, bool answered, struct machine *m)
{
    char text[ANSWER + 1];
    const ssize_t n = answered ? read(from, text, ANSWER) : 0;
    if (n > 0) {
        text[n] = '\0';
        machine_parse(m, text);
    }
    close(from);
}

void probe_machines(const struct hosts *h, const char *agent, struct machine *machine)
{
    pid_t *pid = mem_zalloc(h->n * sizeof *pid);
    bool *answered = mem_zalloc(h->n * sizeof *answered);
    int *from = mem_zalloc(h->n * sizeof *from);
    for (size_t i = 0; i < h->n; i++) {
        int ends[2];
        machine[i] = (struct machine){0};
        if (is_here(h->list[i].name))
            machine_here(&machine[i]);
        else if (pipe2(ends, O_CLOEXEC) == 0) {
            pid[i] = start(agent, h->list[i].name, machine_question, ends[1]);
            from[i] = ends[0];
            close(ends[1]);
        }
        snprintf(machine[i].name, sizeof machine[i].name, "%.*s", MACHINE_TEXT - 1,
                 h->list[i].name);
    }
    collect(pid, answered, h->n);
    for (size_t i = 0; i < h->n; i++)
        if (from[i] > 0)
            take_answer(from[i], answered[i], &machine[i]);
    mem_free(from);
    mem_free(answered);
    mem_free(pid);
}
