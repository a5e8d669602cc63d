/* shape.h - the letters used for dimensions, everywhere: in code, comments and formulas.
 */
#ifndef NN_SHAPE_H
#define NN_SHAPE_H

#include <stddef.h>

struct shape {
    size_t E; /* blocks of the encoder; 0: there is none */
    size_t L; /* blocks of the decoder */
    size_t H; /* query heads */
    size_t G; /* key/value heads; H / G query heads share one */
    size_t C; /* channels of the residual stream */
    size_t D; /* channels of a head: C / H */
    size_t F; /* hidden width of the feed-forward part */
    size_t V; /* vocabulary */
    size_t T; /* context */
    /* B: sequences of a slice; N: their rows */
};

#endif
