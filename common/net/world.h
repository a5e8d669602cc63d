/* world.h - the MPI world: who started us, and one handshake.
 *
 * MPI is used for launching, for handing out the coordinator's address once, and for the
 * data lane; never to detect anything and never in a way that can block: the handshake is
 * nonblocking and has a deadline.
 *
 * Without mpirun, MPI is not initialised at all and the world has size 1.
 */
#ifndef NET_WORLD_H
#define NET_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/auth.h"

struct world {
    uint32_t rank, size; /* size 1: no mpirun, or mpirun -n 1 */
    uint32_t local_size; /* ranks on this machine */
    bool mpi;            /* MPI is initialised */
    bool one_host;       /* all ranks are on this machine */
};

/* What rank 0 hands to the others: either where to go or that there is nothing to do. */
struct world_verdict {
    uint32_t exit_code; /* when there is nothing to do: leave with it */
    char address[304];  /* of the control channel; "": nothing to do */
    uint8_t token[AUTH_TOKEN];
};

/* Rank and size from the launcher's environment alone, before MPI_Init (rank 0, size 1
 * when there is none): who may speak on the terminal. */
void world_peek(struct world *w);

/* Initialises MPI when started by mpirun (environment of Open MPI / PMIx).  Call from the
 * thread that will run the loop.  Ignores SIGPIPE. */
int world_start(struct world *w);

/* Rank 0: to every other rank.  Waits at most @timeout_s for all to take it. */
int world_announce(const struct world *w, const struct world_verdict *v,
                   double timeout_s);
/* The others.  ERR_TIMEOUT, logged, when rank 0 says nothing for @timeout_s. */
int world_await(const struct world *w, struct world_verdict *v, double timeout_s);

/* Leaves with @exit_code: MPI_Finalize when nobody died (@clean), else _exit() at once.
 * A deadline of 5 s ends the process should MPI_Finalize hang.  Does not return. */
_Noreturn void world_exit(const struct world *w, int exit_code, bool clean);

#endif
