/* parallel.h - a parallel text as a file of token ids, memory-mapped: pairs of a source
 * sentence and its target, for a model with an encoder and a decoder.
 *
 * The header of id_file.h, then an index of count x (length of the source, length of the
 * target), four bytes each, then the tokens of each pair, width bytes each: its source,
 * its target.
 *
 *      offset  bytes
 *           0      8  "LSTPAIRS"
 *          24      8  count of pairs
 *          32      8  tokens of all sources
 *          40      8  tokens of all targets
 *         112      8  bytes of target text the tokens stand for, for bits per byte
 *
 * Sentences are as the tokenizer makes them, without an end: whoever reads adds the
 * tokenizer's end of text as the end of a sentence and as the token that targets start
 * from.
 *
 * A file is valid when
 *   1. it has at least 128 bytes and begins with "LSTPAIRS"        else ERR_DATA
 *   2. the hash of the header is right                             else ERR_CORRUPT
 *   3. version is 1, width 2 or 4, the other two hashes are
 *      digits 0-9, a-f                                             else ERR_DATA
 *   4. 1 <= vocab <= 2^(8 width), vocab <= 2^32                    else ERR_DATA
 *   5. its length is 128 + count * 8 + (source tokens + target
 *      tokens) * width                                             else ERR_CORRUPT
 *   6. the hash of the data, index and tokens, is right            else ERR_CORRUPT
 *   7. every length is at least 1; those of the sources add up
 *      to the source tokens, those of the targets to the others    else ERR_DATA
 *   8. every token is below vocab                                  else ERR_DATA
 *
 * so that no truncation and no flipped byte goes unnoticed; parallel_open() checks all of
 * it, which reads the file once, and keeps 8 bytes per pair.
 *
 * An open struct parallel is read-only and for any thread.
 */
#ifndef DATA_PARALLEL_H
#define DATA_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct parallel_info {
    uint32_t
        width; /* bytes per token: 2, 4; 0 for the writer: what the vocabulary needs */
    uint64_t vocab, count, source_tokens, target_tokens, target_bytes;
    uint32_t longest_source, longest_target; /* tokens */
    char tokenizer[HASH_HEX];
};

struct parallel;

int parallel_open(const char *path, struct parallel **p);
void parallel_close(struct parallel *p); /* NULL is allowed */

const struct parallel_info *parallel_info(const struct parallel *p);
const char *parallel_path(const struct parallel *p);

/* Of pair @i < count, in tokens, at least 1 each. */
void parallel_lengths(const struct parallel *p, uint64_t i, uint32_t *source,
                      uint32_t *target);

/* @source and @target receive as many tokens as parallel_lengths() says. */
void parallel_get(const struct parallel *p, uint64_t i, uint32_t *source,
                  uint32_t *target);

/* Writing, as in tokens.h.  The pairs are in memory until they are sealed, for the index
 * stands before them. */
struct parallel_writer;

/* @info: width, vocab and tokenizer count, the rest is found out or said to seal. */
int parallel_writer_open(const char *path, const struct parallel_info *info,
                         struct parallel_writer **w);
void parallel_writer_add(struct parallel_writer *w, const uint32_t *source,
                         uint32_t source_n, const uint32_t *target, uint32_t target_n);
int parallel_writer_seal(struct parallel_writer *w, uint64_t target_bytes);
/* What it has so far. */
const struct parallel_info *parallel_writer_info(const struct parallel_writer *w);
int parallel_writer_publish(struct parallel_writer *w); /* frees @w, also when it fails */
void parallel_writer_drop(struct parallel_writer *w);   /* NULL is allowed */

#endif
