/* rows_kernels.h - the source of the row kernels, compiled once per instruction set by
 * rows_v2.c, rows_v3.c and rows_v4.c with their own compiler flags.  In reading order.
 *
 * The rule of all of it: the bits of a result follow from the source and from whether
 * the set has a fused multiply-add, not from what a compiler makes of the loops: see
 * muladd.h and lanes.h.
 */
#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tensor/rows_table.h"

#include "tensor/lanes.h"
#include "tensor/vector_math.h"

#include "tensor/rows_plain.h"
#include "tensor/rows_int8.h"
#include "tensor/rows_norm.h"
#include "tensor/rows_activation.h"
#include "tensor/rows_softmax.h"
#include "tensor/rows_dropout.h"
#include "tensor/rows_attend.h"
#include "tensor/rows_update.h"

const struct rows_table ROWS_TABLE = {
#define ROW(result, name, parameters, arguments) .name = name,
#include "tensor/rows.def"
#undef ROW
};
