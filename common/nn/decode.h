/* decode.h - generation: a model reads several rows, one token of each at a time, and
 * says what it expects next.
 *
 *      struct decoder *d = decoder_new(&t, rows, source_rows);
 *      decoder_begin(d, theta, B, lengths, sources);
 *      logits = decoder_step(d, theta, tokens);     [R,V] <- one token for each of R rows
 *      decoder_select(d, parents, n);               rows go on from others, end, part
 *
 * A row is a sequence that is being written.  What it has read is kept as keys and values
 * of each block, so that a step computes the new token alone.  All rows have read the
 * same number of tokens, at most the context.  With an encoder each row has a source,
 * read whole by decoder_begin(), whose keys and values are kept, too; rows of one source
 * that stand side by side look at it together.
 *
 * What a row is told is what transformer_logits() says of it, to rounding: the shape of a
 * product, and so its last bits, depend on the number of rows.  The same calls give the
 * same bits.
 *
 * One thread at a time; a decoder each.  Memory grows with the tokens read.
 */
#ifndef NN_DECODE_H
#define NN_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "nn/transformer.h"
#include "tensor/real.h"

struct decoder;

/* @t is borrowed.  @source_rows: of all sources together; 0 without an encoder. */
struct decoder *decoder_new(const struct transformer *t, size_t rows, size_t source_rows);
void decoder_free(struct decoder *d);

/* B rows, 1 to @rows, which have read nothing.  With an encoder row b has source b:
 * length [B] of them, 1 to the context, and tokens [M], one source behind the other;
 * without, both are NULL. */
void decoder_begin(struct decoder *d, const real *theta, size_t B, const uint32_t *length,
                   const uint32_t *tokens);

/* Each row reads one more token: tokens [R].  Returns the logits [R,V] of the next,
 * borrowed until the next call.  When the context is full, the caller begins anew. */
const real *decoder_step(struct decoder *d, const real *theta, const uint32_t *tokens);

/* Row i of @n, 0 to @rows, goes on from what was row parents[i]. */
void decoder_select(struct decoder *d, const uint32_t *parents, size_t n);

size_t decoder_rows(const struct decoder *d);
size_t decoder_length(const struct decoder *d); /* tokens that each row has read */

#endif
