/* orphan.h - Open MPI's daemon (orted) on a host that was cut off.
 *
 * It ends when its connection to mpirun does.  TCP's keep-alive finds that out in seconds,
 * but not while something that was sent is not acknowledged, as the last words of the
 * ranks: Linux then repeats it for a quarter of an hour (tcp(7), tcp_retries2), and Open
 * MPI 4 has no option for TCP_USER_TIMEOUT.  So the last rank of ours that ends without
 * its peers leaves a small process behind that sees to it.
 */
#ifndef NET_ORPHAN_H
#define NET_ORPHAN_H

#include <sys/types.h>

/* If an orted started this process, starts `lockstep orphan` for it, with no file of ours
 * open and in a session of its own. */
void orphan_begin(void);

/* Until the daemon has ended; ends it when it has no ranks any more and repeats what it
 * sends, unanswered, for the ORPHAN_REPEATS-th time (after 6 s).  Gives up after
 * ORPHAN_WAIT_S. */
enum { ORPHAN_REPEATS = 5, ORPHAN_WAIT_S = 1200 };
void orphan_watch(pid_t daemon);

#endif
