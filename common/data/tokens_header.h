/* tokens_header.h - for tokens.c and tokens_writer.c: the 128 bytes that tokens.h draws.
 */
#ifndef DATA_TOKENS_HEADER_H
#define DATA_TOKENS_HEADER_H

#include "data/tokens.h"

void tokens_header_pack(const struct tokens_info *info, const char data_hash[HASH_HEX],
                        unsigned char header[TOKENS_HEADER]);

/* Conditions 1 to 4 of the @bytes bytes at @header. */
int tokens_header_unpack(const unsigned char *header, size_t bytes, const char *path,
                         struct tokens_info *info, char data_hash[HASH_HEX]);

#endif
