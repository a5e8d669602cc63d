#include "coordinator/document.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/message.h"

struct slice_place {
    size_t page, bundle;
};

struct document {
    struct document_options o;
    struct page *page; /* [pages] */
    size_t pages, room, written;
    size_t *left;              /* [pages]: bundles that are not done */
    struct slice_place *place; /* [slices] */
    uint64_t *sentences;       /* [slices] */
    uint32_t slices;
    size_t rows;
    int read_err, write_err;
};

/* --- reading ------------------------------------------------------------------------ */

static void add_page(struct document *d, struct line_reader *r)
{
    if (d->pages == d->room) {
        d->room = 2 * d->room + 16;
        d->page = mem_resize(d->page, mem_mul(d->room, sizeof *d->page));
    }
    d->read_err =
        page_read(&d->page[d->pages++], d->o.page, d->o.tokenizer, r, d->o.counts);
}

static uint64_t count_slices(const struct document *d)
{
    uint64_t n = 0;
    for (size_t i = 0; i < d->pages; i++)
        n += d->page[i].bundles.n;
    return n;
}

static size_t bundle_first(const struct page *p, size_t bundle)
{
    return p->bundles.first[bundle];
}

static void add_slice(struct document *d, size_t page, size_t bundle)
{
    const struct page *p = &d->page[page];
    const size_t first = bundle_first(p, bundle), end = bundle_first(p, bundle + 1);
    size_t rows = 0;
    for (size_t i = first; i < end; i++)
        rows += p->source[i].n + 1;
    d->rows = rows > d->rows ? rows : d->rows;
    p->job[bundle].err = ERR_STOPPED; /* not translated */
    d->place[d->slices] = (struct slice_place){page, bundle};
    d->sentences[d->slices++] = end - first;
}

static void number_slices(struct document *d, uint64_t slices)
{
    d->left = mem_zalloc(mem_mul(d->pages, sizeof *d->left));
    d->place = mem_alloc(mem_mul(slices, sizeof *d->place));
    d->sentences = mem_alloc(mem_mul(slices, sizeof *d->sentences));
    for (size_t i = 0; i < d->pages; i++) {
        d->left[i] = d->page[i].bundles.n;
        for (size_t k = 0; k < d->left[i]; k++)
            add_slice(d, i, k);
    }
    assert(d->slices == slices);
}

static void write_pages(struct document *d);

int document_read(const struct document_options *o, struct line_reader *r,
                  struct document **out)
{
    assert(o->page->best == 1 && !o->page->scores);
    struct document *d = mem_zalloc(sizeof *d);
    d->o = *o;
    while (!r->at_end && !d->read_err)
        add_page(d, r);
    const uint64_t slices = count_slices(d);
    if (slices > MESSAGE_SLICES_MAX) {
        log_error("%s: %llu lines are %llu pieces of work, at most %u are possible; "
                  "translate it in parts, or with a larger --batch-tokens",
                  r->path, (unsigned long long)r->number, (unsigned long long)slices,
                  MESSAGE_SLICES_MAX);
        document_free(d);
        return ERR_DATA;
    }
    number_slices(d, slices);
    write_pages(d); /* empty lines */
    *out = d;
    return ERR_OK;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    for (; d->written < d->pages; d->written++)
        page_fini(&d->page[d->written]);
    mem_free(d->page);
    mem_free(d->left);
    mem_free(d->place);
    mem_free(d->sentences);
    mem_free(d);
}

/* --- its slices --------------------------------------------------------------------- */

uint32_t document_slices(const struct document *d)
{
    return d->slices;
}

size_t document_rows(const struct document *d)
{
    return d->rows;
}

uint32_t document_end_of_text(const struct document *d)
{
    return d->o.end;
}

const struct tokenizer *document_tokenizer(const struct document *d)
{
    return d->o.tokenizer;
}

uint64_t document_sentences(const struct document *d, uint32_t v)
{
    assert(v < d->slices);
    return d->sentences[v];
}

const struct sentence *document_slice(const struct document *d, uint32_t v, size_t *n)
{
    const struct slice_place at = d->place[v];
    const struct page *p = &d->page[at.page];
    assert(v < d->slices && p->job[at.bundle].err == ERR_STOPPED);
    *n = d->sentences[v];
    return p->source + bundle_first(p, at.bundle);
}

/* --- what comes back ---------------------------------------------------------------- */

static void write_page(struct document *d)
{
    struct page *p = &d->page[d->written++];
    if (!d->write_err)
        d->write_err = page_write(p, d->o.page, d->o.tokenizer, d->o.out, d->o.counts);
    page_fini(p);
    d->o.on_written(d->o.ctx);
}

static void write_pages(struct document *d)
{
    while (d->written < d->pages && d->left[d->written] == 0)
        write_page(d);
}

static struct translations single(const uint32_t *tokens, size_t n)
{
    struct translations t = {.at = mem_zalloc(sizeof *t.at), .n = 1};
    t.at->tokens = mem_alloc(mem_mul(n, sizeof *tokens));
    t.at->n = n;
    memcpy(t.at->tokens, tokens, n * sizeof *tokens);
    return t;
}

void document_take(struct document *d, uint32_t v, const uint32_t *lengths,
                   const uint32_t *tokens)
{
    assert(v < d->slices);
    const struct slice_place at = d->place[v];
    struct page *p = &d->page[at.page];
    struct pool_job *job = &p->job[at.bundle];
    assert(job->err == ERR_STOPPED && d->left[at.page] > 0);
    for (size_t i = 0; i < d->sentences[v]; i++) {
        p->out[bundle_first(p, at.bundle) + i] = single(tokens, lengths[i]);
        tokens += lengths[i];
    }
    job->err = ERR_OK;
    d->left[at.page]--;
    write_pages(d);
}

bool document_failed(const struct document *d)
{
    return d->write_err != ERR_OK && d->write_err != ERR_STOPPED;
}

int document_end(struct document *d, int err)
{
    assert(err || d->written == d->pages);
    if (d->written < d->pages)
        write_page(d); /* the lines before the first that is not translated */
    if (document_failed(d))
        err = d->write_err;
    return d->o.on_end(d->o.ctx, err ? err : d->read_err);
}
