#include "data/sentences.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/* --- what is left out ----------------------------------------------------------------
 */

void sentences_leave_out(struct sentences *s, enum left_out_reason reason,
                         const struct sentence_pair *pair)
{
    struct left_out *l = &s->left_out[reason];
    const struct sentences_input *in = pair->input;
    if (l->n < LEFT_OUT_NAMED) {
        const bool target = reason == LEFT_OUT_EMPTY_TARGET && in->target;
        l->first[l->n].path = target ? in->target : in->source;
        l->first[l->n].line = pair->line;
    }
    l->n++;
}

static void report(const struct left_out *l, const char *why)
{
    enum { ROOM = 1024 };
    char places[ROOM] = "";
    const uint64_t named = l->n < LEFT_OUT_NAMED ? l->n : LEFT_OUT_NAMED;
    size_t at = 0;
    for (uint64_t i = 0; i < named && at < ROOM; i++)
        at += (size_t)snprintf(places + at, ROOM - at, "%s%s:%llu", i ? ", " : "",
                               l->first[i].path, (unsigned long long)l->first[i].line);
    log_warn("prepare: %llu %s left out, %s: %s%s", (unsigned long long)l->n,
             l->n == 1 ? "pair" : "pairs", why, places, l->n > named ? ", ..." : "");
}

void sentences_report(const struct sentences *s, uint32_t max_length)
{
    char too_long[64];
    snprintf(too_long, sizeof too_long, "longer than --max-length %u tokens", max_length);
    const char *const why[LEFT_OUT_REASONS] = {
        [LEFT_OUT_EMPTY_SOURCE] = "the source is empty",
        [LEFT_OUT_EMPTY_TARGET] = "the target is empty",
        [LEFT_OUT_TOO_LONG] = too_long};
    for (int i = 0; i < LEFT_OUT_REASONS; i++)
        if (s->left_out[i].n > 0)
            report(&s->left_out[i], why[i]);
}

/* --- reading -------------------------------------------------------------------------
 */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span strip(struct span s)
{
    while (s.bytes > 0 && is_space(*s.text)) {
        s.text++;
        s.bytes--;
    }
    while (s.bytes > 0 && is_space(s.text[s.bytes - 1]))
        s.bytes--;
    return s;
}

/* The lines belong to @s. */
static int read_lines(struct sentences *s, const char *path, uint64_t *limit,
                      const struct lines **read)
{
    struct lines *l = &s->files[s->files_n];
    TRY(lines_read(l, path, *limit));
    s->files_n++;
    *limit -= l->bytes;
    *read = l;
    return ERR_OK;
}

static void add(struct sentences *s, struct sentence_pair pair)
{
    pair.source = strip(pair.source);
    pair.target = strip(pair.target);
    if (pair.source.bytes == 0) {
        sentences_leave_out(s, LEFT_OUT_EMPTY_SOURCE, &pair);
        return;
    }
    if (pair.target.bytes == 0) {
        sentences_leave_out(s, LEFT_OUT_EMPTY_TARGET, &pair);
        return;
    }
    if (s->n == s->room) {
        s->room = s->room ? mem_mul(2, s->room) : 1024;
        s->all = mem_resize(s->all, mem_mul(s->room, sizeof *s->all));
    }
    s->all[s->n++] = pair;
    s->bytes += pair.source.bytes + pair.target.bytes;
}

static int read_aligned(struct sentences *s, const struct sentences_input *in,
                        uint64_t *limit)
{
    const struct lines *source, *target;
    TRY(read_lines(s, in->source, limit, &source));
    TRY(read_lines(s, in->target, limit, &target));
    TRY(lines_pair(source, target));
    for (size_t i = 0; i < source->n; i++)
        add(s, (struct sentence_pair){source->line[i], target->line[i], in, i + 1});
    return ERR_OK;
}

static int bad_tabs(const struct sentences_input *in, uint64_t line, bool more)
{
    log_error("%s:%llu: %s; expected the source, one tab, the target%s", in->source,
              (unsigned long long)line, more ? "more than one tab" : "no tab",
              more ? ": put spaces in place of the others"
                   : "; for two files use --source and --target");
    return ERR_DATA;
}

static int read_tabbed(struct sentences *s, const struct sentences_input *in,
                       uint64_t *limit)
{
    const struct lines *l;
    TRY(read_lines(s, in->source, limit, &l));
    for (size_t i = 0; i < l->n; i++) {
        const struct span line = l->line[i];
        const char *end = line.text + line.bytes,
                   *tab = memchr(line.text, '\t', line.bytes);
        if (!tab || memchr(tab + 1, '\t', (size_t)(end - tab) - 1))
            return bad_tabs(in, i + 1, tab != NULL);
        add(s, (struct sentence_pair){{line.text, (size_t)(tab - line.text)},
                                      {tab + 1, (size_t)(end - tab) - 1},
                                      in,
                                      i + 1});
    }
    return ERR_OK;
}

int sentences_read(struct sentences *s, const struct sentences_input *inputs, size_t n,
                   uint64_t limit)
{
    *s = (struct sentences){.files = mem_zalloc(mem_mul(2 * n, sizeof *s->files))};
    for (size_t i = 0; i < n; i++) {
        const int err = inputs[i].target ? read_aligned(s, &inputs[i], &limit)
                                         : read_tabbed(s, &inputs[i], &limit);
        if (err) {
            sentences_fini(s);
            return err;
        }
    }
    return ERR_OK;
}

void sentences_fini(struct sentences *s)
{
    for (size_t i = 0; i < s->files_n; i++)
        lines_fini(&s->files[i]);
    mem_free(s->files);
    mem_free(s->all);
    *s = (struct sentences){0};
}
