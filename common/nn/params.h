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
enum param_init { PARAM_EMBEDDING, PARAM_MATRIX, PARAM_RESIDUAL, PARAM_ONE, PARAM_ZERO };

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

#endif
