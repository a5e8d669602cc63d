#include "doctor/course.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "metrics/jsonl_read.h"

/* --- room, by doubling --- */

static void *room(void *list, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return list;
    return mem_resize(list, mem_mul(n ? 2 * n : 1, size));
}

static void drop_statistics(struct course_statistics *s)
{
    mem_free(s->tensor);
    mem_free(s->block);
}

/* The run went back and makes @step again. */
static void drop_from(struct course *c, uint64_t step)
{
    while (c->steps > 0 && c->step[c->steps - 1].step >= step)
        c->steps--;
    while (c->evaluations > 0 && c->evaluation[c->evaluations - 1].step >= step)
        c->evaluations--;
    while (c->examined > 0 && c->statistics[c->examined - 1].step >= step)
        drop_statistics(&c->statistics[--c->examined]);
}

/* --- lines --- */

static const char *text(const json_t *of, const char *key)
{
    const char *t = json_string_value(json_object_get(of, key));
    return t ? t : "";
}

static bool take_step(struct course *c, const json_t *line, uint64_t step)
{
    drop_from(c, step);
    c->step = room(c->step, c->steps, sizeof *c->step);
    c->step[c->steps++] =
        (struct course_step){.step = step,
                             .loss = jsonl_number(line, "loss"),
                             .rate = jsonl_number(line, "learning_rate"),
                             .norm = jsonl_number(line, "gradient_norm"),
                             .clip = jsonl_number(line, "clip_coefficient"),
                             .tokens = jsonl_number(line, "tokens"),
                             .first_sample = jsonl_number(line, "first_sample"),
                             .last_sample = jsonl_number(line, "last_sample")};
    return true;
}

static bool take_evaluation(struct course *c, const json_t *line, uint64_t step)
{
    while (c->evaluations > 0 && c->evaluation[c->evaluations - 1].step >= step)
        c->evaluations--;
    c->evaluation = room(c->evaluation, c->evaluations, sizeof *c->evaluation);
    c->evaluation[c->evaluations++] =
        (struct course_evaluation){step, jsonl_number(line, "held_out_loss")};
    return true;
}

/* --- statistics --- */

static struct tensor_statistics tensor_of(const json_t *j)
{
    struct tensor_statistics s;
#define TENSOR(field, key, text) s.field = jsonl_number(j, key);
#include "metrics/statistics.def"
    return s;
}

static struct block_statistics block_of(const json_t *j)
{
    struct block_statistics s;
#define BLOCK(field, key, text) s.field = jsonl_number(j, key);
#include "metrics/statistics.def"
    return s;
}

static struct noise_statistics noise_of_line(const json_t *j)
{
    struct noise_statistics s;
#define NOISE(field, key, text) s.field = jsonl_number(j, key);
#include "metrics/statistics.def"
    return s;
}

static bool same_tensors(struct course *c, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (c->name == NULL && n > 0) {
        c->name = mem_alloc(mem_mul(n, sizeof *c->name));
        for (c->tensors = 0; c->tensors < n; c->tensors++)
            c->name[c->tensors] =
                mem_strdup(text(json_array_get(list, c->tensors), "name"));
    }
    bool same = n > 0 && n == c->tensors;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(text(json_array_get(list, i), "name"), c->name[i]) == 0;
    return same;
}

static struct course_block place_of(const json_t *j)
{
    struct course_block at = {"", 0};
    snprintf(at.stack, sizeof at.stack, "%s", text(j, "stack"));
    at.number = (uint64_t)json_integer_value(json_object_get(j, "block"));
    return at;
}

static bool same_blocks(struct course *c, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (c->at == NULL && n > 0) {
        c->at = mem_alloc(mem_mul(n, sizeof *c->at));
        for (c->blocks = 0; c->blocks < n; c->blocks++)
            c->at[c->blocks] = place_of(json_array_get(list, c->blocks));
    }
    bool same = n == 0 || n == c->blocks;
    for (size_t i = 0; same && i < n; i++) {
        const struct course_block at = place_of(json_array_get(list, i));
        same = strcmp(at.stack, c->at[i].stack) == 0 && at.number == c->at[i].number;
    }
    return same;
}

static bool take_statistics(struct course *c, const json_t *line, uint64_t step)
{
    const json_t *tensors = json_object_get(line, "tensors"),
                 *blocks = json_object_get(line, "blocks");
    if (!same_tensors(c, tensors) || !same_blocks(c, blocks))
        return false;
    while (c->examined > 0 && c->statistics[c->examined - 1].step >= step)
        drop_statistics(&c->statistics[--c->examined]);
    const size_t n = json_array_size(blocks);
    struct course_statistics s = {.step = step,
                                  .accuracy = jsonl_number(line, "accuracy"),
                                  .noise = noise_of_line(json_object_get(line, "noise"))};
    s.tensor = mem_alloc(mem_mul(c->tensors, sizeof *s.tensor));
    for (size_t i = 0; i < c->tensors; i++)
        s.tensor[i] = tensor_of(json_array_get(tensors, i));
    s.block = n > 0 ? mem_alloc(mem_mul(n, sizeof *s.block)) : NULL;
    for (size_t i = 0; i < n; i++)
        s.block[i] = block_of(json_array_get(blocks, i));
    c->statistics = room(c->statistics, c->examined, sizeof *c->statistics);
    c->statistics[c->examined++] = s;
    return true;
}

/* --- events --- */

/* A step that is made again is skipped again. */
static bool take_skipped(struct course *c, const json_t *line, uint64_t step)
{
    (void)line;
    if (c->skipped == 0 || step > c->last_skipped) {
        c->skipped++;
        c->last_skipped = step;
    }
    return true;
}

static bool take_start(struct course *c, const json_t *line, uint64_t step)
{
    (void)line;
    (void)step;
    mem_free(c->end);
    c->end = NULL;
    return true;
}

static bool take_end(struct course *c, const json_t *line, uint64_t step)
{
    take_start(c, line, step);
    c->end = mem_strdup(text(line, "text"));
    return true;
}

static const struct {
    const char *event;
    bool (*take)(struct course *c, const json_t *line, uint64_t step);
} events[] = {{"step", take_step},       {"evaluation", take_evaluation},
              {"skipped", take_skipped}, {"statistics", take_statistics},
              {"start", take_start},     {"end", take_end}};

/* Events that are not ours are right, and nothing. */
static bool take_line(void *ctx, const struct jsonl_line *line)
{
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(line->event, events[i].event) == 0)
            return events[i].take(ctx, line->json, line->step);
    return true;
}

int course_read(struct course *c, const char *path)
{
    *c = (struct course){0};
    struct jsonl_bad bad;
    const int err = jsonl_read(path, take_line, c, &bad);
    if (err) {
        course_fini(c);
        return err;
    }
    c->bad = bad.n;
    c->first_bad = bad.first;
    return ERR_OK;
}

void course_fini(struct course *c)
{
    for (size_t i = 0; i < c->examined; i++)
        drop_statistics(&c->statistics[i]);
    for (size_t i = 0; i < c->tensors; i++)
        mem_free(c->name[i]);
    mem_free(c->statistics);
    mem_free(c->name);
    mem_free(c->at);
    mem_free(c->step);
    mem_free(c->evaluation);
    mem_free(c->end);
    *c = (struct course){0};
}
