/* params.h - every tensor of the model: its name, its place in the flat vector, its shape
 * (table: params.def).  Pointers to them: view.h. */
#ifndef NN_PARAMS_H
#define NN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "nn/shape.h"

enum { PARAM_NAME = 64 };

/* How a tensor starts: see params.def. */
enum param_init {
    PARAM_EMBEDDING,
    PARAM_MATRIX,
    PARAM_QUERY,
    PARAM_VALUE,
    PARAM_RESIDUAL,
    PARAM_ONE,
    PARAM_ZERO
};

/* Parts of the vector, in its order.  SOURCE, ENCODER and MEMORY are those of a model with
 * an encoder. */
enum section {
    SECTION_EMBED,
    SECTION_SOURCE,
    SECTION_ENCODER,
    SECTION_MEMORY,
    SECTION_DECODER,
    SECTION_HEAD
};

/* A section, or one block of those that have several: a layer, one range. */
struct layer {
    enum section section;
    size_t block; /* of its stack, from 0 */
};

struct param_info {
    char name[PARAM_NAME]; /* as in checkpoints: "layers.3.attention.qkv.weight" */
    size_t first;          /* element of the flat vector */
    size_t rows, cols; /* [rows, cols] row-major, a product's weights [out, in]; cols 0:
                          one-dimensional, [rows] */
    size_t count;
    bool decay;     /* weight decay applies: tensors with two dimensions */
    unsigned layer; /* number in the order of the vector */
    struct layer of;
    enum param_init init;
};

/* The range of one layer; count 0 for one without tensors (a head post-norm and tied). */
struct param_range {
    size_t first, count;
};

/* Layers of the model, and what number @layer is. */
size_t params_layers(const struct shape *s);
struct layer params_layer(const struct shape *s, size_t layer);

/* Tensors of the model; writes their rows to @info unless it is NULL. */
size_t params_list(struct param_info *info, const struct conf_model *c,
                   const struct shape *s);

struct param_range params_range(const struct conf_model *c, const struct shape *s,
                                struct layer layer);

#endif
