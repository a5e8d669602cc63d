#include "metrics/history.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "metrics/jsonl_read.h"

enum { POINTS_FIRST = 256 };

#define METRIC(field, key, unit, text) {key, unit, text},
const struct history_metric history_metrics[] = {
#include "metrics/metrics.def"
};
#undef METRIC

const size_t history_metrics_n = sizeof history_metrics / sizeof *history_metrics;

static const char *const low[] = {"loss",          "perplexity",   "seconds",
                                  "held_out_loss", "seconds_left", "bits_per_byte"};

const struct history_metric *history_metric(const char *key)
{
    for (size_t i = 0; i < history_metrics_n; i++)
        if (strcmp(key, history_metrics[i].key) == 0)
            return &history_metrics[i];
    return NULL;
}

bool history_wants_low(const struct history_metric *m)
{
    for (size_t i = 0; i < sizeof low / sizeof *low; i++)
        if (strcmp(m->key, low[i]) == 0)
            return true;
    return false;
}

/* --- the run --- */

struct reading {
    struct history *h;
    const char *key;
    size_t room;
    double time; /* of the line before; NAN: none, or the run was not up */
    double tokens, step_seconds; /* of steps */
};

static void drop_from(struct history *h, uint64_t step)
{
    while (h->n > 0 && h->step[h->n - 1] >= step)
        h->n--;
}

static void add(struct reading *r, uint64_t step, double value)
{
    struct history *h = r->h;
    if (h->n == r->room) {
        r->room = r->room ? 2 * r->room : POINTS_FIRST;
        h->step = mem_resize(h->step, mem_mul(r->room, sizeof *h->step));
        h->value = mem_resize(h->value, mem_mul(r->room, sizeof *h->value));
    }
    h->step[h->n] = step;
    h->value[h->n++] = value;
}

static void take_time(struct reading *r, const char *event, double time, double tokens)
{
    /* a clock may be set back, and between the end of a process and the next nobody
     * works */
    const double took = strcmp(event, "start") == 0 ? NAN : time - r->time;
    r->time = time;
    if (!(took >= 0))
        return;
    r->h->seconds += took;
    if (tokens >= 0) {
        r->tokens += tokens;
        r->step_seconds += took;
    }
}

static bool take_line(void *ctx, const struct jsonl_line *line)
{
    struct reading *r = ctx;
    const json_t *value = json_object_get(line->json, r->key);
    const double time = jsonl_number(line->json, "time");
    if (isnan(time))
        return false;
    const bool is_step = strcmp(line->event, "step") == 0;
    if (value || is_step)
        drop_from(r->h, line->step);
    if (value)
        add(r, line->step, jsonl_number(line->json, r->key));
    r->h->last_step = line->step;
    take_time(r, line->event, time, is_step ? jsonl_number(line->json, "tokens") : NAN);
    return true;
}

int history_read(struct history *h, const char *path, const struct history_metric *m)
{
    *h = (struct history){0};
    struct reading r = {.h = h, .key = m->key, .time = NAN};
    struct jsonl_bad bad;
    const int err = jsonl_read(path, take_line, &r, &bad);
    if (err) {
        history_fini(h);
        return err;
    }
    h->tokens_per_second = r.step_seconds > 0 ? r.tokens / r.step_seconds : NAN;
    h->bad = bad.n;
    h->first_bad = bad.first;
    return ERR_OK;
}

void history_fini(struct history *h)
{
    mem_free(h->step);
    mem_free(h->value);
    *h = (struct history){0};
}

size_t history_best(const struct history *h, const struct history_metric *m)
{
    const bool wants_low = history_wants_low(m);
    size_t best = h->n;
    for (size_t i = 0; i < h->n; i++)
        if (isfinite(h->value[i]) &&
            (best == h->n ||
             (wants_low ? h->value[i] < h->value[best] : h->value[i] > h->value[best])))
            best = i;
    return best;
}
