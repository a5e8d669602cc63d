/* safetensors.h - named tensors in one file that other tools read (the format of Hugging
 * Face's library of that name):
 *
 *      u64 little-endian N | N bytes of JSON, padded with spaces to 8 | data
 *      {"__metadata__": {"format": "pt", ...},
 *       "name": {"dtype": "F32", "shape": [rows, cols], "data_offsets": [begin, end]},
 * ...}
 *
 * A file is valid when
 *   1. N is at most SAFETENSORS_HEADER_MAX and the header lies within the file;
 *   2. the header is a JSON object without duplicate keys, beginning with '{';
 *   3. every tensor has the keys above, a rank of at most 4, and
 *      end - begin = product(shape) * size of its dtype, without overflow;
 *   4. the tensors cover the data without gap or overlap, and it ends with the file.
 * We write and read F32 only.  The bytes written are a function of the content.
 */
#ifndef CHECKPOINT_SAFETENSORS_H
#define CHECKPOINT_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

enum { SAFETENSORS_HEADER_MAX = 100000000, SAFETENSORS_RANK = 4 };

struct safetensor {
    const char *name;
    size_t rank, dims[SAFETENSORS_RANK];
    float *data; /* row-major; only read when writing */
};

/* Writes a new file; @metadata is pairs of key and value, ended by NULL.  *bytes and
 * hash (XXH3-128) describe what was written.  Logs. */
int safetensors_write(const struct disk *d, const char *path,
                      const struct safetensor *tensors, size_t n,
                      const char *const *metadata, uint64_t *bytes, char hash[33]);

/* Reads exactly these tensors, of these shapes, into their data.  ERR_DATA, logged with
 * file and tensor, when the file is not valid, lacks one, has another or another shape.
 */
int safetensors_read(const char *path, const struct safetensor *tensors, size_t n);

/* What is in the file: calls @each per tensor, in file order; data is NULL. */
int safetensors_list(const char *path,
                     void (*each)(void *ctx, const struct safetensor *t), void *ctx);

#endif
