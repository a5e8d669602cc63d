/* params.h - every tensor of the model: its name, its place in the flat vector, its shape
 * (table: params.def). */
#ifndef NN_PARAMS_H
#define NN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

enum { PARAM_NAME = 64 };

struct param_info {
    char name[PARAM_NAME]; /* as in checkpoints: "layers.3.attention.query.weight" */
    size_t first;          /* element of the flat vector */
    size_t rows, cols; /* [rows, cols] row-major, a product's weights [out, in]; cols 0:
                          one-dimensional, [rows] */
    size_t count;
    bool decay;     /* weight decay applies: tensors with two dimensions */
    unsigned layer; /* 0 embeddings, 1..L blocks, L+1 the head: one range each */
};

#endif
