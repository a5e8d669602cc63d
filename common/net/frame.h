/* frame.h - how messages are told apart in a stream of bytes.
 *
 *      magic "LKS1"   4 bytes
 *      length         u32, little-endian: bytes of the payload
 *      hash           u64, little-endian: XXH3-64 of the payload
 *      payload        one packed message (codec.h)
 *
 * A frame is valid when 1. the magic is right, 2. the length is at most the limit, 3. the
 * payload has the hash.  1 and 2 are found out before memory is reserved, and memory then
 * grows with what has arrived, not with what was promised.  After an error the stream has
 * no meaning any more: the connection is to be closed.
 *
 * Pure state: no clock, no socket, any thread.  Errors are returned, not logged: the
 * caller knows the peer.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_HEADER = 16,
    FRAME_MAX = 64 << 20 /* bytes of payload: leases carry tokens */
};

void frame_header(uint8_t header[FRAME_HEADER], const void *payload, size_t bytes);

struct frame_decoder {
    size_t limit; /* public: bytes of payload; counts from the next header on */
    /* private */
    uint8_t header[FRAME_HEADER];
    size_t header_bytes;
    size_t length; /* of the payload, once the header is complete */
    uint8_t *payload;
    size_t bytes, capacity;
};

void frame_decoder_init(struct frame_decoder *d, size_t limit);
void frame_decoder_fini(struct frame_decoder *d);

/* Takes bytes from *at, before @end, and moves *at past them.  A frame that became
 * complete is in *payload, valid until the next call; *payload is NULL when everything
 * was taken and the frame is not complete.  ERR_MALFORMED, ERR_TOO_BIG. */
int frame_decode(struct frame_decoder *d, const uint8_t **at, const uint8_t *end,
                 const uint8_t **payload, size_t *bytes);

/* In the middle of a frame? */
static inline bool frame_decoder_partial(const struct frame_decoder *d)
{
    return d->header_bytes > 0 &&
           (d->header_bytes < FRAME_HEADER || d->bytes < d->length);
}

#endif
