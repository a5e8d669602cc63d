#include "nn/params.h"

#include <assert.h>
#include <stdio.h>

/* --- layers -------------------------------------------------------------------------- */

size_t params_layers(const struct shape *s)
{
    return s->E ? s->E + s->L + 4 : s->L + 2;
}

struct layer params_layer(const struct shape *s, size_t layer)
{
    const size_t decoder = s->E ? s->E + 3 : 1;
    assert(layer < params_layers(s));
    if (layer == 0)
        return (struct layer){SECTION_EMBED, 0};
    if (layer >= decoder)
        return layer < decoder + s->L ? (struct layer){SECTION_DECODER, layer - decoder}
                                      : (struct layer){SECTION_HEAD, 0};
    if (layer == 1)
        return (struct layer){SECTION_SOURCE, 0};
    return layer < 2 + s->E ? (struct layer){SECTION_ENCODER, layer - 2}
                            : (struct layer){SECTION_MEMORY, 0};
}

/* --- rows ---------------------------------------------------------------------------- */

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

/* The rows of a section; they end with name NULL. */
enum { ROWS_MAX = 24 };
enum table { TABLE_EMBED, TABLE_SOURCE, TABLE_BLOCK, TABLE_MEMORY, TABLE_HEAD, TABLES };

static enum table table_of(enum section section)
{
    static const enum table tables[] = {
        [SECTION_EMBED] = TABLE_EMBED,   [SECTION_SOURCE] = TABLE_SOURCE,
        [SECTION_ENCODER] = TABLE_BLOCK, [SECTION_MEMORY] = TABLE_MEMORY,
        [SECTION_DECODER] = TABLE_BLOCK, [SECTION_HEAD] = TABLE_HEAD};
    return tables[section];
}

static void list_rows(struct row out[ROWS_MAX], enum section section,
                      const struct conf_model *c, const struct shape *s)
{
    const bool cross = section == SECTION_DECODER && s->E > 0;
    const struct row rows[TABLES][ROWS_MAX] = {
        [TABLE_EMBED] =
            {
#define EMBED  ROW
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
            },
        [TABLE_SOURCE] =
            {
#define EMBED  NONE
#define SOURCE ROW
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
            },
        [TABLE_BLOCK] =
            {
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  ROW
#define MEMORY NONE
#define HEAD   NONE
#include "nn/params.def"
            },
        [TABLE_MEMORY] =
            {
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY ROW
#define HEAD   NONE
#include "nn/params.def"
            },
        [TABLE_HEAD] =
            {
#define EMBED  NONE
#define SOURCE NONE
#define BLOCK  NONE
#define MEMORY NONE
#define HEAD   ROW
#include "nn/params.def"
            },
    };
    const struct row *from = rows[table_of(section)];
    size_t i = 0;
    do {
        assert(i < ROWS_MAX);
        out[i] = from[i];
    } while (from[i++].name);
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

/* Layers of a section. */
static size_t section_layers(enum section section, const struct shape *s)
{
    if (section == SECTION_ENCODER)
        return s->E;
    if (section == SECTION_DECODER)
        return s->L;
    return section == SECTION_EMBED || section == SECTION_HEAD || s->E;
}

struct param_range params_range(const struct conf_model *c, const struct shape *s,
                                struct layer layer)
{
    size_t first = 0;
    assert(layer.block < section_layers(layer.section, s));
    for (enum section before = SECTION_EMBED; before < layer.section; before++)
        if (section_layers(before, s))
            first += section_layers(before, s) * section_count(before, c, s);
    const size_t count = section_count(layer.section, c, s);
    return (struct param_range){first + layer.block * count, count};
}

/* --- the list ---------------------------------------------------------------------- */

static void name_row(char name[PARAM_NAME], const char *row, struct layer of)
{
    if (of.section == SECTION_ENCODER)
        snprintf(name, PARAM_NAME, "encoder.layers.%zu.%s", of.block, row);
    else if (of.section == SECTION_DECODER)
        snprintf(name, PARAM_NAME, "layers.%zu.%s", of.block, row);
    else
        snprintf(name, PARAM_NAME, "%s", row);
}

static size_t list_layer(struct param_info *info, size_t layer,
                         const struct conf_model *c, const struct shape *s)
{
    struct row rows[ROWS_MAX];
    const struct layer of = params_layer(s, layer);
    list_rows(rows, of.section, c, s);
    size_t n = 0, first = params_range(c, s, of).first;
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
                                          .of = of,
                                          .init = r->init};
            name_row(info[n].name, r->name, of);
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
    for (size_t layer = 0; layer < params_layers(s); layer++)
        n += list_layer(info ? info + n : NULL, layer, c, s);
    return n;
}
