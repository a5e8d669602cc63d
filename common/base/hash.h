/* hash.h - checksums: XXH3 (Collet), 64 and 128 bits.  Not against forgers. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_HEX = 33 }; /* 32 digits and the end */

uint64_t hash64(const void *data, size_t bytes);
void hash128_hex(const void *data, size_t bytes, char hex[HASH_HEX]);

/* Piece by piece; same result as hash128_hex over the whole. */
struct hash_stream;
struct hash_stream *hash_stream_new(void);
void hash_stream_add(struct hash_stream *s, const void *data, size_t bytes);
void hash_stream_hex(const struct hash_stream *s, char hex[HASH_HEX]);
void hash_stream_free(struct hash_stream *s);

#endif
