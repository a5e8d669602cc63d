#include "net/frame.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

enum { LENGTH_AT = 4, HASH_AT = 8, KEEP_MAX = 1 << 20, FIRST_CAPACITY = 4096 };

static const uint8_t magic[LENGTH_AT] = {'L', 'K', 'S', '1'};

static void put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void frame_header(uint8_t header[FRAME_HEADER], const void *payload, size_t bytes)
{
    assert(bytes <= FRAME_MAX);
    memcpy(header, magic, sizeof magic);
    put(header + LENGTH_AT, bytes, 4);
    put(header + HASH_AT, hash64(payload, bytes), 8);
}

void frame_decoder_init(struct frame_decoder *d, size_t limit)
{
    *d = (struct frame_decoder){.limit = limit};
}

void frame_decoder_fini(struct frame_decoder *d)
{
    mem_free(d->payload);
    d->payload = NULL;
}

static int take_header(struct frame_decoder *d, const uint8_t **at, const uint8_t *end)
{
    const size_t n = min(FRAME_HEADER - d->header_bytes, (size_t)(end - *at));
    memcpy(d->header + d->header_bytes, *at, n);
    d->header_bytes += n;
    *at += n;
    if (memcmp(d->header, magic, min(d->header_bytes, sizeof magic)) != 0)
        return ERR_MALFORMED;
    if (d->header_bytes < FRAME_HEADER)
        return ERR_OK;
    d->length = get(d->header + LENGTH_AT, 4);
    d->bytes = 0;
    return d->length > d->limit ? ERR_TOO_BIG : ERR_OK;
}

/* Room for @n more bytes; doubled, so that each byte is moved at most once on average. */
static void make_room(struct frame_decoder *d, size_t n)
{
    size_t wanted = d->capacity ? d->capacity : FIRST_CAPACITY;
    while (wanted < d->bytes + n)
        wanted *= 2;
    if (wanted == d->capacity)
        return;
    d->payload = mem_resize(d->payload, wanted);
    d->capacity = wanted;
}

/* The memory of a rare large message is not kept for the small ones after it. */
static void start_over(struct frame_decoder *d)
{
    d->header_bytes = 0;
    if (d->capacity > KEEP_MAX) {
        mem_free(d->payload);
        d->payload = NULL;
        d->capacity = 0;
    }
}

int frame_decode(struct frame_decoder *d, const uint8_t **at, const uint8_t *end,
                 const uint8_t **payload, size_t *bytes)
{
    assert(*at <= end);
    *payload = NULL;
    if (d->header_bytes == FRAME_HEADER && d->bytes == d->length)
        start_over(d); /* the caller has seen that frame */
    if (d->header_bytes < FRAME_HEADER)
        TRY(take_header(d, at, end));
    if (d->header_bytes < FRAME_HEADER)
        return ERR_OK;

    const size_t n = min(d->length - d->bytes, (size_t)(end - *at));
    make_room(d, n);
    if (n)
        memcpy(d->payload + d->bytes, *at, n);
    d->bytes += n;
    *at += n;
    if (d->bytes < d->length)
        return ERR_OK;
    if (hash64(d->payload, d->length) != get(d->header + HASH_AT, 8))
        return ERR_MALFORMED;
    *payload = d->payload;
    *bytes = d->length;
    return ERR_OK;
}
