#include "nn/view.h"

#include <stdbool.h>

/* Each row of the table puts one pointer in its place and moves on. */
static real *take(real **at, size_t rows, size_t cols, bool present)
{
    if (!present)
        return NULL;
    real *p = *at;
    *at += rows * (cols ? cols : 1);
    return p;
}

static real *start(const struct conf_model *c, const struct shape *s, const real *vector,
                   enum section section, size_t block)
{
    return (real *)vector + params_range(c, s, (struct layer){section, block}).first;
}

#define NONE(...)
#define TAKE(field, name, rows, cols, present, init)                                     \
    view.field = take(&at, rows, cols, present);

struct embed view_embed(const struct conf_model *c, const struct shape *s,
                        const real *vector)
{
    struct embed view = {0};
    real *at = start(c, s, vector, SECTION_EMBED, 0);
#define EMBED  TAKE
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
    return view;
}

struct embed view_source(const struct conf_model *c, const struct shape *s,
                         const real *vector)
{
    struct embed view = {0};
    real *at = start(c, s, vector, SECTION_SOURCE, 0);
#define EMBED  NONE
#define SOURCE TAKE
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
    if (!view.token)
        view.token = view_embed(c, s, vector).token;
    return view;
}

struct block view_block(const struct conf_model *c, const struct shape *s,
                        const real *vector, enum section stack, size_t l)
{
    struct block view = {0};
    const bool cross = stack == SECTION_DECODER && s->E > 0;
    real *at = start(c, s, vector, stack, l);
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  TAKE
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
    return view;
}

struct norm view_memory(const struct conf_model *c, const struct shape *s,
                        const real *vector)
{
    struct norm view = {0};
    real *at = start(c, s, vector, SECTION_MEMORY, 0);
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY TAKE
#define HEAD   NONE
#include "nn/params.def"
    return view;
}

struct head view_head(const struct conf_model *c, const struct shape *s,
                      const real *vector)
{
    struct head view = {0};
    real *at = start(c, s, vector, SECTION_HEAD, 0);
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   TAKE
#include "nn/params.def"
    if (!view.output)
        view.output = view_embed(c, s, vector).token;
    return view;
}
