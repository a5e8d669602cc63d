/* subword_merges.h - the merges of a subword tokenizer while they are read; for the files
 * tokenizer*.c only.  A file of them is what subword-nmt's learn-bpe writes (codes):
 *
 *      #version: 0.2
 *      e r</w>                 one merge a line, best first: two symbols (symbol.h)
 *      t h
 *
 *   1. At most TOKENIZER_FILE_MAX bytes of UTF-8, no zero byte.
 *   2. The first line is "#version: 0.2".  Without it the file is of version 0.1, where
 * the end of a word is a symbol of its own: refused.
 *   3. Each further line has two valid symbols with one space between them; the left one
 *      is not the last of a word, and the two joined are so only when the right one is.
 *      Spaces at the end of a line and a carriage return do not matter.
 *   4. A merge that was there before says nothing; the first counts.
 */
#ifndef TEXT_SUBWORD_MERGES_H
#define TEXT_SUBWORD_MERGES_H

#include <stddef.h>

#include "text/intern.h"
#include "text/merger.h"

struct subword_merges {
    struct intern *symbols;
    struct pairs *pairs; /* number = rank */
    struct bpe_merge *list;
    size_t n, room;
};

void subword_merges_init(struct subword_merges *m);
void subword_merges_fini(struct subword_merges *m);

/* Merge number @number, from 1, of @origin: "left right". ERR_DATA, logged. */
int subword_merges_add(struct subword_merges *m, const char *origin, size_t number,
                       const char *text, size_t bytes);

/* Adds those of a file. ERR_NO_FILE, ERR_DATA ...; logged, with the line. */
int subword_merges_read(struct subword_merges *m, const char *path);

#endif
