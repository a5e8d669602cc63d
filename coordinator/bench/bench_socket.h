/* bench_socket.h - connections for `lockstep bench`: plain TCP sockets, blocking until a
 * transport takes them.
 *
 * File descriptors, or -1: logged. */
#ifndef COORDINATOR_BENCH_SOCKET_H
#define COORDINATOR_BENCH_SOCKET_H

#include <stddef.h>

/* Listens on a free port of @host; @address [size]: HOST:PORT. */
int bench_listen(const char *host, char *address, size_t size);
int bench_connect(const char *address);
/* The first who connects to @listening within @timeout_ms. */
int bench_accept(int listening, int timeout_ms);

#endif
