#include "nn/view.h"

#include <stdbool.h>

#include "nn/params.h"

/* Each row of the table puts one pointer in its place and moves on. */
static real *take(real **at, size_t rows, size_t cols, bool present)
{
    if (!present)
        return NULL;
    real *p = *at;
    *at += rows * (cols ? cols : 1);
    return p;
}

#define NONE(...)
#define TAKE(field, name, rows, cols, present, init)                                     \
    view.field = take(&at, rows, cols, present);

struct embed view_embed(const struct conf_model *c, const struct shape *s,
                        const real *vector)
{
    struct embed view = {0};
    real *at = (real *)vector;
#define EMBED TAKE
#define BLOCK NONE
#define HEAD  NONE
#include "nn/params.def"
    return view;
}

struct block view_block(const struct conf_model *c, const struct shape *s,
                        const real *vector, size_t l)
{
    struct block view = {0};
    real *at = (real *)vector + params_range(c, s, l + 1).first;
#define EMBED NONE
#define BLOCK TAKE
#define HEAD  NONE
#include "nn/params.def"
    return view;
}

struct head view_head(const struct conf_model *c, const struct shape *s,
                      const real *vector)
{
    struct head view = {0};
    real *at = (real *)vector + params_range(c, s, s->L + 1).first;
#define EMBED NONE
#define BLOCK NONE
#define HEAD  TAKE
#include "nn/params.def"
    if (!view.output)
        view.output = view_embed(c, s, vector).token;
    return view;
}
