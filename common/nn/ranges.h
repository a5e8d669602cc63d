/* ranges.h - how the flat vector of a model is cut for transfer and update: a layer is a
 * range, very small layers joined, very large ones cut (flat/range.h). */
#ifndef NN_RANGES_H
#define NN_RANGES_H

#include "flat/range.h"
#include "nn/transformer.h"

void transformer_ranges(const struct transformer *t, struct ranges *r);

#endif
