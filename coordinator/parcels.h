/* parcels.h - parameters out, partials in, on the data lane, range by range.
 *
 * Transfers to a worker are numbered per worker from 0 (net/transport.h); the doorbells
 * (Commit, Partial) carry the first number and a checksum per range.  A partial enters
 * the sum only when all of it has come and every checksum agrees.
 *
 * Parameters must not change while any worker still receives them: parcels_sending().
 *
 * Loop thread only.
 */
#ifndef COORDINATOR_PARCELS_H
#define COORDINATOR_PARCELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tree.h"
#include "flat/range.h"
#include "flat/treesum.h"
#include "net/transport.h"

struct parcels;

/* A partial that is being received. */
struct parcel {
    uint32_t lane_peer, first_transfer;
    const uint64_t *checksums; /* [ranges], copied */
    uint64_t lease;
    struct tree_node node;
    double loss;
    uint64_t targets;
    uint32_t peer;
};

/* @on_partial: this partial is here and has been added (ERR_OK), or is damaged
 * (ERR_CORRUPT). *root is the complete sum when this was the last, else NULL. */
struct parcels *parcels_new(struct transport *lane, const struct ranges *ranges,
                            uint32_t V, bool bfloat16,
                            void (*on_partial)(void *ctx, const struct parcel *p, int err,
                                               struct treesum_buffer *root),
                            void *ctx);
void parcels_free(struct parcels *p);

void parcels_receive(struct parcels *p, const struct parcel *what);
void parcels_give(struct parcels *p, struct treesum_buffer *root);
void parcels_reset(struct parcels *p); /* forget what waits for siblings */

/* Checksums of the parameters by range, for the doorbell: computed once per version.
 * [ranges], borrowed until the next call. */
const uint64_t *parcels_checksums(struct parcels *p, uint64_t version,
                                  const float *theta);
void parcels_send(struct parcels *p, uint32_t lane_peer, uint32_t first_transfer,
                  const float *theta, void (*sent)(void *ctx), void *ctx);
bool parcels_sending(const struct parcels *p);

/* The peer's control channel has ended: nothing of or to it is waited for any more. */
void parcels_forget(struct parcels *p, uint32_t lane_peer);

#endif
