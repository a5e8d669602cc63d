#include "metrics/jsonl_read.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { LONGEST = 16 << 20, LINE_FIRST = 4096 }; /* bytes */

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

static bool understood(struct jsonl_line *line, const json_t *json)
{
    const char *event = json_string_value(json_object_get(json, "event"));
    const json_t *step = json_object_get(json, "step");
    if (!event || !*event || !json_is_integer(step) || json_integer_value(step) < 0)
        return false;
    *line = (struct jsonl_line){event, (uint64_t)json_integer_value(step), json};
    return true;
}

int jsonl_read(const char *path, bool (*take)(void *ctx, const struct jsonl_line *line),
               void *ctx, struct jsonl_bad *bad)
{
    struct reader r = {.in = fopen(path, "re")};
    if (!r.in) {
        log_error("could not open %s: %s", path, strerror(errno));
        return err_from_errno(errno);
    }
    *bad = (struct jsonl_bad){0};
    for (uint64_t at = 1; next_line(&r); at++) {
        json_t *json =
            r.too_long || r.bytes == 0 ? NULL : json_loadb(r.line, r.bytes, 0, NULL);
        struct jsonl_line line;
        if (!(understood(&line, json) && take(ctx, &line)) && bad->n++ == 0)
            bad->first = at;
        json_decref(json);
    }
    const int failed = ferror(r.in) ? errno : 0;
    fclose(r.in);
    mem_free(r.line);
    if (!failed)
        return ERR_OK;
    log_error("could not read %s: %s", path, strerror(failed));
    return ERR_IO;
}

double jsonl_number(const json_t *of, const char *key)
{
    const json_t *x = json_object_get(of, key);
    return json_is_number(x) ? json_number_value(x) : NAN;
}
