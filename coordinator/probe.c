#include "coordinator/probe.h"

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

enum { POLL_MS = 10, MOST_WORDS = 32 };

static bool is_here(const char *name)
{
    char here[256] = "";
    gethostname(here, sizeof here - 1);
    return strcmp(name, here) == 0 || strcmp(name, "localhost") == 0;
}

/* In the child.  What the remote shell has to say is not what the person asked for. */
static void ask(const char *agent, const char *host)
{
    char *words = mem_strdup(agent), *rest = words;
    const char *list[MOST_WORDS + 3];
    size_t n = 0;
    for (char *word; n < MOST_WORDS && (word = strtok_r(rest, " ", &rest));)
        list[n++] = word;
    list[n++] = host;
    list[n++] = "true";
    list[n] = NULL;
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    setpgid(0, 0);
    execvp(list[0], (char *const *)list);
    _exit(127);
}

static pid_t start(const char *agent, const char *host)
{
    const pid_t pid = fork();
    if (pid == 0)
        ask(agent, host);
    return pid;
}

/* Takes who has ended; how many have not. */
static size_t collect(struct hosts *h, pid_t *pid)
{
    size_t left = 0;
    for (size_t i = 0; i < h->n; i++) {
        int status;
        if (pid[i] <= 0)
            continue;
        if (waitpid(pid[i], &status, WNOHANG) != pid[i]) {
            left++;
            continue;
        }
        pid[i] = 0;
        h->list[i].silent = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return left;
}

static void give_up(const struct hosts *h, const pid_t *pid)
{
    for (size_t i = 0; i < h->n; i++)
        if (pid[i] > 0) {
            kill(-pid[i], SIGKILL);
            kill(pid[i], SIGKILL); /* before it had a group of its own */
            waitpid(pid[i], NULL, 0);
        }
}

void probe_hosts(struct hosts *h, const char *agent)
{
    pid_t *pid = mem_zalloc(h->n * sizeof *pid);
    const double end = clock_seconds() + PROBE_S;
    for (size_t i = 0; i < h->n; i++) {
        h->list[i].silent = !is_here(h->list[i].name);
        if (h->list[i].silent)
            pid[i] = start(agent, h->list[i].name);
    }
    while (collect(h, pid) > 0 && clock_seconds() < end)
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
    give_up(h, pid);
    mem_free(pid);
    for (size_t i = 0; i < h->n; i++)
        if (h->list[i].silent)
            log_warn("host %s does not answer '%s %s true'; it is left out",
                     h->list[i].name, agent, h->list[i].name);
}
