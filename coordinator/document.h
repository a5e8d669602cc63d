/* document.h - a whole file of lines that the workers of a cluster translate.
 *
 *      document_read -> slices leased, document_take() of each in any order ->
 * document_end
 *
 * Its pages (page.h) are all read before the first slice is leased; a slice is a bundle
 * of one page, so what comes out is what one process says, to the letter.  A page is
 * written and forgotten as soon as it and those before it are done.
 *
 * One thread at a time.
 */
#ifndef COORDINATOR_DOCUMENT_H
#define COORDINATOR_DOCUMENT_H

#include "coordinator/page.h"

struct document_options {
    const struct page_options
        *page; /* one translation of a line; borrowed, as all here */
    struct tokenizer *tokenizer;
    uint32_t end;               /* of text, which starts translations and ends sources */
    FILE *out;                  /* of the translations */
    struct page_counts *counts; /* kept up to date */
    void (*on_written)(void *ctx);     /* after each page */
    int (*on_end)(void *ctx, int err); /* of document_end(): what that returns */
    void *ctx;
};

struct document;

/* Of @r up to its end, or up to a line that cannot be taken (logged): document_end() says
 * so when the lines before it are written.  ERR_DATA (logged): more than
 * MESSAGE_SLICES_MAX slices; nothing is made. */
int document_read(const struct document_options *o, struct line_reader *r,
                  struct document **d);
void document_free(struct document *d);

uint32_t document_slices(const struct document *d);
/* Tokens of a slice at most, ends included. */
size_t document_rows(const struct document *d);
uint32_t document_end_of_text(const struct document *d);
const struct tokenizer *document_tokenizer(const struct document *d);

/* Sentences [n] of slice @v that was not taken yet, borrowed until it is. */
const struct sentence *document_slice(const struct document *d, uint32_t v, size_t *n);
uint64_t document_sentences(const struct document *d, uint32_t v);

/* Their translations, in this order: lengths [n], tokens one behind the other.  Once for
 * each slice.  Writes what is next; what cannot be written is told by document_failed()
 * and again by document_end(). */
void document_take(struct document *d, uint32_t v, const uint32_t *lengths,
                   const uint32_t *tokens);
bool document_failed(const struct document *d);

/* All is taken, or @err says why not: writes what is left of it up to the first line that
 * is not translated.  Returns the first of these that is one, by way of on_end(): an
 * error of writing (ERR_IO, ERR_NO_SPACE), @err, that of the line at which reading ended.
 */
int document_end(struct document *d, int err);

#endif
