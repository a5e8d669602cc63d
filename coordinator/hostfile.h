/* hostfile.h - the hosts of a run, as `lockstep launch --hostfile` reads them.
 *
 *      # the machines of the second rack
 *      node07              one worker, which uses all cores of the machine
 *      node08 slots=2      two workers, half of the cores each
 *      node09 slots=4 max_slots=4
 *
 * The format is mpirun's; a host named twice has the slots of both lines.  The
 * coordinator is one process more on the first host.
 */
#ifndef COORDINATOR_HOSTFILE_H
#define COORDINATOR_HOSTFILE_H

#include <stdbool.h>
#include <stddef.h>

struct host {
    char *name;     /* owned */
    unsigned slots; /* workers */
    bool silent;    /* did not answer when it was last asked (probe.h) */
};

struct hosts {
    size_t n;
    struct host *list; /* owned */
};

/* ERR_NO_FILE, ERR_IO, ERR_TOO_BIG, or ERR_CONFIG for what is not understood; logged,
 * with file and line. */
int hostfile_read(const char *path, struct hosts *h);

/* The same of a text; @path is for messages. */
int hostfile_parse(const char *text, const char *path, struct hosts *h);
void hosts_fini(struct hosts *h);

/* Slots of all hosts, and of those that are not silent. */
unsigned hosts_slots(const struct hosts *h);
unsigned hosts_slots_left(const struct hosts *h);

/* The first that is not silent: the coordinator's.  NULL: none is left. */
const struct host *hosts_first(const struct hosts *h);

/* How many of @wanted workers to start on the hosts that are left: as many per slot as
 * before, at least one.  0 when no host is left. */
unsigned hosts_workers(const struct hosts *h, unsigned wanted);

/* mpirun's --host for those that are left: "a:3,b:2"; room for the coordinator on the
 * first.  To be freed with mem_free(). */
char *hosts_argument(const struct hosts *h);

#endif
