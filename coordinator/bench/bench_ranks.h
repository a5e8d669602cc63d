/* bench_ranks.h - who is at the other end of the links that `lockstep bench` measures: a
 * thread of this process, or rank 1 of `mpirun -n 2`, reached by MPI and by TCP.
 *
 * While rank 0 measures its machine, rank 1 sleeps in its loop: it has nothing to poll.
 */
#ifndef COORDINATOR_BENCH_RANKS_H
#define COORDINATOR_BENCH_RANKS_H

#include "coordinator/bench/bench_link.h"
#include "net/world.h"

/* Over loopback, the other end being a thread: rows "tcp, loopback".  ERR_*, logged. */
int bench_loopback(struct bench *b);

/* Rank 0's way to rank 1. */
struct bench_ranks {
    struct loop *loop;
    struct transport *mpi, *tcp;
    int err; /* of the TCP connection, when it has ended */
};

/* Meets rank 1 in @timeout_s; @listen: as cluster.listen.  ERR_*, logged. */
int bench_ranks_open(struct bench_ranks *r, const struct world *w, const char *listen,
                     double timeout_s);
/* Rows "mpi", and "tcp, loopback" or, between two hosts, "tcp, network".  ERR_*, logged.
 */
int bench_ranks_measure(struct bench_ranks *r, struct bench *b, const struct world *w);
/* Rank 1 may go. */
void bench_ranks_close(struct bench_ranks *r, const struct bench *b);

/* Rank 1, until it may go.  The exit code; *clean: rank 0 said so. */
int bench_ranks_follow(const struct world *w, bool quick, double timeout_s, bool *clean);

#endif
