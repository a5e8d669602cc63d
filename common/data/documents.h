/* documents.h - the texts that prepare turns into tokens, one per file, and where the
 * held-out part begins.
 *
 * Lengths are in units: code points, or bytes when the text need not be UTF-8.
 */
#ifndef DATA_DOCUMENTS_H
#define DATA_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/tokenizer.h"

enum document_text {
    DOCUMENT_BYTES, /* anything */
    DOCUMENT_UTF8,
    DOCUMENT_UTF8_NO_ZERO /* no U+0000 either, as a tokenizer of characters needs */
};

struct document {
    char *text;
    size_t bytes, units;
};

struct documents {
    struct document *all;
    size_t n;
    uint64_t bytes, units;
};

/* A share of the documents in their order. */
struct part {
    struct span *spans; /* borrowed text */
    bool *ends;         /* of each span: it goes to the end of its document */
    size_t n;
    uint64_t bytes;
};

/* Logged: ERR_NO_FILE, ERR_IO; ERR_DATA: an empty file, bad UTF-8 (with its place),
 * damaged gzip, more than @limit bytes in all. */
int documents_read(struct documents *d, const char *const *files, size_t n,
                   enum document_text text, size_t limit);
void documents_fini(struct documents *d);

/* @train receives the first @units units, @held_out the rest; a document may be cut. */
void documents_split(const struct documents *d, uint64_t units, struct part *train,
                     struct part *held_out);
void part_fini(struct part *p);

#endif
