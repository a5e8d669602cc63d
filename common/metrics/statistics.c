#include "metrics/statistics.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "metrics/line.h"

void tensor_statistics_unknown(struct tensor_statistics *s)
{
#define TENSOR(field, ...) s->field = NAN;
#include "metrics/statistics.def"
}

void block_statistics_unknown(struct block_statistics *s)
{
#define BLOCK(field, ...) s->field = NAN;
#include "metrics/statistics.def"
}

void noise_statistics_unknown(struct noise_statistics *s)
{
#define NOISE(field, ...) s->field = NAN;
#include "metrics/statistics.def"
}

struct noise_statistics noise_of(double squares, double inverse, uint32_t slices,
                                 double norm, double tokens)
{
    struct noise_statistics n;
    noise_statistics_unknown(&n);
    n.step = norm * norm;
    if (slices < 2)
        return n;
    const double small = inverse / slices, big = 1 / tokens;
    n.slice = squares / slices;
    n.variance = (n.slice - n.step) / (small - big);
    n.signal = n.step - n.variance * big;
    if (n.signal > 0) {
        n.scale = n.variance / n.signal;
        n.ratio = n.scale / tokens;
    }
    return n;
}

/* --- the line -------------------------------------------------------------------------
 */

/* To six digits, which is what is printed of it then. */
static void add(json_t *to, const char *key, double x)
{
    char text[32];
    if (!isfinite(x))
        return;
    snprintf(text, sizeof text, "%.6g", x);
    json_object_set_new(to, key, json_real(strtod(text, NULL)));
}

static json_t *tensor(const char *name, const struct tensor_statistics *s)
{
    json_t *to = json_pack("{s:s}", "name", name);
#define TENSOR(field, key, text) add(to, key, s->field);
#include "metrics/statistics.def"
    return to;
}

static json_t *block(const char *stack, size_t l, const struct block_statistics *s)
{
    json_t *to = json_pack("{s:s, s:I}", "stack", stack, "block", (json_int_t)l);
#define BLOCK(field, key, text) add(to, key, s->field);
#include "metrics/statistics.def"
    return to;
}

static json_t *noise(const struct noise_statistics *s)
{
    json_t *to = json_object();
#define NOISE(field, key, text) add(to, key, s->field);
#include "metrics/statistics.def"
    return to;
}

void jsonl_statistics(struct jsonl *j, uint64_t step, const struct statistics *s)
{
    json_t *line = line_begin("statistics", step), *tensors = json_array(),
           *blocks = json_array();
    for (size_t i = 0; i < s->tensors; i++)
        json_array_append_new(tensors, tensor(s->name[i], &s->tensor[i]));
    for (size_t l = 0; l < s->encoder; l++)
        json_array_append_new(blocks, block("encoder", l, &s->block[l]));
    for (size_t l = 0; l < s->decoder; l++)
        json_array_append_new(blocks, block("decoder", l, &s->block[s->encoder + l]));
    json_object_set_new(line, "slice", json_integer(s->slice));
    add(line, "accuracy", s->accuracy);
    json_object_set_new(line, "noise", noise(&s->noise));
    json_object_set_new(line, "tensors", tensors);
    json_object_set_new(line, "blocks", blocks);
    line_write(j, line);
}
