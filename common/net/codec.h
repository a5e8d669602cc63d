/* codec.h - messages to bytes and back (codec_pack.c, codec_unpack.c), which
 * alone know protobuf.
 *
 * What codec_unpack() accepts has been checked; nothing above it checks shapes again:
 *   1. exactly one kind, in the one encoding that codec_pack() gives it (a string with a
 *      zero inside, a field given twice: refused; unknown fields are skipped)
 *   2. strings are UTF-8, end, and have at most MESSAGE_TEXT_MAX bytes (the
 *      configuration MESSAGE_CONF_MAX)
 *   3. lease: 1 to MESSAGE_SLICES_MAX slices; each has at least one sequence, each
 *      sequence a length of at least 1, length + 1 tokens and a sample number; in slices
 *      with sources each also a source length of at least 1 and as many source tokens
 *   4. level < MESSAGE_LEVELS, and the node begins below MESSAGE_SLICES_MAX
 *   5. evaluated: as many targets as losses, at most MESSAGE_SLICES_MAX, and as many
 *      tokens as the lengths of the translations say; partial, commit:
 *      at most MESSAGE_RANGES_MAX checksums and MESSAGE_STATISTICS_MAX statistics
 *   6. revoke, released: slices below CHECK_BELOW
 *   7. doubles are finite, but for losses, squares, noise and statistics
 * Meaning (is this token below vocab?, is this lease mine?) is the owner's business.
 *
 * Unpacking reserves at most a multiple of the bytes received (budget.h).
 */
#ifndef NET_CODEC_H
#define NET_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "net/message.h"

/* The packed message behind @head free bytes; *bytes counts the message alone.  The
 * caller frees it with mem_free(). */
uint8_t *codec_pack(const struct message *m, size_t head, size_t *bytes);

/* Holds the last message unpacked. */
struct codec;
struct codec *codec_new(void);
/* For messages of at most @bytes, FRAME_MAX at first: none takes more than four times that
 * and 16 KiB, unpacked. */
void codec_limit(struct codec *c, size_t bytes);
void codec_free(struct codec *c);

/* *m borrows from @c until the next call.  ERR_MALFORMED, ERR_TOO_BIG, logged with @peer,
 * kind and field. */
int codec_unpack(struct codec *c, const char *peer, const void *bytes, size_t n,
                 struct message *m);

#endif
