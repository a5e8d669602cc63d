/* transport.h - the data lane: ranges of parameters and partials between coordinator and
 * workers, as raw bytes, nonblocking.  The one vtable of the system.
 *
 *      mpi      Open MPI point-to-point, for ranks of one MPI world
 *      tcp      a connection per peer, for workers that are not in the coordinator's world
 *      memory   two ends in one process
 *
 * Transfers between two peers are numbered by the sender, 0 1 2 ...; the number reaches
 * the receiver by the control channel (the doorbell: Partial, Commit), and both ends name
 * it.  A transfer completes once, by its callback from the loop; callbacks of one peer
 * come in the order of posting.  Any number may be queued, one send and one receive per
 * peer are in flight.  Buffers belong to the transport until the callback.
 *
 * There is no cancel: every number that is announced is sent, and received in the order
 * of the numbers.  A transfer of another length than expected is logged and completes;
 * the checksum of its announcement tells.
 *
 * transport_forget(peer), called when the peer's control channel has ended: queued
 * transfers are dropped without callback, those in flight are parked: their buffers must
 * never be reused or freed (a stopped process may still write to them).  It says whether
 * there are any.  The peer stays forgotten: later transfers with it are ignored.
 *
 * Nothing spins: while a transfer is in flight the loop polls eagerly, backing off
 * from 20 us to 500 us when nothing moves; otherwise the process sleeps.
 *
 * Loop thread only.  The mpi transport assumes the rules of DESIGN section 4: MPI_Init
 * (THREAD_SINGLE on Open MPI 4), one thread making all MPI calls, SIGPIPE ignored.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

enum { TRANSPORT_BYTES_MAX = 1 << 30 }; /* per transfer */

typedef void transport_done(void *ctx, uint32_t peer, uint32_t transfer);

struct transport; /* private: vtable and state */

void transport_send(struct transport *t, uint32_t peer, uint32_t transfer,
                    const void *data, size_t bytes, transport_done *done, void *ctx);
void transport_receive(struct transport *t, uint32_t peer, uint32_t transfer, void *data,
                       size_t bytes, transport_done *done, void *ctx);
bool transport_forget(struct transport *t, uint32_t peer); /* true: buffers are parked */
bool transport_idle(const struct transport *t);
/* Bytes completed so far, for metrics. */
uint64_t transport_sent_bytes(const struct transport *t);
uint64_t transport_received_bytes(const struct transport *t);
void transport_free(struct transport *t);

/* Peers are ranks of the MPI world (net/world.h must be started). */
struct transport *transport_mpi(struct loop *l);
/* Peers are numbers that their owner chooses, up to TRANSPORT_TCP_PEERS.  @on_end, from
 * the loop: the connection of a peer has ended, or carried what was not expected; nothing
 * comes of its transfers, and its number is free after transport_forget().  Buffers are
 * not touched after that: none is ever parked. */
enum { TRANSPORT_TCP_PEERS = 1 << 20 };
struct transport *transport_tcp(struct loop *l, void (*on_end)(void *ctx, uint32_t peer),
                                void *ctx);
/* @fd: a connected socket, the transport's from now on.  The number is not in use. */
void transport_tcp_add(struct transport *t, uint32_t peer, int fd);

/* Two ends of one process; each names the other peer 0 (coordinator) or 1 (worker). */
void transport_memory(struct loop *l, struct transport **coordinator,
                      struct transport **worker);

#endif
