#include "coordinator/page.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/line.h"

enum { SHORT = 8 /* tokens */ };

size_t page_sentences(const struct page_options *o)
{
    const size_t n = o->batch_tokens / SHORT;
    return n < 1 ? 1 : n > TRANSLATE_SENTENCES ? TRANSLATE_SENTENCES : n;
}

/* --- reading ------------------------------------------------------------------------ */

static void count_unknown(const struct page_line *line, const struct page_options *o,
                          struct page_counts *counts)
{
    for (size_t i = 0; i < line->n; i++)
        if (line->tokens[i] == o->unknown && counts->unknown++ == 0)
            counts->first_unknown = line->number;
}

static int limit_line(struct page_line *line, const struct page_options *o,
                      const char *path, struct page_counts *counts)
{
    if (line->n < o->context)
        return ERR_OK;
    if (!o->truncate) {
        log_error(
            "%s: line %llu has %zu tokens, more than the %zu that the model can read "
            "(model.context less the end); --truncate cuts such lines",
            path, (unsigned long long)line->number, line->n, o->context - 1);
        return ERR_DATA;
    }
    line->n = o->context - 1;
    if (counts->truncated++ == 0)
        counts->first_truncated = line->number;
    return ERR_OK;
}

static int read_one(struct page_line *line, const struct page_options *o,
                    struct tokenizer *tokenizer, struct line_reader *r,
                    struct page_counts *counts)
{
    struct span text;
    *line = (struct page_line){0};
    TRY(line_reader_next(r, &text));
    line->number = r->number;
    if (text.bytes == 0)
        return ERR_OK;
    TRY(tokenizer_encode(tokenizer, text.text, text.bytes, &line->tokens, &line->n));
    TRY(limit_line(line, o, r->path, counts));
    count_unknown(line, o, counts);
    return ERR_OK;
}

/* Sentences side by side, as the bundles have them. */
static void make_bundles(struct page *p, const struct page_options *o)
{
    uint32_t *length = mem_alloc(mem_mul(p->n, sizeof *length));
    struct page_line **of = mem_alloc(mem_mul(p->n, sizeof *of));
    for (size_t i = 0; i < p->n; i++) {
        if (p->line[i].n == 0)
            continue;
        of[p->sentences] = &p->line[i];
        length[p->sentences++] = (uint32_t)p->line[i].n + 1;
    }
    bundles_make(&p->bundles, length, p->sentences, page_sentences(o), o->batch_tokens);
    p->source = mem_alloc(mem_mul(p->sentences, sizeof *p->source));
    p->out = mem_zalloc(mem_mul(p->sentences, sizeof *p->out));
    p->job = mem_zalloc(mem_mul(p->bundles.n, sizeof *p->job));
    for (size_t i = 0; i < p->sentences; i++) {
        struct page_line *line = of[p->bundles.order[i]];
        line->place = i;
        p->source[i] = (struct sentence){line->tokens, line->n};
    }
    mem_free(length);
    mem_free(of);
}

int page_read(struct page *p, const struct page_options *o, struct tokenizer *tokenizer,
              struct line_reader *r, struct page_counts *counts)
{
    *p = (struct page){.line = mem_alloc(mem_mul(o->lines, sizeof *p->line))};
    int err = ERR_OK;
    while (p->n < o->lines && !err) {
        struct page_line *line = &p->line[p->n];
        err = read_one(line, o, tokenizer, r, counts);
        if (err)
            mem_free(line->tokens);
        if (err || r->at_end)
            break;
        p->n++;
    }
    make_bundles(p, o);
    return err;
}

/* --- translating -------------------------------------------------------------------- */

void page_start(struct page *p, struct pool *pool)
{
    for (size_t i = 0; i < p->bundles.n; i++) {
        const size_t first = p->bundles.first[i];
        p->job[i] = (struct pool_job){.sources = p->source + first,
                                      .n = p->bundles.first[i + 1] - first,
                                      .out = p->out + first};
        pool_start(pool, &p->job[i]);
    }
}

bool page_wait(struct page *p, struct pool *pool, unsigned ms)
{
    for (size_t i = 0; i < p->bundles.n; i++)
        if (!pool_wait(pool, &p->job[i], ms))
            return false;
    return true;
}

/* --- writing ------------------------------------------------------------------------ */

static void write_text(const struct translation *t, const struct tokenizer *tokenizer,
                       FILE *out)
{
    char *text = NULL;
    size_t bytes = 0;
    for (size_t i = 0; i < t->n; i++) {
        const char *piece;
        size_t n;
        tokenizer_piece(tokenizer, t->tokens[i], &piece, &n);
        text = mem_resize(text, bytes + n);
        memcpy(text + bytes, piece, n);
        bytes += n;
    }
    char *line = line_clean((struct span){text, bytes}, &bytes);
    fwrite(line, 1, bytes, out);
    mem_free(line);
    mem_free(text);
}

static void write_translation(const struct page_line *line, const struct translation *t,
                              const struct page_options *o,
                              const struct tokenizer *tokenizer, FILE *out)
{
    if (o->best > 1)
        fprintf(out, "%llu\t", (unsigned long long)line->number);
    if (o->scores)
        fprintf(out, "%.4f\t", t->score);
    write_text(t, tokenizer, out);
    putc('\n', out);
}

/* The job of the sentence at @place. */
static const struct pool_job *job_of(const struct page *p, size_t place)
{
    size_t i = 0;
    while (p->bundles.first[i + 1] <= place)
        i++;
    return &p->job[i];
}

static int write_line(const struct page *p, const struct page_line *line,
                      const struct page_options *o, const struct tokenizer *tokenizer,
                      FILE *out, struct page_counts *counts)
{
    if (line->n == 0) {
        write_translation(line, &(struct translation){0}, o, tokenizer, out);
    } else {
        TRY(job_of(p, line->place)->err);
        const struct translations *t = &p->out[line->place];
        for (size_t i = 0; i < t->n; i++)
            write_translation(line, &t->at[i], o, tokenizer, out);
        counts->translated++;
        counts->tokens_in += line->n;
        counts->tokens_out += t->at->n;
    }
    counts->written++;
    return ERR_OK;
}

int page_write(const struct page *p, const struct page_options *o,
               const struct tokenizer *tokenizer, FILE *out, struct page_counts *counts)
{
    int err = ERR_OK;
    for (size_t i = 0; i < p->n && !err; i++)
        err = write_line(p, &p->line[i], o, tokenizer, out, counts);
    if (fflush(out) == 0 && !ferror(out))
        return err;
    log_error("could not write translations: %s", strerror(errno));
    return err_from_errno(errno);
}

void page_fini(struct page *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->line[i].tokens);
    for (size_t i = 0; i < p->sentences; i++)
        translations_fini(&p->out[i]);
    bundles_fini(&p->bundles);
    mem_free(p->line);
    mem_free(p->source);
    mem_free(p->out);
    mem_free(p->job);
    *p = (struct page){0};
}
