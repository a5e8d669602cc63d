/* view.h - pointers to the tensors in a flat vector.
 *
 * A view is a layer's structure of pointers into a vector that has the model's layout:
 * its weights when the vector is theta, their gradients when it is grad.  Pointers of
 * tensors that the options leave out are NULL.  Views borrow the vector; they are made on
 * the stack, where they are needed, by walking the table params.def.
 *
 * A view of theta is for reading although its pointers are not const: one structure
 * serves weights and gradients.
 */
#ifndef NN_VIEW_H
#define NN_VIEW_H

#include <stddef.h>

#include "conf/conf.h"
#include "nn/block.h"
#include "nn/embed.h"
#include "nn/loss.h"
#include "nn/params.h"
#include "nn/shape.h"
#include "tensor/real.h"

struct embed view_embed(const struct conf_model *c, const struct shape *s,
                        const real *vector);
/* With shared_source its token embedding is the target's. */
struct embed view_source(const struct conf_model *c, const struct shape *s,
                         const real *vector);
/* Block @l of the encoder or the decoder: SECTION_ENCODER, SECTION_DECODER. */
struct block view_block(const struct conf_model *c, const struct shape *s,
                        const real *vector, enum section stack, size_t l);
/* The norm behind the encoder's blocks; without a gain there is none. */
struct norm view_memory(const struct conf_model *c, const struct shape *s,
                        const real *vector);
/* With tied embeddings head.output is the token embedding. */
struct head view_head(const struct conf_model *c, const struct shape *s,
                      const real *vector);

#endif
