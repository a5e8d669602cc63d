#include "coordinator/mpirun.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

struct words {
    char **list;
    size_t n;
};

static void add(struct words *w, const char *word)
{
    w->list = mem_resize(w->list, (w->n + 2) * sizeof(char *));
    w->list[w->n++] = word ? mem_strdup(word) : NULL;
    w->list[w->n] = NULL;
}

static void add_number(struct words *w, const char *flag, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    add(w, flag);
    add(w, text);
}

static void add_setting(struct words *w, const char *name, const char *value)
{
    add(w, "--mca");
    add(w, name);
    add(w, value);
}

/* Unless the person who called has said otherwise. */
static void add_default(struct words *w, const struct mpirun_options *o, const char *name,
                        const char *value)
{
    for (size_t i = 0; i < o->n_settings; i++)
        if (strcmp(o->settings[i].name, name) == 0)
            return;
    add_setting(w, name, value);
}

static void words_free(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->list[i]);
    mem_free(w->list);
}

/* The settings that keep survivors running and cores unbound, each with its reason:
 * bindings of one or two ranks to a core each would leave compute threads on one core;
 * naming the transport saves 0.2 s of probing; ranks that wait must not hold a core. */
static void add_settings(struct words *w, const struct mpirun_options *o,
                         const struct mpirun *m)
{
    add_default(w, o, "pml", "ob1");
    add_default(w, o, "btl", "vader,tcp,self");
    add_default(w, o, "mpi_yield_when_idle", "1");
    if (*m->scratch)
        add_default(w, o, "btl_vader_backing_directory", m->scratch);
    for (size_t i = 0; i < o->n_settings; i++)
        add_setting(w, o->settings[i].name, o->settings[i].value);
}

/* Hosts are reached by the remote shell and by nothing else, in a Slurm job too, whose
 * own way of starting ends all when one is lost.  Their daemons are told of each other's
 * end by TCP alone: one that is cut off finds out after 2 + 3 * 1 s and ends, with its
 * ranks.  It must do so before one of its ranks ends, which our workers do after five
 * leases of silence: it would report that, and Linux asks nobody whether he lives while
 * something that was sent to him is not acknowledged, but repeats it for a quarter of an
 * hour. */
static void add_hosts(struct words *w, const struct mpirun_options *o, const char *self)
{
    char agent[PATH_MAX + 512];
    snprintf(agent, sizeof agent, "%s agent %s", self, o->agent);
    add(w, "--host");
    add(w, o->hosts);
    add(w, "--map-by");
    add(w, "node");
    add_default(w, o, "plm", "rsh");
    add_default(w, o, "plm_rsh_agent", agent);
    add_default(w, o, "plm_rsh_no_tree_spawn", "1");
    add_default(w, o, "ras", "^slurm");
    add_default(w, o, "oob_tcp_keepalive_time", "2");
    add_default(w, o, "oob_tcp_keepalive_intvl", "1");
    add_default(w, o, "oob_tcp_keepalive_probes", "3");
}

static void find_self(char self[PATH_MAX])
{
    const ssize_t length = readlink("/proc/self/exe", self, PATH_MAX - 1);
    if (length > 0)
        self[length] = '\0';
    else
        strcpy(self, "lockstep");
}

static void compose(struct words *w, const struct mpirun_options *o,
                    const struct mpirun *m)
{
    char self[PATH_MAX];
    find_self(self);
    add(w, "mpirun");
    add(w, "--enable-recovery");
    add(w, "--oversubscribe");
    add(w, "--bind-to");
    add(w, "none");
    add_settings(w, o, m);
    if (o->hosts)
        add_hosts(w, o, self);
    add_number(w, "-n", o->workers + 1);
    add(w, self);
    add(w, o->train);
    for (size_t i = 0; i < o->n; i++)
        add(w, o->words[i]);
}

static void print(const struct words *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const char *quote = strchr(w->list[i], ' ') ? "'" : "";
        fprintf(stderr, "%s%s%s%s", i ? " " : "", quote, w->list[i], quote);
    }
    fputc('\n', stderr);
}

static void make_scratch(struct mpirun *m, const struct mpirun_options *o)
{
    m->scratch[0] = '\0';
    if (o->hosts)
        return;
    snprintf(m->scratch, sizeof m->scratch, "/dev/shm/lockstep-%ld", (long)getpid());
    if (mkdir(m->scratch, 0700) != 0 && errno != EEXIST)
        m->scratch[0] = '\0'; /* mpirun then uses its own place */
}

int mpirun_start(struct mpirun *m, const struct mpirun_options *o)
{
    make_scratch(m, o);
    struct words w = {0};
    compose(&w, o, m);
    if (o->verbose)
        print(&w);
    fflush(NULL);
    m->pid = fork();
    if (m->pid == 0) {
        setpgid(0, 0); /* Ctrl-C reaches us alone; we pass on what we want */
        if (geteuid() == 0) {
            setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
            setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
        }
        execvp(w.list[0], w.list);
        _exit(127);
    }
    words_free(&w);
    if (m->pid < 0) {
        m->pid = 0;
        log_error("could not start mpirun: %s", strerror(errno));
        return ERR_IO;
    }
    return ERR_OK;
}

bool mpirun_ended(struct mpirun *m, int *status)
{
    assert(m->pid > 0);
    const pid_t pid = waitpid(m->pid, status, WNOHANG);
    if (pid == 0)
        return false;
    m->pid = 0;
    return true;
}

void mpirun_ask(const struct mpirun *m)
{
    if (m->pid > 0)
        kill(m->pid, SIGUSR1);
}

void mpirun_end(struct mpirun *m)
{
    int status;
    for (int tenth = 0; m->pid > 0 && tenth < 40; tenth++) {
        if (tenth == 0)
            kill(m->pid, SIGTERM);
        if (tenth == 20)
            kill(-m->pid, SIGKILL);
        if (!mpirun_ended(m, &status))
            nanosleep(&(struct timespec){0, 100000000}, NULL);
    }
}

void mpirun_clean(struct mpirun *m)
{
    if (*m->scratch)
        file_remove_tree(m->scratch);
    m->scratch[0] = '\0';
}
