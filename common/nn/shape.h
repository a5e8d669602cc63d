/* shape.h - the letters used for dimensions, everywhere: in code, comments and formulas.
 */
#ifndef NN_SHAPE_H
#define NN_SHAPE_H

#include <stddef.h>

struct shape {
    size_t L; /* layers */
    size_t H; /* query heads */
    size_t G; /* key/value heads; H / G query heads share one */
    size_t C; /* channels of the residual stream */
    size_t D; /* channels of a head: C / H */
    size_t F; /* hidden width of the feed-forward part */
    size_t V; /* vocabulary */
    size_t T; /* context */
    /* B: sequences of a batch or slice; N = B * T: rows */
};

#endif
