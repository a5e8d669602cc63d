#include "coordinator/scale/scaling_log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "metrics/jsonl_read.h"

enum { HOST = 64, WORKERS_MAX = 4095 };

/* A worker as the log has it: "worker 2 (node07 pid 4711) computed at 3.1 slices/s, ..."
 */
struct teller {
    unsigned worker;
    char name[SCALING_NAME];
    const char *says; /* behind the bracket */
};

struct reading {
    struct scaling_length length;
    struct scaling_run *run;
    char *why;
    char (*host)[HOST]; /* [joined] of the workers before the start */
    unsigned joined, starts;
    uint64_t steps; /* so far */
    double tokens, flops, share,
        rate; /* tokens: of the measured ones; others: last step */
};

/* The first thing that is wrong is what is said. */
static void wrong(struct reading *r, const char *what)
{
    if (!*r->why)
        snprintf(r->why, SCALING_WHY, "%s", what);
}

/* Anybody can join under any name; it will stand in tables. */
static bool understand(const char *text, struct teller *t)
{
    int end = 0;
    if (sscanf(text, "worker %u (%63[^)])%n", &t->worker, t->name, &end) != 2 || end == 0)
        return false;
    for (char *c = t->name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(" -._", *c))
            *c = '?';
    t->says = text + end + strspn(text + end, " ");
    return true;
}

static void take_joined(struct reading *r, const struct teller *t)
{
    if (r->starts > 0 || r->joined == WORKERS_MAX)
        return;
    r->host = mem_resize(r->host, (r->joined + 1) * sizeof *r->host);
    snprintf(r->host[r->joined++], HOST, "%.*s", (int)strcspn(t->name, " "), t->name);
}

static void take_speed(struct reading *r, const struct teller *t)
{
    double speed, median;
    struct scaling_slow *slow = &r->run->slow;
    if (sscanf(t->says, "computed at %lf slices/s, the median is %lf", &speed, &median) !=
            2 ||
        !(speed > 0 && median > 0) || (slow->worker && slow->share <= speed / median))
        return;
    slow->worker = t->worker;
    slow->share = speed / median;
    snprintf(slow->host, sizeof slow->host, "%s", t->name);
}

static void take_member(struct reading *r, const char *text)
{
    struct teller t;
    if (!understand(text, &t))
        return;
    if (strncmp(t.says, "joined", 6) == 0)
        take_joined(r, &t);
    else if (strncmp(t.says, "computed at", 11) == 0)
        take_speed(r, &t);
    else if (strncmp(t.says, "is slow", 7) != 0 && strncmp(t.says, "gave a", 6) != 0 &&
             r->steps < r->length.warm_up + r->length.steps)
        wrong(r, text);
}

static void take_start(struct reading *r, const char *text)
{
    char what[SCALING_WHY];
    const unsigned long workers = strtoul(text, NULL, 10);
    if (r->starts++ > 0)
        wrong(r, "it was lost and started again");
    snprintf(what, sizeof what, "it began with %lu of %u workers", workers,
             r->run->workers);
    if (workers != r->run->workers)
        wrong(r, what);
}

static void take_step(struct reading *r, const struct jsonl_line *line)
{
    const struct roofline_step s = {.computing = jsonl_number(line->json, "computing"),
                                    .gathering = jsonl_number(line->json, "gathering"),
                                    .updating = jsonl_number(line->json, "updating"),
                                    .received = jsonl_number(line->json, "received"),
                                    .sent = jsonl_number(line->json, "sent")};
    const double tokens = jsonl_number(line->json, "tokens");
    struct roofline_step *sum = &r->run->step;
    if (line->step != ++r->steps || !(s.computing >= 0 && s.gathering >= 0) ||
        !(s.updating >= 0 && s.received >= 0 && s.sent >= 0 && tokens >= 0)) {
        wrong(r, "its steps do not follow each other");
        return;
    }
    r->flops = jsonl_number(line->json, "flops");
    r->share = jsonl_number(line->json, "flops_share");
    r->rate = jsonl_number(line->json, "tokens_per_second");
    if (r->steps <= r->length.warm_up)
        return;
    r->tokens += tokens;
    sum->computing += s.computing;
    sum->gathering += s.gathering;
    sum->updating += s.updating;
    sum->received += s.received;
    sum->sent += s.sent;
}

static bool take_line(void *ctx, const struct jsonl_line *line)
{
    struct reading *r = ctx;
    const json_t *json_text = json_object_get(line->json, "text");
    const char *text = json_is_string(json_text) ? json_string_value(json_text) : "";
    if (strcmp(line->event, "step") == 0)
        take_step(r, line);
    else if (strcmp(line->event, "start") == 0)
        take_start(r, text);
    else if (strcmp(line->event, "member") == 0)
        take_member(r, text);
    return true;
}

static unsigned most_on_host(const struct reading *r)
{
    unsigned most = 0;
    for (unsigned i = 0; i < r->joined; i++) {
        unsigned same = 0;
        for (unsigned j = 0; j < r->joined; j++)
            same += strcmp(r->host[i], r->host[j]) == 0;
        most = same > most ? same : most;
    }
    return most;
}

static void conclude(struct reading *r, unsigned threads)
{
    struct scaling_run *run = r->run;
    struct roofline_step *s = &run->step;
    const double steps = (double)r->length.steps,
                 seconds = s->computing + s->gathering + s->updating;
    if (r->joined < run->workers)
        wrong(r, "its log does not say who its workers were");
    if (r->starts == 0 || r->steps != r->length.warm_up + r->length.steps ||
        !(seconds > 0 && r->tokens > 0))
        wrong(r, "it has not made all of its steps");
    run->tokens_per_second = r->tokens / seconds;
    *s =
        (struct roofline_step){s->computing / steps, s->gathering / steps,
                               s->updating / steps, s->received / steps, s->sent / steps};
    run->flops_per_token = r->flops / r->rate;
    run->thread_flops = r->flops / r->share / ((double)run->workers * threads);
    run->most_on_host = most_on_host(r);
}

int scaling_log_read(const char *path, struct scaling_length length, unsigned threads,
                     struct scaling_run *run, char why[SCALING_WHY])
{
    struct jsonl_bad bad;
    struct reading r = {.length = length, .run = run, .why = why};
    *why = '\0';
    run->step = (struct roofline_step){0};
    run->slow = (struct scaling_slow){0};
    const int err = jsonl_read(path, take_line, &r, &bad);
    if (!err)
        conclude(&r, threads);
    mem_free(r.host);
    TRY(err);
    return *why ? ERR_DATA : ERR_OK;
}
