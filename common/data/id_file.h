/* id_file.h - what the files of token ids have in common: tokens.h and parallel.h are the
 * two kinds, and this is for their .c files.
 *
 * Little-endian. A header of 128 bytes, then data, whose form is the kind's:
 *
 *      offset  bytes
 *           0      8  the kind's magic
 *           8      4  version: 1
 *          12      4  width: bytes of a token, 2 or 4
 *          16      8  vocab: tokens are 0 to vocab - 1
 *          24      8  count, of what the file has
 *          32     16  two facts of the kind
 *          48     32  XXH3-128 of the data, in hexadecimal digits
 *          80     32  hash of the tokenizer (tokenizer_hash), in hexadecimal digits
 *         112      8  a third fact
 *         120      8  XXH3-64 of the 120 bytes before
 *
 * An open struct id_file is read-only and for any thread.
 */
#ifndef DATA_ID_FILE_H
#define DATA_ID_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum { ID_FILE_HEADER = 128 /* bytes */, ID_FILE_FACTS = 3 };

struct id_file_kind {
    char magic[9];
    const char *name; /* for messages: "token file" */
};

struct id_header {
    uint32_t width;
    uint64_t vocab, count, fact[ID_FILE_FACTS];
    char tokenizer[HASH_HEX];
};

void id_header_pack(const struct id_file_kind *kind, const struct id_header *h,
                    const char data_hash[HASH_HEX], unsigned char bytes[ID_FILE_HEADER]);

/* Reading.  All checks log, with the path and the remedy. */
struct id_file {
    char *path;
    unsigned char *map;
    size_t bytes;
    struct id_header header;
    char data_hash[HASH_HEX];
};

/* Maps the file and checks the header, but not count and facts: ERR_NO_FILE, ERR_IO;
 * ERR_DATA, ERR_CORRUPT.  To be closed also after an error. */
int id_file_open(struct id_file *f, const struct id_file_kind *kind, const char *path);
void id_file_close(struct id_file *f);

int id_file_check_data(const struct id_file *f); /* ERR_CORRUPT: not the hash */
/* ERR_DATA: of the @n tokens that begin at byte @at, one is not below vocab. */
int id_file_check_range(const struct id_file *f, size_t at, uint64_t n);

/* @out receives the @n tokens that begin at byte @at of the file. */
void id_file_get(const struct id_file *f, size_t at, size_t n, uint32_t *out);

/* Writing: open, add any number of times, seal, publish; or drop at any point.  Until
 * publish the file is called path.tmp; what is called @path is always whole.
 *
 * Errors, logged: ERR_RANGE when the vocabulary does not fit the width; ERR_NO_FILE,
 * ERR_NO_SPACE, ERR_IO.  After an error only drop is allowed. */
struct id_writer;

/* @known: width - 0: what the vocabulary needs -, vocab and tokenizer count. */
int id_writer_open(const struct id_file_kind *kind, const char *path,
                   const struct id_header *known, struct id_writer **w);
int id_writer_add(struct id_writer *w, const uint32_t *ids, size_t n);
int id_writer_add_u32(struct id_writer *w, const uint32_t *numbers, size_t n);
int id_writer_seal(struct id_writer *w, uint64_t count,
                   const uint64_t fact[ID_FILE_FACTS]);
int id_writer_publish(struct id_writer *w); /* frees @w, also when it fails */
void id_writer_drop(struct id_writer *w);   /* NULL is allowed */

#endif
