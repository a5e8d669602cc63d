#include "metrics/history.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { LONGEST = 16 << 20, LINE_FIRST = 4096, POINTS_FIRST = 256 }; /* bytes, points */

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

/* --- lines --- */

struct reader {
    FILE *in;
    char *line;
    size_t bytes, room;
    bool too_long; /* the line has bytes that were not kept */
};

/* False at the end of what is whole. */
static bool next_line(struct reader *r)
{
    r->bytes = 0;
    r->too_long = false;
    for (int c; (c = getc_unlocked(r->in)) != '\n';) {
        if (c == EOF)
            return false;
        if (r->bytes == LONGEST) {
            r->too_long = true;
            continue;
        }
        if (r->bytes == r->room) {
            r->room = r->room ? 2 * r->room : LINE_FIRST;
            r->line = mem_resize(r->line, r->room);
        }
        r->line[r->bytes++] = (char)c;
    }
    return true;
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

static double number(const json_t *line, const char *key)
{
    const json_t *x = json_object_get(line, key);
    return json_is_number(x) ? json_number_value(x) : NAN;
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

static bool take_line(struct reading *r, const json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    const json_t *step = json_object_get(line, "step"),
                 *value = json_object_get(line, r->key);
    const double time = number(line, "time");
    if (!event || !json_is_integer(step) || json_integer_value(step) < 0 || isnan(time))
        return false;
    const uint64_t s = (uint64_t)json_integer_value(step);
    const bool is_step = strcmp(event, "step") == 0;
    if (value || is_step)
        drop_from(r->h, s);
    if (value)
        add(r, s, number(line, r->key));
    r->h->last_step = s;
    take_time(r, event, time, is_step ? number(line, "tokens") : NAN);
    return true;
}

static void read_lines(struct reading *r, struct reader *in)
{
    for (uint64_t line = 1; next_line(in); line++) {
        json_t *json = in->too_long || in->bytes == 0
                           ? NULL
                           : json_loadb(in->line, in->bytes, 0, NULL);
        if (!take_line(r, json) && r->h->bad++ == 0)
            r->h->first_bad = line;
        json_decref(json);
    }
}

int history_read(struct history *h, const char *path, const struct history_metric *m)
{
    struct reader in = {.in = fopen(path, "re")};
    if (!in.in) {
        log_error("could not open %s: %s", path, strerror(errno));
        return err_from_errno(errno);
    }
    *h = (struct history){0};
    struct reading r = {.h = h, .key = m->key, .time = NAN};
    read_lines(&r, &in);
    h->tokens_per_second = r.step_seconds > 0 ? r.tokens / r.step_seconds : NAN;
    const int failed = ferror(in.in) ? errno : 0;
    fclose(in.in);
    mem_free(in.line);
    if (!failed)
        return ERR_OK;
    log_error("could not read %s: %s", path, strerror(failed));
    history_fini(h);
    return ERR_IO;
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
