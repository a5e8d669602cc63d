#include "nn/params.h"

#include <assert.h>
#include <stdio.h>

/* One row of the table for a given model, before it has a place. */
struct row {
    const char *name;
    size_t rows, cols;
    bool present;
    enum param_init init;
};

#define NONE(...)
#define ROW(field, name, rows, cols, present, init)                                      \
    {name, rows, cols, present, PARAM_##init},

/* The rows of embeddings, of a block and of the head; each ends with name NULL. */
enum section { SECTION_EMBED, SECTION_BLOCK, SECTION_HEAD };
enum { ROWS_MAX = 16 };

static void list_rows(struct row out[ROWS_MAX], enum section section,
                      const struct conf_model *c, const struct shape *s)
{
    const struct row rows[3][ROWS_MAX] = {
        [SECTION_EMBED] =
            {
#define EMBED ROW
#define BLOCK NONE
#define HEAD  NONE
#include "nn/params.def"
            },
        [SECTION_BLOCK] =
            {
#define EMBED NONE
#define BLOCK ROW
#define HEAD  NONE
#include "nn/params.def"
            },
        [SECTION_HEAD] =
            {
#define EMBED NONE
#define BLOCK NONE
#define HEAD  ROW
#include "nn/params.def"
            },
    };
    size_t i = 0;
    do {
        assert(i < ROWS_MAX);
        out[i] = rows[section][i];
    } while (rows[section][i++].name);
}

static size_t row_count(const struct row *r)
{
    return r->present ? r->rows * (r->cols ? r->cols : 1) : 0;
}

static size_t section_count(enum section section, const struct conf_model *c,
                            const struct shape *s)
{
    struct row rows[ROWS_MAX];
    size_t count = 0;
    list_rows(rows, section, c, s);
    for (size_t i = 0; rows[i].name; i++)
        count += row_count(&rows[i]);
    return count;
}

static enum section section_of(size_t layer, const struct shape *s)
{
    return layer == 0 ? SECTION_EMBED : layer <= s->L ? SECTION_BLOCK : SECTION_HEAD;
}

struct param_range params_range(const struct conf_model *c, const struct shape *s,
                                size_t layer)
{
    assert(layer <= s->L + 1);
    size_t first = 0;
    if (layer > 0)
        first = section_count(SECTION_EMBED, c, s) +
                (layer - 1) * section_count(SECTION_BLOCK, c, s);
    return (struct param_range){first, section_count(section_of(layer, s), c, s)};
}

/* --- the list ---------------------------------------------------------------------- */

static size_t list_layer(struct param_info *info, size_t layer,
                         const struct conf_model *c, const struct shape *s)
{
    struct row rows[ROWS_MAX];
    list_rows(rows, section_of(layer, s), c, s);
    size_t n = 0, first = params_range(c, s, layer).first;
    for (size_t i = 0; rows[i].name; i++) {
        const struct row *r = &rows[i];
        if (!r->present)
            continue;
        if (info) {
            info[n] = (struct param_info){.first = first,
                                          .rows = r->rows,
                                          .cols = r->cols,
                                          .count = row_count(r),
                                          .decay = r->cols > 0,
                                          .layer = (unsigned)layer,
                                          .init = r->init};
            if (section_of(layer, s) == SECTION_BLOCK)
                snprintf(info[n].name, PARAM_NAME, "layers.%zu.%s", layer - 1, r->name);
            else
                snprintf(info[n].name, PARAM_NAME, "%s", r->name);
        }
        first += row_count(r);
        n++;
    }
    return n;
}

size_t params_list(struct param_info *info, const struct conf_model *c,
                   const struct shape *s)
{
    size_t n = 0;
    for (size_t layer = 0; layer <= s->L + 1; layer++)
        n += list_layer(info ? info + n : NULL, layer, c, s);
    return n;
}
