#include "data/sentences.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/text_file.h"
#include "text/utf8.h"

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

/* --- lines ---------------------------------------------------------------------------
 */

struct lines {
    const char *at, *end;
};

static struct lines lines_of(struct span text)
{
    return (struct lines){text.text, text.text + text.bytes};
}

static bool next_line(struct lines *l, struct span *line)
{
    if (l->at == l->end)
        return false;
    const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));
    const char *stop = newline ? newline : l->end;
    *line = (struct span){l->at, (size_t)(stop - l->at)};
    l->at = newline ? newline + 1 : l->end;
    return true;
}

static uint64_t count_lines(struct span text)
{
    struct lines l = lines_of(text);
    struct span line;
    uint64_t n = 0;
    while (next_line(&l, &line))
        n++;
    return n;
}

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

/* --- reading -------------------------------------------------------------------------
 */

static int check_text(const char *path, const char *text, size_t bytes)
{
    struct utf8_error where;
    if (bytes == 0) {
        log_error("%s is empty; expected a sentence per line", path);
        return ERR_DATA;
    }
    if (utf8_check(text, bytes, &where) != 0) {
        log_error("%s: line %zu, byte %zu of the file, is 0x%02x, which is not valid "
                  "UTF-8; convert the file with iconv",
                  path, where.line, where.offset, (unsigned char)text[where.offset]);
        return ERR_DATA;
    }
    return ERR_OK;
}

/* The text belongs to @s, also when it is refused. */
static int read_text(struct sentences *s, const char *path, uint64_t *limit,
                     struct span *text)
{
    char *read;
    size_t bytes;
    TRY(text_file_read(path, *limit, &read, &bytes));
    s->texts[s->texts_n++] = read;
    *limit -= bytes;
    *text = (struct span){read, bytes};
    return check_text(path, read, bytes);
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

static int unequal(const struct sentences_input *in, uint64_t sources, uint64_t targets)
{
    const bool more = sources > targets;
    log_error("%s has %llu lines, %s has %llu: line %llu of %s has no partner; line by "
              "line they must be translations of each other",
              in->source, (unsigned long long)sources, in->target,
              (unsigned long long)targets,
              (unsigned long long)(more ? targets : sources) + 1,
              more ? in->source : in->target);
    return ERR_DATA;
}

static int read_aligned(struct sentences *s, const struct sentences_input *in,
                        uint64_t *limit)
{
    struct span source, target;
    TRY(read_text(s, in->source, limit, &source));
    TRY(read_text(s, in->target, limit, &target));
    const uint64_t sources = count_lines(source), targets = count_lines(target);
    if (sources != targets)
        return unequal(in, sources, targets);
    struct lines a = lines_of(source), b = lines_of(target);
    struct sentence_pair pair = {.input = in, .line = 1};
    for (; next_line(&a, &pair.source) && next_line(&b, &pair.target); pair.line++)
        add(s, pair);
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
    struct span text, line;
    TRY(read_text(s, in->source, limit, &text));
    struct lines l = lines_of(text);
    for (uint64_t number = 1; next_line(&l, &line); number++) {
        const char *end = line.text + line.bytes,
                   *tab = memchr(line.text, '\t', line.bytes);
        if (!tab || memchr(tab + 1, '\t', (size_t)(end - tab) - 1))
            return bad_tabs(in, number, tab != NULL);
        add(s, (struct sentence_pair){{line.text, (size_t)(tab - line.text)},
                                      {tab + 1, (size_t)(end - tab) - 1},
                                      in,
                                      number});
    }
    return ERR_OK;
}

int sentences_read(struct sentences *s, const struct sentences_input *inputs, size_t n,
                   uint64_t limit)
{
    *s = (struct sentences){.texts = mem_zalloc(mem_mul(2 * n, sizeof *s->texts))};
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
    for (size_t i = 0; i < s->texts_n; i++)
        mem_free(s->texts[i]);
    mem_free(s->texts);
    mem_free(s->all);
    *s = (struct sentences){0};
}
