/* tokens.h - a text as a file of token ids, memory-mapped.
 *
 * The header of id_file.h, then count tokens of width bytes each:
 *
 *      offset  bytes
 *           0      8  "LSTOKENS"
 *          24      8  count of tokens
 *          32      8  documents, whole or in part
 *          40      8  source: bytes of text the tokens stand for, for bits per byte
 *         112      8  zero
 *
 * A file is valid when
 *   1. it has at least 128 bytes and begins with "LSTOKENS"        else ERR_DATA
 *   2. the hash of the header is right                             else ERR_CORRUPT
 *   3. version is 1, width 2 or 4, bytes 112 to 119 are zero, the
 *      other two hashes are digits 0-9, a-f                        else ERR_DATA
 *   4. 1 <= vocab <= 2^(8 width), vocab <= 2^32                    else ERR_DATA
 *   5. its length is 128 + count * width                           else ERR_CORRUPT
 *   6. the hash of the tokens is right                             else ERR_CORRUPT
 *   7. every token is below vocab                                  else ERR_DATA
 *
 * so that no truncation and no flipped byte goes unnoticed; tokens_open() checks all of
 * it, which reads the file once.  A file that another process shortens while it is mapped
 * ends this one with SIGBUS; prepare never does, it puts a new file in the old one's
 * place.
 *
 * An open struct tokens is read-only and for any thread.
 */
#ifndef DATA_TOKENS_H
#define DATA_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct tokens_info {
    uint32_t
        width; /* bytes per token: 2, 4; 0 for the writer: what the vocabulary needs */
    uint64_t vocab, count, documents, source_bytes;
    char tokenizer[HASH_HEX];
};

struct tokens;

int tokens_open(const char *path, struct tokens **t);
void tokens_close(struct tokens *t);

const struct tokens_info *tokens_info(const struct tokens *t);
const char *tokens_path(const struct tokens *t);

/* @out receives @n tokens from number @first on; first + n <= count. */
void tokens_get(const struct tokens *t, uint64_t first, size_t n, uint32_t *out);

/* Writing: open, add any number of times, seal, publish; or drop at any point.  Until
 * publish the file is called path.tmp; what is called @path is always whole.
 *
 * Errors: ERR_RANGE when the vocabulary does not fit the width; ERR_NO_FILE,
 * ERR_NO_SPACE, ERR_IO.  After an error only drop is allowed. */
struct tokens_writer;

/* @info: width, vocab and tokenizer count, the rest is found out or said to seal. */
int tokens_writer_open(const char *path, const struct tokens_info *info,
                       struct tokens_writer **w);
int tokens_writer_add(struct tokens_writer *w, const uint32_t *ids, size_t n);
uint64_t tokens_writer_count(const struct tokens_writer *w);
int tokens_writer_seal(struct tokens_writer *w, uint64_t documents,
                       uint64_t source_bytes);
int tokens_writer_publish(struct tokens_writer *w); /* frees @w, also when it fails */
void tokens_writer_drop(struct tokens_writer *w);   /* NULL is allowed */

#endif
