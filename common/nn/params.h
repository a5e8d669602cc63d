/* params.h - every tensor of the model: its name, its place in the flat vector, its shape
 * (table: params.def).
 *
 * A *view* is a structure of pointers into a vector that has the model's layout: weights
 * when the vector is theta, their gradients when it is grad.  Pointers of tensors that
 * the options leave out are NULL.  Views borrow the vector; they are made on the stack,
 * where they are needed, by walking the table.
 *
 * A view of theta is for reading although its pointers are not const: one structure
 * serves weights and gradients.
 */
#ifndef NN_PARAMS_H
#define NN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "nn/block.h"
#include "nn/embed.h"
#include "nn/loss.h"
#include "nn/shape.h"
#include "tensor/real.h"

enum { PARAM_NAME = 64 };

enum param_init { EMBEDDING, MATRIX, RESIDUAL, ONE, ZERO }; /* see params.def */

struct param_info {
    char name[PARAM_NAME]; /* as in checkpoints: "layers.3.attention.qkv.weight" */
    size_t first;          /* element of the flat vector */
    size_t rows, cols; /* [rows, cols] row-major, a product's weights [out, in]; cols 0:
                          one-dimensional, [rows] */
    size_t count;
    bool decay;     /* weight decay applies: tensors with two dimensions */
    unsigned layer; /* 0 embeddings, 1..L blocks, L+1 the head: one range each */
    enum param_init init;
};

/* The range of one layer; count 0 for a head without tensors (post-norm, tied). */
struct param_range {
    size_t first, count;
};

/* Tensors of the model; writes their rows to @info unless it is NULL. */
size_t params_list(struct param_info *info, const struct conf_model *c,
                   const struct shape *s);

struct param_range params_range(const struct conf_model *c, const struct shape *s,
                                size_t layer);

struct embed params_embed(const struct conf_model *c, const struct shape *s,
                          const real *vector);
struct block params_block(const struct conf_model *c, const struct shape *s,
                          const real *vector, size_t l); /* l: 0..L-1 */
/* With tied embeddings head.output is the token embedding. */
struct head params_head(const struct conf_model *c, const struct shape *s,
                        const real *vector);

#endif
