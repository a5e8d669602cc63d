/* prepare.h - text files become a dataset (dataset.h): what `lockstep prepare` does.
 *
 * Files are plain or gzip.  Each is a document; in the order given they form one text.
 *
 * The split: the last held_out share of the text's characters - of its bytes for the
 * tokenizer byte - is held out, the rest, int(characters * (1 - held_out)), trains.  It
 * is made before tokenizing, so no token reaches across, and it may cut a document.  (As
 * nanoGPT: data[:int(n * 0.9)].)
 *
 * The end of a document: with more than one file, and a tokenizer that has one, an
 * end-of-text token follows each document, in the part in which the document ends.  One
 * file alone gets none: it is often many texts in a row that we cannot tell apart, and
 * its tokens are then those of the tokenizer and nothing else.
 *
 * char takes its characters from the whole text, so that the held-out part has no unknown
 * one; bpe and subword learn from the training part alone, so that subword may meet
 * characters it has no token for: they are counted, and reported.
 *
 * Everything is written under temporary names, synced, and then given its name; an
 * interrupted run leaves no half-written file under a final name, and one that is
 * interrupted between the renames leaves a folder without tokenizer.json, which
 * dataset_open() refuses.  What the folder had before, of either kind, is replaced.  All
 * text is held in memory while this runs.
 */
#ifndef DATA_PREPARE_H
#define DATA_PREPARE_H

#include <stddef.h>
#include <stdint.h>

#define PREPARE_LIMIT ((uint64_t)4 << 30) /* bytes of text, unpacked */

struct prepare_options {
    const char *const *files; /* [files_n], at least one */
    size_t files_n;
    const char *dir;       /* made when it is not there */
    const char *tokenizer; /* as in text/tokenizer_spec.h */
    double held_out;       /* share, above 0 and below 1 */
    uint32_t width;        /* bytes per token: 2, 4, or 0 for what the vocabulary needs */
    uint64_t limit;        /* bytes of text, unpacked; 0: PREPARE_LIMIT */
    /* May be NULL. @what: "learning", in tokens, and "encoding", in bytes. */
    void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *progress_ctx;
};

/* Logged: ERR_INVALID, ERR_RANGE for options; ERR_NO_FILE, ERR_DATA for files;
 * ERR_NO_SPACE, ERR_IO for the results. Logs a line per part when done. */
int prepare(const struct prepare_options *o);

#endif
