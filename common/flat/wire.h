/* wire.h - how partials are rounded, and the bytes they travel as.
 *
 *      float32     as they are
 *      bfloat16    their upper halves
 *      int8        blocks of WIRE_BLOCK elements: a byte each, and one for their unit
 *
 * Every node's value is rounded when it is formed, whether or not it travels
 * (treesum.h): wire_round() is a function of the values alone, and what is rounded
 * already it leaves as it is.  So a value that was packed and unpacked is, bit for bit,
 * the one that stayed.
 *
 * Blocks are those of the flat vector: x is a piece of it that begins where a block
 * begins, as ranges do, and ends where one ends or the vector does.
 *
 * Bytes may lie in the room of their floats: packed at its front, landed at its end,
 * neither overwrites what is not yet read.
 *
 * Pure functions, any thread.
 */
#ifndef FLAT_WIRE_H
#define FLAT_WIRE_H

#include <stddef.h>

#include "tensor/rows.h"

enum { WIRE_BLOCK = ROWS_BLOCK };

/* in the order of conf/choices.def */
enum wire { WIRE_IS_FLOAT32, WIRE_IS_BFLOAT16, WIRE_IS_INT8 };
enum { WIRES = 3 }; /* as many */

const char *wire_name(enum wire w);

void wire_round(enum wire w, float *x, size_t n); /* in place */

size_t wire_bytes(enum wire w, size_t n); /* of n packed elements; at most 4 n */
/* bytes [wire_bytes()] <- x [n], which is rounded already; @bytes may be @x. */
void wire_pack(enum wire w, void *bytes, const float *x, size_t n);
/* x [n] <- bytes, which may be wire_landing(). */
void wire_unpack(enum wire w, float *x, const void *bytes, size_t n);
/* Where in the room of x [n] its bytes may arrive; at no particular alignment. */
void *wire_landing(enum wire w, float *x, size_t n);

#endif
