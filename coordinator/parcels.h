/* parcels.h - parameters out, partials in, on the data lanes, range by range.
 *
 * Transfers to a worker are numbered per worker from 0 (net/transport.h); the doorbells
 * (Commit, Partial) carry the first number and a checksum per range.  A partial that has
 * come whole, with every checksum as announced, waits for the word whether it enters the
 * sum.
 *
 *      parcels_receive --all ranges are here--> on_arrived --+--> parcels_add
 *                                                            +--> parcels_drop
 *
 * Loop thread only.
 */
#ifndef COORDINATOR_PARCELS_H
#define COORDINATOR_PARCELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crew.h"
#include "base/tree.h"
#include "flat/range.h"
#include "flat/treesum.h"
#include "flat/wire.h"
#include "net/transport.h"

struct parcels;

/* A partial that is to be received. */
struct parcel {
    struct transport *lane;
    uint32_t lane_peer, first_transfer;
    const uint64_t *checksums; /* [ranges], copied */
    uint64_t partial;          /* its number */
    struct tree_node node;
};

/* @on_arrived: this partial is here (ERR_OK), or damaged (ERR_CORRUPT).  @crew, or NULL,
 * helps to add; borrowed. */
struct parcels *parcels_new(const struct ranges *ranges, uint32_t V, enum wire wire,
                            struct crew *crew,
                            void (*on_arrived)(void *ctx, uint64_t partial, int err),
                            void *ctx);
void parcels_free(struct parcels *p);

/* Partials that are added from now on are of a step of @V slices, up to those it was made
 * for; nothing waits for a sibling when that is another number. */
void parcels_slices(struct parcels *p, uint32_t V);

void parcels_receive(struct parcels *p, const struct parcel *what);
/* Into the sum, in place of what was added of its parts.  Returns the complete sum when
 * this was the last, else NULL; it is given back with parcels_give(). */
struct treesum_buffer *parcels_add(struct parcels *p, uint64_t partial);
void parcels_drop(struct parcels *p, uint64_t partial);
void parcels_give(struct parcels *p, struct treesum_buffer *root);
void parcels_reset(struct parcels *p); /* forget what waits for siblings */

/* @sent is called when @theta is not read any more: it has left, or the peer is
 * forgotten. */
void parcels_send(struct parcels *p, struct transport *lane, uint32_t lane_peer,
                  uint32_t first_transfer, const float *theta, void (*sent)(void *ctx),
                  void *ctx);

/* The peer's control channel has ended: nothing of or to it is waited for any more.  A
 * buffer into which the lane may still write is lost for good. */
void parcels_forget(struct parcels *p, struct transport *lane, uint32_t lane_peer);

#endif
