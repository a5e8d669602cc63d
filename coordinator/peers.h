/* peers.h - the connections of a coordinator: who is at the other end, and what number
 * the next transfer has in each direction.
 *
 * A peer is a member of the run once its Join was taken (worker != 0).  Strangers are
 * forgotten with their connection and their place is used again, so that a port that is
 * knocked at for weeks costs nothing; members stay until the end.
 *
 * Loop thread only.
 */
#ifndef COORDINATOR_PEERS_H
#define COORDINATOR_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "net/control.h"

struct peer {
    uint32_t id;                  /* its place, from 1 */
    struct channel *channel;      /* NULL: ended */
    struct transport *lane;       /* its data lane; of a member */
    uint32_t lane_peer;           /* its number there */
    uint32_t to_send, to_receive; /* numbers of the next transfers */
    uint64_t since_ms;
    uint64_t incarnation;
    uint32_t rank;   /* in the MPI world, as it says; 0: not in ours */
    uint32_t worker; /* 0: a stranger */
    char name[128];  /* "node7 pid 4711"; nothing in it that moves a cursor */
};

struct peers {
    struct peer **list; /* [n] by id - 1; NULL: free */
    size_t n, room;
};

void peers_fini(struct peers *p);

/* @c borrowed until it has ended. */
struct peer *peers_add(struct peers *p, struct channel *c, uint64_t now_ms);
struct peer *peers_get(const struct peers *p, uint32_t id); /* must be there */
void peers_remove(struct peers *p, struct peer *one);

/* Keeps what a Join says of its sender. */
void peer_introduce(struct peer *one, const struct message *join);

#endif
