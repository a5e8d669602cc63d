#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

uint64_t hash64(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}

static void to_hex(XXH128_hash_t h, char hex[HASH_HEX])
{
    snprintf(hex, HASH_HEX, "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
}

void hash128_hex(const void *data, size_t bytes, char hex[HASH_HEX])
{
    to_hex(XXH3_128bits(data, bytes), hex);
}

struct hash_stream *hash_stream_new(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        abort(); /* out of memory */
    XXH3_128bits_reset(state);
    return (struct hash_stream *)state;
}

void hash_stream_add(struct hash_stream *s, const void *data, size_t bytes)
{
    XXH3_128bits_update((XXH3_state_t *)s, data, bytes);
}

void hash_stream_hex(const struct hash_stream *s, char hex[HASH_HEX])
{
    to_hex(XXH3_128bits_digest((const XXH3_state_t *)s), hex);
}

void hash_stream_free(struct hash_stream *s)
{
    XXH3_freeState((XXH3_state_t *)s);
}
