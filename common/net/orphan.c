#include "net/orphan.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { POLL_MS = 100, ASKED_S = 2, TCP_ESTABLISHED = 1, TIMER_REPEATS = 1 };

/* --- processes, by /proc (proc(5)) --- */

struct process {
    char name[32], state;
    int parent;
    unsigned long long started; /* in ticks since boot: tells it from a later one */
};

static bool process_read(pid_t pid, struct process *p)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    const size_t n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = '\0';
    const char *open = strchr(text, '('), *shut = strrchr(text, ')');
    if (!open || !shut || shut < open)
        return false;
    snprintf(p->name, sizeof p->name, "%.*s", (int)(shut - open - 1), open + 1);
    return sscanf(shut + 1,
                  " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                  "%*d %*d %llu",
                  &p->state, &p->parent, &p->started) == 3;
}

/* Calls @see with the number each entry of @folder is named by, until it says true. */
static bool any_number(const char *folder, bool (*see)(int number, const void *ctx),
                       const void *ctx)
{
    DIR *dir = opendir(folder);
    bool seen = false;
    for (const struct dirent *e; dir && !seen && (e = readdir(dir));) {
        char *end;
        const long number = strtol(e->d_name, &end, 10);
        seen = end > e->d_name && *end == '\0' && see((int)number, ctx);
    }
    if (dir)
        closedir(dir);
    return seen;
}

static bool is_child(int pid, const void *ctx)
{
    struct process p;
    return process_read(pid, &p) && p.parent == *(const pid_t *)ctx && p.state != 'Z';
}

/* --- its connections --- */

struct socket {
    pid_t owner;
    unsigned long inode;
};

static bool is_socket(int fd, const void *ctx)
{
    const struct socket *s = ctx;
    char path[64], is[64], wanted[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)s->owner, fd);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", s->inode);
    const ssize_t n = readlink(path, is, sizeof is - 1);
    is[n > 0 ? n : 0] = '\0';
    return strcmp(is, wanted) == 0;
}

/* A line of /proc/net/tcp: is it a connection that repeats unanswered?  Its inode. */
static bool repeats(const char *line, unsigned long *inode)
{
    unsigned state, timer, times;
    return sscanf(line,
                  " %*d: %*[0-9A-F]:%*x %*[0-9A-F]:%*x %x %*x:%*x %x:%*x %x %*d %*d %lu",
                  &state, &timer, &times, inode) == 4 &&
           state == TCP_ESTABLISHED && timer == TIMER_REPEATS && times >= ORPHAN_REPEATS;
}

static bool is_cut_off(pid_t daemon)
{
    static const char *const tables[] = {"tcp", "tcp6"};
    char folder[64], path[64], line[512];
    bool cut = false;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)daemon);
    for (int i = 0; i < 2 && !cut; i++) {
        snprintf(path, sizeof path, "/proc/%d/net/%s", (int)daemon, tables[i]);
        FILE *in = fopen(path, "re");
        struct socket s = {.owner = daemon};
        while (in && !cut && fgets(line, sizeof line, in))
            cut = repeats(line, &s.inode) && any_number(folder, is_socket, &s);
        if (in)
            fclose(in);
    }
    return cut;
}

/* ---------------------------------------------------------------------------------- */

void orphan_watch(pid_t daemon)
{
    struct process first, now;
    if (!process_read(daemon, &first))
        return;
    const double start = clock_seconds();
    double asked = 0;
    while (clock_seconds() - start < ORPHAN_WAIT_S && process_read(daemon, &now) &&
           now.started == first.started && now.state != 'Z') {
        if (asked > 0 && clock_seconds() - asked > ASKED_S) {
            kill(daemon, SIGKILL);
        } else if (asked == 0 && !any_number("/proc", is_child, &daemon) &&
                   is_cut_off(daemon)) {
            kill(daemon, SIGTERM);
            asked = clock_seconds();
        }
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

/* In a child of a process with threads: what is called here may be. */
static void become_watcher(const char *self, char *pid)
{
    char name[] = "lockstep", command[] = "orphan";
    char *const words[] = {name, command, pid, NULL};
    if (setsid() < 0)
        _exit(127);
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd); /* the daemon waits until its ranks' pipes are closed */
    for (long fd = 3, n = sysconf(_SC_OPEN_MAX); fd < n; fd++)
        close((int)fd);
    execv(self, words);
    _exit(127);
}

void orphan_begin(void)
{
    struct process parent;
    char self[PATH_MAX], pid[16];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || !process_read(getppid(), &parent) || strcmp(parent.name, "orted") != 0)
        return;
    self[n] = '\0';
    snprintf(pid, sizeof pid, "%d", (int)getppid());
    if (fork() == 0)
        become_watcher(self, pid);
}
