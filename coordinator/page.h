/* page.h - some lines that are translated and written together: read, encoded, cut into
 * bundles, one for each job of the threads (decode/pool.h), written in their order.
 *
 *      page_read -> page_start -> page_wait until done -> page_write -> page_fini
 *
 * What is in a page and a bundle depends on the lines alone, and so does the output: not
 * on threads, nor on how fast lines come.
 */
#ifndef COORDINATOR_PAGE_H
#define COORDINATOR_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "coordinator/line_reader.h"
#include "decode/bundle.h"
#include "decode/pool.h"
#include "text/tokenizer.h"

struct page_options {
    size_t lines;        /* of a page */
    size_t context;      /* of the model: a line has one token less */
    size_t batch_tokens; /* of a bundle, ends included */
    bool truncate;       /* longer lines are cut, not an error */
    size_t best;      /* translations of a line; above 1 its number stands before each */
    bool scores;      /* stand before translations */
    uint32_t unknown; /* the token for unknown characters, or BEAM_NO_TOKEN */
};

/* What was read and written so far. */
struct page_counts {
    uint64_t translated, written; /* lines that are not empty; lines of all kinds */
    uint64_t tokens_in, tokens_out;
    uint64_t truncated, first_truncated; /* lines; the number of the first */
    uint64_t unknown, first_unknown;     /* characters; the line of the first */
};

struct page_line {
    uint64_t number;
    uint32_t *tokens; /* owned */
    size_t n;         /* 0: empty, translated as that */
    size_t place;     /* its sentence, in the order of the bundles */
};

struct page {
    struct page_line *line; /* [n] */
    size_t n, sentences;
    struct bundles bundles;
    struct sentence *source; /* [sentences], in the order of the bundles, as out */
    struct translations *out;
    struct pool_job *job; /* [bundles.n] */
};

/* Sentences of one bundle at most: a short one costs as much as eight tokens. */
size_t page_sentences(const struct page_options *o);

/* Reads until the page is full or the lines end.  On errors, logged but for ERR_STOPPED,
 * the page has the lines before, and is to be used all the same. ERR_DATA also: a line
 * with too many tokens. */
int page_read(struct page *p, const struct page_options *o, struct tokenizer *tokenizer,
              struct line_reader *r, struct page_counts *counts);

void page_start(struct page *p, struct pool *pool);
/* Is all of it done?  Waits up to @ms for it. */
bool page_wait(struct page *p, struct pool *pool, unsigned ms);

/* Of a page that is done: its lines, up to the first that was stopped or failed.  ERR_*
 * of that, or ERR_IO, ERR_NO_SPACE (logged). */
int page_write(const struct page *p, const struct page_options *o,
               const struct tokenizer *tokenizer, FILE *out, struct page_counts *counts);
void page_fini(struct page *p);

#endif
