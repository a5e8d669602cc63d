/* probe.h - which hosts of a run answer.
 *
 * Every host is asked by its remote shell to run `true`, all at once; who has not done so
 * with success in PROBE_S seconds is silent.  This machine is not asked.
 */
#ifndef COORDINATOR_PROBE_H
#define COORDINATOR_PROBE_H

#include "coordinator/hostfile.h"
#include "coordinator/machine.h"

enum { PROBE_S = 5 };

/* How hosts are reached where nobody says otherwise: ssh, which asks no questions. */
extern const char probe_agent[];

/* Sets `silent` of each host.  Names those in a warning that are.  @agent: the remote
 * shell with its arguments, separated by spaces, called as AGENT HOST COMMAND. */
void probe_hosts(struct hosts *h, const char *agent);

/* Whether @host answers in PROBE_S seconds, and process @pid is there; 0: whether it
 * answers. */
bool probe_process(const char *host, const char *agent, long pid);

/* What each host is: @machine [h->n]; cores 0: it does not answer.  Logs nothing. */
void probe_machines(const struct hosts *h, const char *agent, struct machine *machine);

#endif
